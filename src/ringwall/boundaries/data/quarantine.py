"""Documents that a person has to look at before they are stored."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError, new_id
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database, Row

from .document import Document, canonical
from .keys import Sealer

_STEPS = [
    """
    CREATE TABLE data_held (
        id TEXT PRIMARY KEY,
        collection TEXT NOT NULL,
        document TEXT NOT NULL,
        contributor TEXT NOT NULL,
        tenant TEXT NOT NULL,
        decision TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        blob TEXT NOT NULL,
        at INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('quarantined', 'stored', 'rejected')),
        decided_by TEXT NOT NULL DEFAULT '',
        decided_at INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX data_held_status ON data_held (status, collection);
    """
]


@dataclass(frozen=True, slots=True)
class Held:
    """A document in quarantine, or that was, with why."""

    id: str
    collection: str
    document: str
    contributor: str
    tenant: str
    """Tenant of the document; empty: common to all."""
    decision: str
    """Id of the decision that held it."""
    at: int
    status: str
    """``quarantined``, ``stored`` (a person released it) or ``rejected``."""
    decided_by: str
    decided_at: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a reviewer sees."""

    original: Document
    """As it was contributed."""
    edited: Document
    """As it would be stored: with the edits that the controls asked for."""
    reasons: tuple[str, ...] = ()


class Quarantine:
    """Sealed, apart from the vault's versions and never indexed."""

    def __init__(self, db: Database, blobs: BlobStore, envelope: Sealer) -> None:
        self._db = db
        self._blobs = blobs
        self._envelope = envelope
        db.migrate("data_quarantine", _STEPS)

    def hold(self, content: Content, decision: str, fingerprint: str) -> Held:
        """Put a document aside. The same content already waiting under the same id isn't put there twice."""
        document = content.original
        known = self._db.one(
            "SELECT * FROM data_held WHERE status = 'quarantined' AND collection = ? AND document = ? "
            "AND contributor = ? AND tenant = ? AND fingerprint = ?",
            *(document.collection, document.id, document.contributor, document.access.tenant, fingerprint),
        )
        if known:
            return _as_held(known)
        held = new_id("hld")
        sealed = {
            "original": document.to_bytes().decode(),
            "edited": content.edited.to_bytes().decode(),
            "reasons": list(content.reasons),
        }
        blob = self._blobs.put(self._envelope.seal(f"held:{held}", canonical(sealed), held.encode()))
        self._db.write(
            "INSERT INTO data_held (id, collection, document, contributor, tenant, decision, fingerprint, "
            "blob, at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'quarantined')",
            *(held, document.collection, document.id, document.contributor, document.access.tenant),
            *(decision, fingerprint, blob, time.time_ns() // 1000),
        )
        return self.find(held)

    def find(self, held: str) -> Held:
        """DataError when there is none."""
        row = self._db.one("SELECT * FROM data_held WHERE id = ?", held)
        if row is None:
            raise DataError(f"Nothing was quarantined under the id {held!r}.")
        return _as_held(row)

    def waiting(self, collection: str = "") -> list[Held]:
        """What waits for a person, oldest first."""
        rows = self._db.all(
            "SELECT * FROM data_held WHERE status = 'quarantined' AND ?1 IN ('', collection) ORDER BY id",
            collection,
        )
        return [_as_held(row) for row in rows]

    def content(self, held: str) -> Content:
        """The documents themselves. DataError when they are damaged."""
        row = self._db.one("SELECT blob FROM data_held WHERE id = ?", held)
        if row is None:
            raise DataError(f"Nothing was quarantined under the id {held!r}.")
        raw = self._envelope.open(f"held:{held}", self._blobs.get(row["blob"]), held.encode())
        given: dict[str, Any] = orjson.loads(raw)
        return Content(
            Document.from_bytes(given["original"].encode()),
            Document.from_bytes(given["edited"].encode()),
            tuple(given["reasons"]),
        )

    def decide(self, held: str, status: str, by: str) -> None:
        """Note a person's decision. DataError when it was decided before."""
        changed = self._db.write(
            "UPDATE data_held SET status = ?, decided_by = ?, decided_at = ? "
            "WHERE id = ? AND status = 'quarantined'",
            *(status, by, time.time_ns() // 1000, held),
        )
        if not changed:
            raise DataError(f"{held} was already decided.")

    def erase(self, collection: str, document: str) -> int:
        """Destroy what was held under a document's id, decided or not; how many there were."""
        rows = self._db.all(
            "SELECT id FROM data_held WHERE collection = ? AND document = ?", collection, document
        )
        for row in rows:
            self._envelope.erase(f"held:{row['id']}")
            self._db.write("DELETE FROM data_held WHERE id = ?", row["id"])
        return len(rows)


def _as_held(row: Row) -> Held:
    return Held(*(row[name] for name in _COLUMNS))


_COLUMNS = (
    *("id", "collection", "document", "contributor", "tenant", "decision"),
    *("at", "status", "decided_by", "decided_at"),
)
