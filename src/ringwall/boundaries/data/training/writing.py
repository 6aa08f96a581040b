"""Records on their way into packs: a stream of any length, in constant memory.

The thread of the caller encodes and seals; a second one stores packs and keys, so that waiting for the disk
costs nothing. Nothing of it is part of a version until the caller commits.
"""

import os
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ringwall.core import DataError
from ringwall.storage.blobs import BlobStore

from ..keys import Sealer
from ..records.record import Record, Source
from ..tree import Tree
from .entry import PackEntry
from .pack import MOST_BYTES, MOST_RECORDS, PackWriter, body_of, source_hash
from .record_index import Pending, Place, RecordIndex, terms_of
from .record_keys import SECRET, RecordKeys

_WAITING = 2

Places: TypeAlias = dict[str, set[int]]
"""Ordinals by pack."""


@dataclass(slots=True)
class Written:
    """What became of a stream of records."""

    packs: list[PackEntry] = field(default_factory=list)
    superseded: Places = field(default_factory=dict)
    """Records of the version that the new ones take the place of."""
    added: int = 0
    changed: int = 0
    unchanged: int = 0


class _Item(NamedTuple):
    record: Record
    body: bytes
    key: bytes
    mark: bytes
    source: bytes
    """Hash of what the source has in common with others."""


class RecordWriter:
    """Writes one stream of records. Use once."""

    def __init__(
        self,
        collection: str,
        tree: Tree[PackEntry],
        blobs: BlobStore,
        envelope: Sealer,
        keys: RecordKeys,
        index: RecordIndex,
    ) -> None:
        """``tree``: what the version holds that the records are added to."""
        self._collection = collection
        self._tree = tree
        self._blobs = blobs
        self._envelope = envelope
        self._keys = keys
        self._index = index
        self._marker = index.marker(collection)
        self._pending = Pending(index)
        self._own: set[str] = set()
        self._written = Written()
        last = tree.last()
        self._at = max(time.time_ns() // 1000, last.at + 1 if last else 0)
        self._pack: PackWriter | None = None
        self._secrets = b""
        self._said: dict[str, set[str]] = {"contributors": set(), "contributions": set(), "tenants": set()}
        self._source = Source()
        self._terms = terms_of(self._source)
        self._hash = source_hash(self._source)
        self._stored: deque[Future[PackEntry]] = deque()

    def write(self, records: Iterable[Record]) -> Written:
        """Store records that the version does not hold as they are. DataError for a record that can't be
        stored, or an id that is given twice with different content."""
        with ThreadPoolExecutor(1, "packs") as self._pool:
            batch: list[_Item] = []
            size = 0
            for record in records:
                item = self._item(record)
                batch.append(item)
                size += len(item.body)
                if len(batch) >= MOST_RECORDS or size >= MOST_BYTES:
                    self._take(batch)
                    batch, size = [], 0
            self._take(batch)
            self._close_pack()
            self._drain(0)
        self._pending.flush()
        return self._written

    def _item(self, record: Record) -> _Item:
        self._about(record.source)
        body = body_of(record)
        marker = self._marker
        return _Item(record, body, marker.key(record.id), marker.mark(body, self._terms), self._hash)

    def _about(self, source: Source) -> None:
        """Hashes of a source, made again only when it differs in more than the place."""
        known = self._source
        if source is known:
            return
        self._source = source
        if (
            source.contribution != known.contribution
            or source.origin != known.origin
            or source.contributor != known.contributor
            or source.tenant != known.tenant
            or source.process != known.process
            or source.at != known.at
            or source.licence != known.licence
            or source.consent != known.consent
            or source.signer != known.signer
        ):
            self._terms = terms_of(source)
            self._hash = source_hash(source)

    def _take(self, batch: list[_Item]) -> None:
        new = not self._tree.shards and not self._pending.flushed
        found = {} if new or not batch else self._index.find([item.key for item in batch])
        for item in batch:
            now = self._pending.get(item.key) or next(
                (place for place in found.get(item.key, ()) if place.pack in self._own), None
            )
            if now:
                self._twice(item, now)
                continue
            held = [place for place in found.get(item.key, ()) if is_live(self._tree, place)]
            if any(place.mark == item.mark for place in held):
                self._written.unchanged += 1
                continue
            for place in held:
                check_tenant(self._tree, place, item.record.source.tenant, item.record.id)
                self._written.superseded.setdefault(place.pack, set()).add(place.ordinal)
            self._written.changed += bool(held)
            self._written.added += not held
            self._put(item)

    def _twice(self, item: _Item, now: Place) -> None:
        if now.mark != item.mark:
            raise DataError(
                f"Record id {item.record.id[:128]!r} is given twice with different content: give each record "
                "an id of its own."
            )
        self._written.unchanged += 1

    def _put(self, item: _Item) -> None:
        pack = self._pack or self._new_pack()
        self._pending.put(item.key, pack.pack, len(pack), item.mark)
        pack.add(item.record, item.body, item.source)
        self._said["contributors"].add(item.record.source.contributor)
        self._said["contributions"].add(item.record.source.contribution)
        self._said["tenants"].add(item.record.source.tenant)
        if pack.full:
            self._close_pack()

    def _new_pack(self) -> PackWriter:
        name = f"{self._at:014x}{len(self._own):06x}{os.urandom(4).hex()}"
        self._own.add(name)
        self._secrets = self._keys.make(MOST_RECORDS)
        self._pack = PackWriter(name, self._secrets)
        return self._pack

    def _close_pack(self) -> None:
        pack = self._pack
        if pack is None:
            return
        said = {name: tuple(sorted(one for one in values if one)) for name, values in self._said.items()}
        for values in self._said.values():
            values.clear()
        self._drain(_WAITING)
        self._stored.append(self._pool.submit(self._store, pack, self._secrets, **said))
        self._pack = None

    def _store(
        self,
        pack: PackWriter,
        secrets: bytes,
        contributors: tuple[str, ...],
        contributions: tuple[str, ...],
        tenants: tuple[str, ...],
    ) -> PackEntry:
        self._keys.store(self._collection, [(pack.pack, secrets[: len(pack) * SECRET])])
        sealed = pack.sealed(self._collection, self._envelope)
        blob = self._blobs.put(sealed.blob)
        said = (contributors, contributions, self._at)
        return PackEntry(pack.pack, blob, len(pack), sealed.root, *said, tenants=tenants)

    def _drain(self, left: int) -> None:
        while len(self._stored) > left:
            self._written.packs.append(self._stored.popleft().result())


def is_live(tree: Tree[PackEntry], place: Place) -> bool:
    """Whether a version holds the record at a place."""
    entry = tree.find(place.pack)
    return entry is not None and place.ordinal not in entry.dropped


def check_tenant(tree: Tree[PackEntry], place: Place, tenant: str, record: str) -> None:
    """DataError when a record that is about to be replaced is another tenant's."""
    entry = tree.find(place.pack)
    if entry is not None and tenant and entry.tenants and tenant not in entry.tenants:
        raise DataError(f"The id {record[:128]!r} is taken by another tenant's record: choose another.")
