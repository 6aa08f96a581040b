"""Find and locate damage in training sets: down to the record."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import zstandard

from ringwall.core import DataError
from ringwall.storage.blobs import UncheckedReads

from ..damage import Damage, Problem, walk
from ..versions import is_branch
from .entry import PackEntry
from .pack import PackReader, ordinals
from .record_index import Place, terms_of
from .record_keys import KeyTable
from .sets import TrainingSets


@dataclass(slots=True)
class _Looked:
    """What is wrong with a pack."""

    pack: list[Problem] = field(default_factory=list)
    records: dict[int, Problem] = field(default_factory=dict)


def check_training(sets: TrainingSets) -> Iterator[Damage]:
    """Read every pack and every record that was ever committed."""
    sets.forget()
    for collection in sets.versions.lines():
        if is_branch(collection):
            continue
        try:
            check = _Check(sets, collection)
        except DataError as error:
            yield Damage(collection, 0, "", f"The secret of the collection can't be read: {error}")
        else:
            yield from check.run()


class _Check:
    """Of one training set and its branches."""

    def __init__(self, sets: TrainingSets, collection: str) -> None:
        self._sets = sets
        self._collection = collection
        self._marker = sets.index.marker(collection)
        self._looked: dict[str, _Looked] = {}
        self._index: list[Damage] = []
        self._counts = sets.index.counts()

    def run(self) -> Iterator[Damage]:
        seen: dict[str, list[Problem]] = {}
        for line in (self._collection, *self._sets.versions.branches(self._collection)):
            yield from walk(self._sets.lines, line, self._look, seen)
        yield from self._index

    def _look(self, entry: PackEntry) -> list[Problem]:
        """Each pack is read once, however many versions share it."""
        looked = self._looked.get(entry.blob)
        if looked is None:
            looked = self._looked[entry.blob] = self._pack(entry)
        held = set(ordinals(entry.count, entry.dropped))
        located = [problem for ordinal, problem in sorted(looked.records.items()) if ordinal in held]
        # Damage to records that this version does not hold is damage to its pack all the same.
        others = [problem for ordinal, problem in sorted(looked.records.items()) if ordinal not in held]
        return [*looked.pack, *(located or others)]

    def _pack(self, entry: PackEntry) -> _Looked:
        name = f"pack:{self._collection}/{entry.id}"
        looked = _Looked()
        reader, broken = self._reader(entry)
        try:
            table = self._sets.keys.table(self._collection, entry.id)
        except DataError as error:
            looked.pack.append(Problem(name, str(error)))
            table = None
        if reader is None:
            looked.pack.append(Problem(name, broken))
        elif table is not None:
            self._records(entry, reader, table, broken, looked)
            if broken and not looked.records:
                looked.pack.append(Problem(name, broken))
        return looked

    def _reader(self, entry: PackEntry) -> tuple[PackReader | None, str]:
        """The pack, as far as it can be read, and what is wrong with it as a whole."""
        blobs, envelope = self._sets.blobs, self._sets.envelope
        broken = ""
        try:
            blob = blobs.get(entry.blob)
        except DataError as error:
            broken = str(error)
            if not isinstance(blobs, UncheckedReads):
                return None, broken
            try:
                blob = blobs.read_unchecked(entry.blob)
            except DataError:
                return None, broken
        try:
            reader = PackReader(entry.id, blob, self._collection, envelope)
        except (DataError, ValueError, KeyError, struct.error, zstandard.ZstdError) as error:
            return None, broken or f"Its header can't be read: {error}"
        if reader.root != entry.root or len(reader) != entry.count:
            return None, broken or "It is not the pack that was committed: its root differs."
        return reader, broken

    def _records(
        self, entry: PackEntry, reader: PackReader, table: KeyTable, broken: str, looked: _Looked
    ) -> None:
        erased = self._sets.packs.erased(entry.id)
        for ordinal in self._sets.packs.false_erasures(self._collection, entry.id):
            name = self._name(f"{entry.id}#{ordinal}")
            looked.records[ordinal] = Problem(name, "The note that it was erased is not genuine.")
        rows: dict[bytes, tuple[str, Place]] = {}
        for ordinal in range(entry.count):
            secret = table.of(ordinal)
            if (secret is None) != (ordinal in erased):
                said = (
                    "Its key is gone, and it was never erased."
                    if secret is None
                    else "It is marked as erased, but its key is there."
                )
                looked.records[ordinal] = Problem(self._name(f"{entry.id}#{ordinal}"), said)
            if secret is None:
                continue
            try:
                key, _, body = reader.raw(ordinal, secret)
            except (DataError, zstandard.ZstdError) as error:
                known = self._confirmed(entry, ordinal, reader.guessed_id(ordinal, secret))
                looked.records[ordinal] = Problem(self._name(known), f"{error} {broken}".strip())
                continue
            mark = self._marker.mark(body, terms_of(reader.terms(ordinal)))
            rows[self._marker.key(key)] = key, Place(entry.id, ordinal, mark)
        self._compare(entry, rows, whole=not looked.records)

    def _confirmed(self, entry: PackEntry, ordinal: int, guess: str) -> str:
        """The id of a damaged record, when the index of ids says that it is this one."""
        places = self._sets.index.find([self._marker.key(guess)]) if guess else {}
        there = any(
            (place.pack, place.ordinal) == (entry.id, ordinal) for some in places.values() for place in some
        )
        return guess if there else f"{entry.id}#{ordinal}"

    def _compare(self, entry: PackEntry, rows: dict[bytes, tuple[str, Place]], *, whole: bool) -> None:
        """The index of ids, against the pack."""
        found = self._sets.index.find(list(rows))
        for key, (record, place) in rows.items():
            if place not in found.get(key, ()):
                name = self._name(record)
                message = f"The index of records and the pack disagree about {name}."
                self._index.append(Damage(self._collection, 0, name, message))
        known = self._counts.get(entry.id, 0)
        if whole and known > len(rows):
            name = f"pack:{self._collection}/{entry.id}"
            message = f"The index knows {known} records of it, which has {len(rows)}."
            self._index.append(Damage(self._collection, 0, name, message))

    def _name(self, record: str) -> str:
        return f"record:{self._collection}/{record}"
