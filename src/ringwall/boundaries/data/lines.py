"""Versions with what they hold: manifests of either kind of collection, written and read."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar

import orjson

from ringwall.core import DataError
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database

from .document import canonical
from .keys import Sealer
from .names import base
from .tree import Entry, Read, Shard, Shards, Tree
from .versions import BY_HAND, Kind, Version, Versions, Whence, branch_line, is_branch

E = TypeVar("E", bound=Entry)
_CACHED = 64


Apply: TypeAlias = Callable[[], None]
"""Writes to the database in the transaction that makes a version; raises, and there is none."""


def nothing() -> None:
    """Beside the version, nothing is written."""


class Lines(Generic[E]):
    """The lines of one kind of collection, with their trees. Thread-safe."""

    def __init__(self, db: Database, blobs: BlobStore, envelope: Sealer, kind: Kind, read: Read[E]) -> None:
        self.versions = Versions(db, kind)
        self._blobs = blobs
        self._envelope = envelope
        self._shards = Shards(blobs, envelope, read)
        self._known: OrderedDict[str, Tree[E]] = OrderedDict()
        self._lock = Lock()

    def empty(self, line: str) -> Tree[E]:
        return Tree(self._shards, base(line))

    def head(self, line: str) -> tuple[Version | None, Tree[E]]:
        """The current version and what it holds."""
        found = self.versions.head(line)
        return found, self.tree(found) if found else self.empty(line)

    def pick(self, line: str, number: int | None) -> tuple[Version | None, Tree[E]]:
        """A version (default: the current one). DataError when there is no such version."""
        if number is None:
            return self.head(line)
        found = self.versions.get(line, number)
        return found, self.tree(found)

    def tree(self, version: Version) -> Tree[E]:
        """What a version holds. DataError when its manifest is missing, damaged or another one."""
        with self._lock:
            known = self._known.get(version.chain)
        return known or self._opened(version)

    def forget(self) -> None:
        """Read everything from the store again."""
        with self._lock:
            self._known.clear()
        self._shards.forget()

    def commit(
        self,
        line: str,
        head: Version | None,
        tree: Tree[E],
        author: str,
        note: str,
        *,
        apply: Apply = nothing,
        whence: Whence = BY_HAND,
    ) -> Version | None:
        """Publish the next version of a line. None when another commit was faster: plan again.

        ``apply`` writes to the database in the same transaction.
        """
        if is_branch(line) and head is None and whence.fork is None:
            raise DataError(f"There is no branch {line}: make it first (ringwall data branch).")
        number = head.number + 1 if head else 1
        blob = self._blobs.put(
            self._envelope.seal(
                f"collection:{base(line)}",
                canonical(
                    {
                        "collection": line,
                        "version": number,
                        "shards": [asdict(shard) for shard in tree.shards],
                    }
                ),
                _place(line, number),
            )
        )
        version = self.versions.draft(line, head, tree.root, blob, author, note, whence)
        if not self.versions.publish(version, head, apply):
            return None
        self._keep(version, tree)
        return version

    def branch(self, collection: str, name: str, fork: Version, tree: Tree[E], author: str) -> Version:
        """A new line that begins with ``tree``, which is what ``fork`` holds. DataError when it is there
        already."""
        line = branch_line(collection, name)
        made = None
        if self.versions.head(line) is None:
            made = self.commit(line, None, tree, author, f"forked from {fork.name}", whence=Whence(fork))
        if made is None:
            raise DataError(f"There is a branch {line} already.")
        return made

    def merge_base(self, branch: str) -> Version:
        """The version that branch and collection last had in common. DataError for what is no branch."""
        first = self.versions.get(branch, 1) if is_branch(branch) else None
        if first is None:
            raise DataError(f"{branch} is no branch: name one as COLLECTION~BRANCH.")
        merged = [
            version.merged
            for version in self.versions.all(base(branch))
            if version.merged.rpartition("@")[0] == branch
        ]
        return self.versions.named(merged[-1] if merged else first.forked)

    def every(self, collection: str) -> Iterator[Version]:
        """All versions of a collection and of its branches."""
        for line in (collection, *self.versions.branches(collection)):
            yield from self.versions.all(line)

    def ever(self, collection: str) -> Iterator[E]:
        """Every entry of every version of a collection and its branches; shared shards are read once, so an
        entry may come again only where a shard was rewritten."""
        seen: set[str] = set()
        for version in self.every(collection):
            tree = self.tree(version)
            fresh = tuple(shard for shard in tree.shards if shard.blob not in seen)
            seen.update(shard.blob for shard in fresh)
            yield from Tree(self._shards, tree.collection, fresh)

    def _opened(self, version: Version) -> Tree[E]:
        line, number = version.collection, version.number
        where = f"The manifest of {line} version {number}"
        owner = f"collection:{base(line)}"
        try:
            raw = self._envelope.open(owner, self._blobs.get(version.manifest), _place(line, number))
            given: dict[str, Any] = orjson.loads(raw)
            shards = tuple(Shard(**shard) for shard in given["shards"])
        except DataError as error:
            raise DataError(f"{where} can't be read: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{where} is malformed.") from error
        tree = Tree(self._shards, base(line), shards)
        if tree.root != version.root or (given["collection"], given["version"]) != (line, number):
            raise DataError(f"{where} is not the one that was committed: its root differs.")
        self._keep(version, tree)
        return tree

    def _keep(self, version: Version, tree: Tree[E]) -> None:
        with self._lock:
            self._known[version.chain] = tree
            while len(self._known) > _CACHED:
                self._known.popitem(last=False)


def _place(line: str, number: int) -> bytes:
    return f"manifest:{line}@{number}".encode()
