"""What a version holds, as a list in shards that versions share.

Entries are kept in the order of their ids, some 128 to a shard. A shard is a sealed blob; a manifest is the
sealed list of shards. A commit writes the shards that it changes and one list, so it costs in proportion to
the change and to a 128th of the collection. Roots are RFC 9162: over the entries of a shard, and over the
shards of a manifest.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import orjson
import zstandard

from ringwall.core import DataError
from ringwall.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from ringwall.storage.blobs import BlobStore

from .document import canonical
from .keys import Sealer

_FULL = 256
_CACHED = 1024


class Entry(Protocol):
    """Something that a version holds."""

    @property
    def id(self) -> str: ...

    def line(self) -> dict[str, Any]:
        """JSON values, from which it can be made again."""
        ...


E = TypeVar("E", bound=Entry)
Read = Callable[[dict[str, Any]], E]


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive entries."""

    first: str
    """Id of the first one."""
    count: int
    root: str
    blob: str
    """SHA-256 of the sealed bytes."""


class Shards(Generic[E]):
    """Writes and reads shards; the last ones used are kept in memory. Thread-safe."""

    def __init__(self, blobs: BlobStore, envelope: Sealer, read: Read[E]) -> None:
        self._blobs = blobs
        self._envelope = envelope
        self._read = read
        self._known: OrderedDict[str, tuple[E, ...]] = OrderedDict()
        self._lock = Lock()

    def write(self, collection: str, entries: tuple[E, ...]) -> Shard:
        raw = zstandard.compress(canonical([entry.line() for entry in entries]), 3)
        blob = self._blobs.put(self._envelope.seal(_owner(collection), raw, _place(collection)))
        self._keep(blob, entries)
        return Shard(entries[0].id, len(entries), entries_root(entries), blob)

    def load(self, collection: str, shard: Shard) -> tuple[E, ...]:
        """Verified against its root. DataError when it is missing, damaged or another one."""
        with self._lock:
            known = self._known.get(shard.blob)
            if known is not None:
                self._known.move_to_end(shard.blob)
                return known
        raw = self._envelope.open(_owner(collection), self._blobs.get(shard.blob), _place(collection))
        try:
            entries = tuple(self._read(line) for line in orjson.loads(zstandard.decompress(raw)))
        except (ValueError, KeyError, TypeError, zstandard.ZstdError) as error:
            raise DataError(f"Blob {shard.blob} is no part of a manifest.") from error
        if not entries or entries_root(entries) != shard.root or entries[0].id != shard.first:
            raise DataError(f"Blob {shard.blob} is not the part of the manifest that was committed.")
        if len(entries) != shard.count or not _ordered(entry.id for entry in entries):
            raise DataError(f"Blob {shard.blob}, a part of a manifest, is reordered.")
        self._keep(shard.blob, entries)
        return entries

    def forget(self) -> None:
        """Read everything from the store again."""
        with self._lock:
            self._known.clear()

    def _keep(self, blob: str, entries: tuple[E, ...]) -> None:
        with self._lock:
            self._known[blob] = entries
            while len(self._known) > _CACHED:
                self._known.popitem(last=False)


class Tree(Generic[E]):
    """The entries of one version. Immutable; shards are read when they are needed."""

    __slots__ = ("_store", "collection", "shards")

    def __init__(self, store: Shards[E], collection: str, shards: tuple[Shard, ...] = ()) -> None:
        self._store = store
        self.collection = collection
        self.shards = shards

    def __len__(self) -> int:
        return sum(shard.count for shard in self.shards)

    def __iter__(self) -> Iterator[E]:
        for shard in self.shards:
            yield from self._store.load(self.collection, shard)

    def part(self, shard: Shard) -> tuple[E, ...]:
        """The entries of one of its shards. DataError when it is missing or damaged."""
        return self._store.load(self.collection, shard)

    def find(self, key: str) -> E | None:
        at = bisect_right(self.shards, key, key=lambda shard: shard.first) - 1
        if at < 0:
            return None
        entries = self._store.load(self.collection, self.shards[at])
        found = bisect_right(entries, key, key=lambda entry: entry.id) - 1
        return entries[found] if entries[found].id == key else None

    def last(self) -> E | None:
        return self._store.load(self.collection, self.shards[-1])[-1] if self.shards else None

    @property
    def root(self) -> str:
        """RFC 9162 Merkle root over the shards, hexadecimal."""
        return merkle({"first": one.first, "count": one.count, "root": one.root} for one in self.shards)

    def changed(self, put: Iterable[E], gone: Iterable[str] = ()) -> "Tree[E]":
        """The tree with entries put in or replaced and others taken out; only touched shards are written."""
        changes: dict[str, E | None] = {**dict.fromkeys(gone), **{entry.id: entry for entry in put}}
        if not changes:
            return self
        firsts = [shard.first for shard in self.shards]

        def home(key: str) -> int:
            return max(bisect_right(firsts, key) - 1, 0)

        shards: list[Shard] = []
        copied = 0
        for at, keys in groupby(sorted(changes), home):
            shards.extend(self.shards[copied:at])
            before = self._store.load(self.collection, self.shards[at]) if self.shards else ()
            shards.extend(self._rewritten(before, {key: changes[key] for key in keys}))
            copied = at + 1
        shards.extend(self.shards[copied:])
        return Tree(self._store, self.collection, tuple(shards))

    def differences(self, other: "Tree[E]") -> Iterator[tuple[E | None, E | None]]:
        """Entries here and there where they differ, in the order of ids; shards that are shared are not
        read."""
        shared = {shard.blob for shard in self.shards} & {shard.blob for shard in other.shards}
        here, there = self._unshared(shared), other._unshared(shared)
        for key in sorted({*here, *there}):
            old, new = here.get(key), there.get(key)
            if old != new:
                yield old, new

    def _unshared(self, shared: set[str]) -> dict[str, E]:
        return {
            entry.id: entry
            for shard in self.shards
            if shard.blob not in shared
            for entry in self._store.load(self.collection, shard)
        }

    def _rewritten(self, before: tuple[E, ...], changes: Mapping[str, E | None]) -> list[Shard]:
        merged: dict[str, E | None] = {**{entry.id: entry for entry in before}, **changes}
        left = [entry for key in sorted(merged) if (entry := merged[key]) is not None]
        pieces = -(-len(left) // _FULL)
        size = -(-len(left) // pieces) if pieces else 0
        cuts = [tuple(left[start : start + size]) for start in range(0, len(left), size or 1)]
        return [self._store.write(self.collection, piece) for piece in cuts]


def entries_root(entries: Iterable[Entry]) -> str:
    """RFC 9162 Merkle root over entries, hexadecimal."""
    return merkle(entry.line() for entry in entries)


def merkle(lines: Iterable[dict[str, Any]]) -> str:
    tree = Frontier()
    for line in lines:
        tree.append(leaf_hash(canonical(line)))
    return tree.root().hex() if tree.size else EMPTY_ROOT.hex()


def _ordered(ids: Iterable[str]) -> bool:
    last = ""
    for one in ids:
        if one <= last:
            return False
        last = one
    return True


def _owner(collection: str) -> str:
    return f"collection:{collection}"


def _place(collection: str) -> bytes:
    return f"manifest part:{collection}".encode()
