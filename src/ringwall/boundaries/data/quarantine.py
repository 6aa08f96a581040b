"""Documents and rows that a person has to look at before they are stored."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError, new_id
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database, Row

from .canonical import canonical
from .document import Document
from .intake.held_rows import HeldRow, HeldRows
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
    """,
    """
    ALTER TABLE data_held ADD COLUMN rows INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE data_held ADD COLUMN credential TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_held ADD COLUMN process TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_held ADD COLUMN licence TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_held ADD COLUMN consent TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_held ADD COLUMN origin TEXT NOT NULL DEFAULT '';
    ALTER TABLE data_held ADD COLUMN reason TEXT NOT NULL DEFAULT '';
    """,
    "ALTER TABLE data_held ADD COLUMN untold TEXT NOT NULL DEFAULT '';",
]


@dataclass(frozen=True, slots=True)
class Held:
    """A document, or the rows of one contribution, in quarantine, or that were."""

    id: str
    collection: str
    document: str
    """Id of the document; of the contribution, for rows."""
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
    rows: int = 0
    """How many rows of a training set; 0 for a document."""
    credential: str = ""
    """What the contributor presented to the gateway (never the secret)."""
    process: str = ""
    """Program that it came through."""
    licence: str = ""
    consent: str = ""
    origin: str = ""
    reason: str = ""
    """What the person gave as the reason of the decision."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a reviewer sees of a document."""

    original: Document
    """As it was contributed."""
    edited: Document
    """As it would be stored: with the edits that the controls asked for."""
    reasons: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    """What the controls saw: control, rule, class, message, part (0: text, 1: hidden text) and place."""


