"""Lines of versions: what documents and training sets have in common.

A *line* is a collection (``handbook``) or a branch of one (``handbook~tidy``). Its versions are numbered
from 1 without gaps; each is a row whose ``chain`` hash binds number, time, author, note, Merkle root and
manifest to the version before. The first version of a branch is bound to the chain of the version that it
was forked from. The chain's head goes on the ledger, so whoever rewrites the database has to rewrite the
ledger as well.

Blobs are on the disk before the one transaction that makes a version current, so a killed process leaves
either the old version or the new one, and at worst blobs that nothing refers to.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from ringwall.core import DataError, new_id
from ringwall.storage.database import Database, Row

from .document import canonical
from .names import base
from .retention import STEP, lock_end

Kind: TypeAlias = Literal["index", "training"]

ATTEMPTS = 20
"""How often a commit is planned anew because another one was faster."""

_STEPS = [
    """
    CREATE TABLE data_version (
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        note TEXT NOT NULL,
        root TEXT NOT NULL,
        manifest TEXT NOT NULL,
        chain TEXT NOT NULL,
        PRIMARY KEY (collection, version)
    ) STRICT;
    CREATE TABLE data_head (
        collection TEXT PRIMARY KEY, version INTEGER NOT NULL, chain TEXT NOT NULL
    ) STRICT;
    CREATE TABLE data_erased (owner TEXT PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    """,
    """
    ALTER TABLE data_version ADD COLUMN kind TEXT NOT NULL DEFAULT 'index';
    ALTER TABLE data_version ADD COLUMN forked TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_version ADD COLUMN merged TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_erased ADD COLUMN mark TEXT NOT NULL DEFAULT '';
    """,
    STEP,
    "ALTER TABLE data_version ADD COLUMN released TEXT NOT NULL DEFAULT '';",
]
_COLUMNS = (
    *("collection", "version", "at", "author", "note", "root", "manifest", "chain"),
    *("kind", "forked", "merged", "locked", "released"),
)
_BRANCH = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}\Z")
_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a line, as the database has it."""

    collection: str
    """The line: a collection, or ``COLLECTION~BRANCH``."""
    number: int
    """1, 2, 3… without gaps."""
    at: int
    """Microseconds since the epoch, UTC."""
    author: str
    note: str
    root: str
    """Merkle root of the manifest."""
    manifest: str
    """Blob of the sealed manifest."""
    chain: str
    """SHA-256 over this version and the chain of the one before."""
    kind: Kind = "index"
    forked: str = ""
    """``LINE@NUMBER`` that the first version of a branch was forked from."""
    merged: str = ""
    """``LINE@NUMBER`` that was merged into this version."""
    locked: int = 0
    """Until when what it brought can't be erased, in microseconds since the epoch; 0: it is not locked."""
    released: str = ""
    """What it stored out of quarantine: then its author is not who brought it, but the second person."""

    @property
    def name(self) -> str:
        """``LINE@NUMBER``."""
        return f"{self.collection}@{self.number}"

    def event(self, name: str = "data.version", /, **facts: Any) -> dict[str, Any]:
        """For the ledger: names, numbers and hashes. ``facts`` hold nothing that a person wrote."""
        return {
            "id": new_id("dat"),
            "type": name,
            "at": self.at,
            "boundary": "data",
            "collection": self.collection,
            "version": self.number,
            "root": self.root,
            "chain": self.chain,
            "subject": self.author,
            **facts,
        }


@dataclass(frozen=True, slots=True)
class Whence:
    """How a version came to be, when not by a change made by hand."""

    fork: Version | None = None
    """The version that a new branch begins with."""
    merged: str = ""
    """``LINE@NUMBER`` that was merged into it."""
    released: str = ""
    """What it stores out of quarantine."""


BY_HAND = Whence()


Announce: TypeAlias = Callable[[Version], None]
"""Puts on the ledger that a version is about to be made; returns when it is there, raises, and none is."""


class OvertakenError(Exception):
    """Raised inside a publication: another commit was faster."""


class Versions:
    """The lines of one kind of collection. Thread-safe; several processes may share the database."""

    def __init__(self, db: Database, kind: Kind) -> None:
        self._db = db
        self.kind = kind
        self.announce: Announce | None = None
        """Told of each version before it is made."""
        db.migrate("data_vault", _STEPS)

    def head(self, line: str) -> Version | None:
        """The current version. DataError when the collection is of the other kind."""
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? ORDER BY version DESC LIMIT 1", line
        )
        found = _as_version(row) if row else None
        if found and found.kind != self.kind:
            raise DataError(
                f"Collection {line} is a {_WORDS.get(found.kind, 'thing of unknown kind')}, not a "
                f"{_WORDS[self.kind]}: use another name."
            )
        return found

    def all(self, line: str) -> list[Version]:
        """All versions of a line, oldest first."""
        rows = self._db.all(
            "SELECT * FROM data_version WHERE collection = ? AND kind = ? ORDER BY version", line, self.kind
        )
        return [_as_version(row) for row in rows]

    def whatever(self, line: str) -> list[Version]:
        """All versions of a line as the database has them, of whatever kind."""
        rows = self._db.all("SELECT * FROM data_version WHERE collection = ? ORDER BY version", line)
        return [_as_version(row) for row in rows]

    def at(self, line: str, when: int) -> Version | None:
        """The version that was current at a time (microseconds since the epoch); None before the first."""
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? AND kind = ? AND at <= ? "
            "ORDER BY version DESC LIMIT 1",
            *(line, self.kind, when),
        )
        return _as_version(row) if row else None

    def get(self, line: str, number: int) -> Version:
        """DataError when there is no such version."""
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? AND kind = ? AND version = ?",
            *(line, self.kind, number),
        )
        if row is None:
            raise DataError(f"Collection {line} has no version {number}.")
        return _as_version(row)

    def named(self, name: str) -> Version:
        """The version that ``LINE@NUMBER`` names."""
        line, _, number = name.rpartition("@")
        return self.get(line, int(number))

    def find(self, line: str, asked: str) -> Version:
        """The version that a person asks for: a number, or a time (ISO 8601; without a zone: UTC) at which it
        was current. DataError when there is none."""
        if asked.isdecimal() and len(asked) < 10:
            return self.get(line, int(asked))
        try:
            when = datetime.fromisoformat(asked)
        except ValueError:
            raise DataError(
                f"{asked[:40]!r} is neither the number of a version nor a time such as 2026-05-01T12:00."
            ) from None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        found = self.at(line, int(when.timestamp() * 1_000_000))
        if found is None:
            raise DataError(f"Collection {line} had no version at {asked}.")
        return found

    def lines(self) -> list[str]:
        """Collections of this kind and their branches, in order."""
        rows = self._db.all(
            "SELECT DISTINCT collection FROM data_version WHERE kind = ? ORDER BY 1", self.kind
        )
        return [row["collection"] for row in rows]

    def branches(self, collection: str) -> list[str]:
        """Lines that branch off a collection."""
        return [line for line in self.lines() if base(line) == collection and line != collection]

    def every_line(self) -> list[str]:
        """Lines of either kind, and those of which nothing but the head is left."""
        rows = self._db.all(
            "SELECT collection FROM data_version UNION SELECT collection FROM data_head ORDER BY 1"
        )
        return [row["collection"] for row in rows]

    def heads(self) -> dict[str, tuple[int, str]]:
        """Number and chain of each line's head, as noted beside the versions."""
        rows = self._db.all("SELECT * FROM data_head")
        return {row["collection"]: (row["version"], row["chain"]) for row in rows}

    def draft(
        self,
        line: str,
        head: Version | None,
        root: str,
        manifest: str,
        author: str,
        note: str,
        whence: Whence = BY_HAND,
    ) -> Version:
        """The next version of a line, chained to ``head``; of a new branch, to the version it forks from."""
        before = head or whence.fork
        at = max(time.time_ns() // 1000, before.at + 1 if before else 0)
        number = head.number + 1 if head else 1
        forked = whence.fork.name if whence.fork else ""
        locked = lock_end(self._db, base(line), at)
        facts = (self.kind, forked, whence.merged, locked, whence.released)
        made = Version(line, number, at, author, note, root, manifest, "", *facts)
        return replace(made, chain=chain(made, before.chain if before else ""))

    def publish(self, version: Version, head: Version | None, apply: Callable[[], None]) -> bool:
        """The one moment in which a version comes to be, with what ``apply`` writes. False when another
        commit was faster. It was announced before: a process that is killed here leaves no version that the
        ledger can't vouch for."""
        if self.announce:
            self.announce(version)
        try:
            with self._db.transaction():
                self._insert(version, head)
                apply()
        except OvertakenError:
            return False
        return True

    def _insert(self, version: Version, head: Version | None) -> None:
        now = self.head(version.collection)
        if (now.chain if now else "") != (head.chain if head else ""):
            raise OvertakenError
        self._db.write(
            "INSERT INTO data_version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(version.collection, version.number, version.at, version.author, version.note),
            *(version.root, version.manifest, version.chain),
            *(version.kind, version.forked, version.merged, version.locked, version.released),
        )
        self._db.write(
            "INSERT OR REPLACE INTO data_head VALUES (?, ?, ?)",
            *(version.collection, version.number, version.chain),
        )


def chain(version: Version, previous: str) -> str:
    """The hash that binds a version to the one before."""
    bound = {
        "collection": version.collection,
        "version": version.number,
        "at": version.at,
        "author": version.author,
        "note": version.note,
        "root": version.root,
        "manifest": version.manifest,
        "previous": previous,
    }
    if version.kind != "index":
        bound["kind"] = version.kind
    if version.forked:
        bound["forked"] = version.forked
    if version.merged:
        bound["merged"] = version.merged
    if version.locked:
        bound["locked"] = version.locked
    if version.released:
        bound["released"] = version.released
    return hashlib.sha256(b"ringwall data version" + canonical(bound)).hexdigest()


def is_branch(line: str) -> bool:
    return _BETWEEN in line


def branch_line(collection: str, name: str) -> str:
    """The line of a branch. DataError for a name that can't be one."""
    if is_branch(collection):
        raise DataError(f"{collection} is a branch already: fork from the collection itself.")
    if not _BRANCH.match(name):
        raise DataError("A branch's name has at most 64 of a-z, 0-9, '_', '-'.")
    return f"{collection}{_BETWEEN}{name}"


_WORDS = {"index": "collection of documents", "training": "training set"}


def _as_version(row: Row) -> Version:
    return Version(*(row[name] for name in _COLUMNS))
