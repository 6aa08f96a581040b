"""A drill: damage each kind of stored object in turn, and see whether ``verify`` finds and locates it.

Only for a store that was made for it: it is damaged on purpose, and put right after each case.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .damage import Damage
from .document import cite
from .stores import DataStores
from .training import record_index, record_keys
from .verify import Anchors

Undo = Callable[[], None]

_STATE = "state.db"
_TABLES = {
    _STATE: (
        *("data_version", "data_head", "data_revision", "data_erased", "data_record_erased"),
        *("data_approval", "data_assent", "data_secret"),
    ),
    record_index.FILE: ("pack", "record"),
    record_keys.FILE: ("record_keys",),
}
"""Tables in which the versions are, and what is kept beside them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Where the damage is."""

    versions: frozenset[tuple[str, int]] = frozenset()
    """Line and number of the versions that are hit; any when empty."""
    names: frozenset[str] = frozenset()
    """Cited names, any of which locates it; any when empty."""

    def met(self, damages: list[Damage]) -> bool:
        return any(
            (not self.versions or (one.collection, one.version) in self.versions)
            and (not self.names or one.document in self.names)
            for one in damages
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One damage that can be done."""

    kind: str
    """Such as ``flipped byte in a pack``."""
    target: str
    expected: Expected
    do: Callable[[], Undo] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    target: str
    found: bool
    located: bool
    damages: tuple[Damage, ...] = ()


