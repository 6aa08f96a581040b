"""Which upload was contributed to which collection, and what became of it."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import orjson

from ringwall.core import DataError, Principal
from ringwall.storage.database import Database, Row

from ..document import canonical
from ..keys import Sealer

Attributes: TypeAlias = Mapping[str, str | float | bool]
_STEPS = [
    """
    CREATE TABLE data_attached (
        collection TEXT NOT NULL,
        file TEXT NOT NULL,
        tenant TEXT NOT NULL,
        subject TEXT NOT NULL,
        document TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        at INTEGER NOT NULL,
        done INTEGER NOT NULL,
        state TEXT NOT NULL,
        held TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (collection, file)
    ) STRICT;
    CREATE INDEX data_attached_document ON data_attached (collection, document);
    CREATE TABLE data_batch (
        id TEXT PRIMARY KEY,
        collection TEXT NOT NULL,
        tenant TEXT NOT NULL,
        subject TEXT NOT NULL,
        at INTEGER NOT NULL,
        cancelled INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE data_batch_file (
        batch TEXT NOT NULL REFERENCES data_batch ON DELETE CASCADE,
        file TEXT NOT NULL,
        PRIMARY KEY (batch, file)
    ) STRICT, WITHOUT ROWID;
    """
]


class State(StrEnum):
    """What became of a contribution."""

    WAITING = "waiting"
    STORED = "stored"
    HELD = "held"
    """Quarantined; what the quarantine says of it counts."""
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Attached:
    """One upload in one collection."""

    collection: str
    file: str
    owner: tuple[str, str]
    """Tenant and subject of whoever attached it."""
    document: str
    """Id of the document that it became, or would become."""
    bytes: int
    at: int
    """When it was attached, in microseconds since the epoch; ``done``: when it was decided."""
    done: int
    state: State
    held: str
    name: str
    """The file's name."""
    attributes: Attributes
    why: str
    """Why it is not stored, for its owner."""


@dataclass(frozen=True, slots=True)
class Batch:
    id: str
    collection: str
    at: int
    cancelled: bool
    files: tuple[str, ...]


class Attachments:
    """Thread-safe. Names, attributes and reasons are sealed under the key of whoever attached the file."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("data_attached", _STEPS)

    def put(self, attached: Attached) -> None:
        """Note it, over what was known of this file in this collection. DataError when somebody else attached
        a file of this id there."""
        sealed = self._envelope.seal(_key(attached.owner), canonical(_told(attached)), _place(attached))
        changed = self._db.write(
            "INSERT INTO data_attached VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
            "ON CONFLICT (collection, file) DO UPDATE SET document = ?5, bytes = ?6, at = ?7, done = ?8, "
            "state = ?9, held = ?10, sealed = ?11 WHERE tenant = ?3 AND subject = ?4",
            *(attached.collection, attached.file, *attached.owner, attached.document, attached.bytes),
            *(attached.at, attached.done, str(attached.state), attached.held, sealed),
        )
        if not changed:
            raise DataError("This file was attached by somebody else.")

    def find(self, principal: Principal, collection: str, file: str) -> Attached | None:
        """What the principal attached there by this id."""
        row = self._db.one(
            "SELECT * FROM data_attached WHERE collection = ? AND file = ? AND tenant = ? AND subject = ?",
            *(collection, file, principal.tenant, principal.subject),
        )
        return self._attached(row) if row else None

    def anybodys(self, collection: str, file: str) -> Attached | None:
        """What went there by this id, whoever attached it: ask the document's access list before telling."""
        row = self._db.one("SELECT * FROM data_attached WHERE collection = ? AND file = ?", collection, file)
        return self._readable(row)

    def list(self, principal: Principal, collection: str) -> list[Attached]:
        """What the principal attached there, newest first; without what can't be read any more."""
        rows = self._db.all(
            "SELECT * FROM data_attached WHERE collection = ? AND tenant = ? AND subject = ? "
            "ORDER BY at DESC, file DESC",
            *(collection, principal.tenant, principal.subject),
        )
        return [one for one in map(self._readable, rows) if one is not None]

    def of_document(self, collection: str, document: str) -> Attached | None:
        """The upload that a document came from."""
        row = self._db.one(
            "SELECT * FROM data_attached WHERE collection = ? AND document = ? ORDER BY at DESC LIMIT 1",
            *(collection, document),
        )
        return self._readable(row)

    def of_collection(self, collection: str) -> Iterator[Attached]:
        """All uploads that went there, oldest first."""
        rows = self._db.all("SELECT * FROM data_attached WHERE collection = ? ORDER BY at", collection)
        return (one for one in map(self._readable, rows) if one is not None)

    def remove(self, attached: Attached) -> None:
        self._db.write(
            "DELETE FROM data_attached WHERE collection = ? AND file = ?", attached.collection, attached.file
        )

    def begin_batch(self, principal: Principal, collection: str, files: Sequence[str]) -> Batch:
        batch = f"vsfb_{secrets.token_hex(16)}"
        at = time.time_ns() // 1000
        with self._db.transaction():
            self._db.write(
                "INSERT INTO data_batch VALUES (?, ?, ?, ?, ?, 0)",
                *(batch, collection, principal.tenant, principal.subject, at),
            )
            for file in files:
                self._db.write("INSERT INTO data_batch_file VALUES (?, ?)", batch, file)
        return Batch(batch, collection, at, False, tuple(files))

    def find_batch(self, principal: Principal, collection: str, batch: str) -> Batch | None:
        """The principal's own batch by this id."""
        row = self._db.one(
            "SELECT * FROM data_batch WHERE id = ? AND collection = ? AND tenant = ? AND subject = ?",
            *(batch, collection, principal.tenant, principal.subject),
        )
        if row is None:
            return None
        files = self._db.all("SELECT file FROM data_batch_file WHERE batch = ? ORDER BY file", batch)
        return Batch(batch, collection, row["at"], bool(row["cancelled"]), tuple(f["file"] for f in files))

    def cancel_batch(self, batch: Batch) -> None:
        self._db.write("UPDATE data_batch SET cancelled = 1 WHERE id = ?", batch.id)

    def waiting(self, collection: str, subject: str) -> int:
        """How many uploads of a person, of whatever tenant, wait for their turn."""
        row = self._db.one(
            "SELECT count(*) AS n FROM data_attached WHERE collection = ? AND subject = ? AND state = ?",
            *(collection, subject, str(State.WAITING)),
        )
        return int(row["n"]) if row else 0

    def cancel(self, collection: str, subject: str) -> int:
        """Have none of them contributed; how many there were."""
        with self._db.transaction():
            self._db.write(
                "UPDATE data_batch SET cancelled = 1 WHERE collection = ? AND subject = ?",
                collection,
                subject,
            )
            return self._db.write(
                "UPDATE data_attached SET state = ? WHERE collection = ? AND subject = ? AND state = ?",
                *(str(State.CANCELLED), collection, subject, str(State.WAITING)),
            )

    def _readable(self, row: Row | None) -> Attached | None:
        """None as well when its owner's key was erased: nothing is known of it any more."""
        try:
            return self._attached(row) if row else None
        except DataError:
            return None

    def _attached(self, row: Row) -> Attached:
        owner = (row["tenant"], row["subject"])
        found = Attached(
            row["collection"], row["file"], owner, row["document"], row["bytes"], row["at"], row["done"],
            State(row["state"]), row["held"], "", {}, "",
        )  # fmt: skip
        told = orjson.loads(self._envelope.open(_key(owner), row["sealed"], _place(found)))
        return replace(found, name=told["name"], attributes=told["attributes"], why=told["why"])


def _told(attached: Attached) -> dict[str, object]:
    return {"name": attached.name, "attributes": dict(attached.attributes), "why": attached.why}


def _key(owner: tuple[str, str]) -> str:
    """As ``Principal.owner`` names it."""
    return "/".join(owner)


def _place(attached: Attached) -> bytes:
    return f"attached:{attached.collection}/{attached.file}".encode()