class Quarantine:
    """Sealed, apart from the vault's versions and never indexed."""

    def __init__(self, db: Database, blobs: BlobStore, envelope: Sealer) -> None:
        self._db = db
        self._blobs = blobs
        self._envelope = envelope
        self.rows = HeldRows(db, blobs, envelope)
        db.migrate("data_quarantine", _STEPS)

    def hold(self, content: Content, decision: str, fingerprint: str, credential: str = "") -> Held:
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
            "findings": [dict(finding) for finding in content.findings],
        }
        blob = self._blobs.put(self._envelope.seal(f"held:{held}", canonical(sealed), held.encode()))
        self._db.write(
            f"INSERT INTO data_held ({_GIVEN}) VALUES ({_MARKS})",  # noqa: S608 - constants
            *(held, document.collection, document.id, document.contributor, document.access.tenant),
            *(decision, fingerprint, blob, time.time_ns() // 1000, "quarantined", 0, credential),
            *(document.process, document.licence, document.consent, document.origin),
        )
        return self.find(held)

    def hold_rows(
        self, given: Held, rows: Iterable[HeldRow], reasons: Sequence[str], facts: Mapping[str, Any]
    ) -> Held:
        """Put rows of one contribution aside. ``given`` says what they are; its id and time are made here.
        ``facts`` are kept, sealed, for the reviewer."""
        held, place = self.sealed_rows(given, rows, reasons, facts)
        place()
        return self.find(held)

    def sealed_rows(
        self, given: Held, rows: Iterable[HeldRow], reasons: Sequence[str], facts: Mapping[str, Any]
    ) -> tuple[str, Callable[[], None]]:
        """As ``hold_rows``, but for the last step: the id, and what puts it there, for the transaction that
        makes a version of the other rows."""
        held = new_id("hld")
        packs = self.rows.seal(held, rows)
        sealed = canonical({"reasons": list(reasons), "facts": dict(facts)})
        blob = self._blobs.put(self._envelope.seal(f"held:{held}", sealed, held.encode()))

        def place() -> None:
            with self._db.transaction():
                self._db.write(
                    f"INSERT INTO data_held ({_GIVEN}) VALUES ({_MARKS})",  # noqa: S608 - constants
                    *(held, given.collection, given.document, given.contributor, given.tenant),
                    *(given.decision, "", blob, time.time_ns() // 1000, "quarantined"),
                    *(sum(count for _, count in packs), given.credential, given.process, given.licence),
                    *(given.consent, given.origin),
                )
                self.rows.place(held, packs)

        return held, place

    def rows_facts(self, held: str) -> dict[str, Any]:
        """Why rows were held (``reasons``), and what ``hold_rows`` was given of them (``facts``)."""
        found: dict[str, Any] = self._opened(held)
        return found

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
        """The document itself. DataError when it is damaged, or rows are held under this id."""
        given = self._opened(held)
        if "original" not in given:
            raise DataError(f"{held} holds rows of a training set, and no document.")
        return Content(
            Document.from_bytes(given["original"].encode()),
            Document.from_bytes(given["edited"].encode()),
            tuple(given["reasons"]),
            tuple(given.get("findings", ())),
        )

    def decide(
        self, held: str, status: str, by: str, reason: str = "", event: Mapping[str, Any] | None = None
    ) -> None:
        """Note a person's decision. ``event`` waits beside it until ``told`` says that the ledger has it.
        DataError when it was decided before."""
        changed = self._db.write(
            "UPDATE data_held SET status = ?, decided_by = ?, decided_at = ?, reason = ?, untold = ? "
            "WHERE id = ? AND status = 'quarantined'",
            *(status, by, time.time_ns() // 1000, reason, orjson.dumps(event).decode() if event else ""),
            held,
        )
        if not changed:
            raise DataError(f"{held} was already decided.")

    def untold(self, before: int) -> list[tuple[str, dict[str, Any]]]:
        """Decisions before a time (microseconds since the epoch) of which the ledger may not know, with
        their events: whoever decided was killed before they could say so."""
        rows = self._db.all("SELECT id, untold FROM data_held WHERE untold != '' AND decided_at < ?", before)
        return [(row["id"], orjson.loads(row["untold"])) for row in rows]

    def told(self, held: str) -> None:
        """The ledger has what was decided."""
        self._db.write("UPDATE data_held SET untold = '' WHERE id = ?", held)

    def brought(self, collection: str, contributor: str) -> list[Held]:
        """All that was ever held of a person, decided or not."""
        rows = self._db.all(
            "SELECT * FROM data_held WHERE collection = ? AND contributor = ? ORDER BY id",
            *(collection, contributor),
        )
        return [_as_held(row) for row in rows]

    def blobs(self) -> list[str]:
        """Digests of all that is kept of what was held, decided or not."""
        rows = self._db.all("SELECT blob FROM data_held UNION SELECT blob FROM data_held_rows")
        return [row["blob"] for row in rows]

    def erase(self, collection: str, document: str) -> int:
        """Destroy what was held under a document's id, decided or not; how many there were."""
        rows = self._db.all(
            "SELECT id FROM data_held WHERE collection = ? AND document = ?", collection, document
        )
        for row in rows:
            self.destroy(row["id"])
        return len(rows)

    def destroy(self, held: str) -> None:
        """Destroy its key, and what is noted of it."""
        self._envelope.erase(f"held:{held}")
        self.rows.drop(held)
        self._db.write("DELETE FROM data_held WHERE id = ?", held)

    def _opened(self, held: str) -> dict[str, Any]:
        row = self._db.one("SELECT blob FROM data_held WHERE id = ?", held)
        if row is None:
            raise DataError(f"Nothing was quarantined under the id {held!r}.")
        raw = self._envelope.open(f"held:{held}", self._blobs.get(row["blob"]), held.encode())
        given: dict[str, Any] = orjson.loads(raw)
        return given


def _as_held(row: Row) -> Held:
    return Held(*(row[name] for name in _COLUMNS))


_COLUMNS = (
    *("id", "collection", "document", "contributor", "tenant", "decision"),
    *("at", "status", "decided_by", "decided_at"),
    *("rows", "credential", "process", "licence", "consent", "origin", "reason"),
)
_FIELDS = (
    *("id", "collection", "document", "contributor", "tenant", "decision", "fingerprint", "blob", "at"),
    *("status", "rows", "credential", "process", "licence", "consent", "origin"),
)
_GIVEN = ", ".join(_FIELDS)
_MARKS = ", ".join("?" * len(_FIELDS))