class TamperDrill:
    """Damages a store in the ways in which somebody could who can write to its files."""

    def __init__(self, folder: Path, open_stores: Callable[[], DataStores], anchors: Anchors) -> None:
        """``folder``: the data directory; ``open_stores``: reads it anew, without anything in memory."""
        self._folder = folder
        self._open = open_stores
        self._anchors = anchors
        with self._stores() as stores:
            self._holders = _Holders(stores)

    def run(self) -> Iterator[Outcome]:
        cases = list(self.cases())  # first, so that no case is made of what another one left
        with self._stores() as stores:
            for case in cases:
                undo = case.do()
                try:
                    if case.kind.endswith("data_secret"):  # secrets are kept in memory
                        with self._stores() as fresh:
                            damages = fresh.verify(self._anchors)
                    else:
                        damages = stores.verify(self._anchors)
                finally:
                    undo()
                located = case.expected.met(damages)
                yield Outcome(case.kind, case.target, bool(damages), located, tuple(damages[:3]))

    def cases(self) -> Iterator[Case]:
        yield from self._blobs()
        yield from self._versions()
        for file, tables in _TABLES.items():
            for table in tables:
                yield from self._rows(file, table)

    def _blobs(self) -> Iterator[Case]:
        blobs = sorted(path for path in (self._folder / "blobs").glob("??/??/*"))
        last: dict[str, Path] = {}
        for path in blobs:
            holder = self._holders.of.get(path.name)
            if holder is None:  # nothing refers to it: what a killed or overtaken commit leaves
                continue
            size = path.stat().st_size
            for position in sorted({0, size // 4, size // 2, 3 * size // 4, size - 1}):
                expected = holder.at(position)
                name = f"{path.name[:12]} at byte {position}"
                yield Case(f"flipped byte in a {holder.kind}", name, expected, _flipping(path, position))
            yield Case(f"missing {holder.kind}", path.name[:12], holder.whole, _removing(path))
            yield Case(f"shortened {holder.kind}", path.name[:12], holder.whole, _shortening(path))
            if holder.kind in last:
                name = f"{path.name[:12]} and {last[holder.kind].name[:12]}"
                swap = _swapping(path, last[holder.kind])
                yield Case(f"swapped {holder.kind}s", name, holder.whole, swap)
            last[holder.kind] = path

    def _versions(self) -> Iterator[Case]:
        """Two versions that change places, rows and all but the number."""
        for line, number in self._holders.versions:
            if (line, number + 1) not in self._holders.versions:
                continue
            expected = Expected(frozenset({(line, number), (line, number + 1)}))
            yield Case("reordered versions", f"{line}@{number}", expected, self._reordering(line, number))

    def _rows(self, file: str, table: str) -> Iterator[Case]:
        path = self._folder / file
        if not path.exists():
            return
        with closing(sqlite3.connect(path)) as database:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            rows = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608, a name from above
        for row in rows:
            named = dict(zip(columns, row, strict=True))
            expected = self._holders.row(table, named)
            said = f"{table} {row[0] if isinstance(row[0], str | int) else row[0].hex()}"
            yield Case(
                f"dropped row of {table}", said, expected, _Rows(path, table, columns).replacing(row, None)
            )
            for at, column in enumerate(columns):
                changed = (*row[:at], _other(row[at]), *row[at + 1 :])
                do = _Rows(path, table, columns).replacing(row, changed)
                yield Case(f"edited row of {table}", f"{said}: {column}", expected, do)

    def _reordering(self, line: str, number: int) -> Callable[[], Undo]:
        def swap() -> None:
            with closing(sqlite3.connect(self._folder / _STATE)) as database, database:
                for old, new in ((number, -1), (number + 1, number), (-1, number + 1)):
                    database.execute(
                        "UPDATE data_version SET version = ? WHERE collection = ? AND version = ?",
                        (new, line, old),
                    )

        def do() -> Undo:
            swap()
            return swap

        return do

    @contextmanager
    def _stores(self) -> Iterator[DataStores]:
        stores = self._open()
        try:
            yield stores
        finally:
            stores.close()


@dataclass(frozen=True, slots=True)
class _Holder:
    """What a blob is, and whose."""

    kind: str
    whole: Expected
    spans: tuple[tuple[int, int, Expected], ...] = ()

    def at(self, position: int) -> Expected:
        return next((one for start, end, one in self.spans if start <= position < end), self.whole)


class _Holders:
    """Blobs and rows of a sound store, with where damage to them has to be reported."""

    def __init__(self, stores: DataStores) -> None:
        self.of: dict[str, _Holder] = {}
        self.versions: set[tuple[str, int]] = set()
        self._held: dict[tuple[str, str], set[tuple[str, int]]] = {}
        self._names: dict[str, str] = {}
        self._in_pack: dict[str, set[str]] = {}
        self._stores = stores
        for collection in stores.vault.collections():
            for version in stores.vault.lines.every(collection):
                self._manifest(version.collection, version.number, version.manifest)
                tree = stores.vault.lines.tree(version)
                for shard in tree.shards:
                    self._hold("part of a manifest", shard.blob, version.collection, version.number)
                for entry in tree:
                    name = cite(collection, entry.id, entry.revision)
                    self._hold("document", entry.blob, version.collection, version.number)
                    self._names[entry.blob] = name
        for collection in {line.partition("~")[0] for line in stores.training.versions.lines()}:
            for version in stores.training.lines.every(collection):
                self._manifest(version.collection, version.number, version.manifest)
                packs = stores.training.lines.tree(version)
                for shard in packs.shards:
                    self._hold("part of a manifest", shard.blob, version.collection, version.number)
                for pack in packs:
                    self._hold("pack", pack.blob, version.collection, version.number)
        self._finish()

    def row(self, table: str, row: dict[str, Any]) -> Expected:
        """Where damage to a row of a database has to be reported."""
        if table in ("data_version", "data_approval", "data_assent"):
            return Expected(frozenset({(row["collection"], row["version"])}))
        if table == "data_head":
            return Expected(
                frozenset((row["collection"], n) for n in (0, row["version"], row["version"] + 1))
            )
        if table == "data_revision":
            return Expected(names=frozenset({cite(row["collection"], row["document"], row["revision"])}))
        if table == "data_erased":
            collection, _, document = row["name"].partition("/")
            cited = {name for name in self._names.values() if name.startswith(f"document:{row['name']}@")}
            return Expected(names=frozenset({row["name"], f"{collection}/{document}x", *cited}))
        if table == "data_record_erased":
            return Expected(names=frozenset(self._in_pack.get(row["pack"], ())))
        if table == "record_keys":
            return Expected(names=frozenset(self._in_pack.get(row["pack"], ())))
        return Expected()

    def _manifest(self, line: str, number: int, blob: str) -> None:
        self.versions.add((line, number))
        self._hold("manifest", blob, line, number)

    def _hold(self, kind: str, blob: str, line: str, number: int) -> None:
        self._held.setdefault((kind, blob), set()).add((line, number))

    def _finish(self) -> None:
        packs = {
            entry.blob: (collection, entry)
            for collection in {line.partition("~")[0] for line in self._stores.training.versions.lines()}
            for entry in self._stores.training.ever(collection)
        }
        for (kind, blob), versions in self._held.items():
            where = frozenset(versions)
            if kind == "document":
                self.of[blob] = _Holder(kind, Expected(where, frozenset({self._names[blob]})))
            elif kind == "pack":
                self.of[blob] = self._pack(where, *packs[blob])
            else:
                self.of[blob] = _Holder(kind, Expected(where))

    def _pack(self, where: frozenset[tuple[str, int]], collection: str, entry: Any) -> _Holder:
        packs = self._stores.training.packs
        reader = packs.open(collection, entry)
        spans = []
        names = {f"pack:{collection}/{entry.id}"}
        for ordinal, key, _ in packs.ids(collection, entry, range(entry.count)):
            # A flip in the id itself leaves the record's number in the pack.
            own = {f"record:{collection}/{key}", f"record:{collection}/{entry.id}#{ordinal}"}
            spans.append((*reader.span(ordinal), Expected(where, frozenset(own))))
            names |= own
        self._in_pack[entry.id] = names | {
            f"record:{collection}/{entry.id}#{ordinal}" for ordinal in range(entry.count)
        }
        return _Holder("pack", Expected(where, frozenset(names)), tuple(spans))


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table, changed as somebody would who has the file."""

    path: Path
    table: str
    columns: list[str]

    def replacing(self, old: tuple[Any, ...], new: tuple[Any, ...] | None) -> Callable[[], Undo]:
        def do() -> Undo:
            self._replace(old, new)
            return lambda: self._replace(new, old)

        return do

    def _replace(self, old: tuple[Any, ...] | None, new: tuple[Any, ...] | None) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            if old is not None:
                where = " AND ".join(f"{column} IS ?" for column in self.columns)
                database.execute(f"DELETE FROM {self.table} WHERE {where}", old)  # noqa: S608
            if new is not None:
                marks = ", ".join("?" * len(new))
                database.execute(f"INSERT OR REPLACE INTO {self.table} VALUES ({marks})", new)  # noqa: S608


def _other(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return value + 1000 if isinstance(value, int) else value + "x"


def _writing(path: Path, damaged: Callable[[bytes], bytes]) -> Callable[[], Undo]:
    def do() -> Undo:
        sound = path.read_bytes()
        _write(path, damaged(sound))
        return lambda: _write(path, sound)

    return do


def _flipping(path: Path, position: int) -> Callable[[], Undo]:
    return _writing(
        path, lambda sound: sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :]
    )


def _shortening(path: Path) -> Callable[[], Undo]:
    return _writing(path, lambda sound: sound[: len(sound) // 2])


def _removing(path: Path) -> Callable[[], Undo]:
    def do() -> Undo:
        sound = path.read_bytes()
        path.unlink()
        return lambda: _write(path, sound)

    return do


def _swapping(one: Path, other: Path) -> Callable[[], Undo]:
    def do() -> Undo:
        first, second = one.read_bytes(), other.read_bytes()
        _write(one, second)
        _write(other, first)

        def undo() -> None:
            _write(one, first)
            _write(other, second)

        return undo

    return do


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(data)
