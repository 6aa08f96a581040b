"""Reports of extraction tests, kept sealed: what a model was admitted by."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError, new_id
from ringwall.storage.database import Database, Row

from ..document import canonical
from ..keys import Sealer
from .report import ExtractionReport

_STEPS = [
    """
    CREATE TABLE data_extraction (
        id TEXT PRIMARY KEY,
        route TEXT NOT NULL,
        model TEXT NOT NULL,
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        digest TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX data_extraction_of ON data_extraction (route, collection, at);
    """
]


@dataclass(frozen=True, slots=True)
class Examined:
    """One report in the book."""

    id: str
    route: str
    model: str
    """Digest of what was served: the route's declaration, and the file behind it."""
    collection: str
    version: int
    """Of the training set."""
    passed: bool
    by: str
    at: int
    """Microseconds since the epoch, UTC."""
    digest: str
    """SHA-256 of the report."""

    def event(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "id": new_id("dat"),
            "type": "data.examined",
            "at": self.at,
            "boundary": "data",
            "collection": self.collection,
            "version": self.version,
            "route": self.route,
            "model": self.model,
            "passed": self.passed,
            "report": self.id,
            "digest": self.digest,
            "subject": self.by,
        }


class ExtractionBook:
    """Entries are only ever added; the newest of a route and collection counts. Thread-safe."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("data_extraction", _STEPS)

    def keep(
        self, report: ExtractionReport, *, route: str, model: str, collection: str, version: int, by: str
    ) -> Examined:
        body = canonical(_integers(report.to_json()))
        digest = hashlib.sha256(body).hexdigest()
        at = time.time_ns() // 1000
        entry = Examined(new_id("ext"), route, model, collection, version, report.passed, by, at, digest)
        sealed = self._envelope.seal(_owner(collection), body, _place(entry))
        self._db.write(
            "INSERT INTO data_extraction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(entry.id, route, model, collection, version, int(report.passed), by, at, digest, sealed),
        )
        return entry

    def newest(self, route: str, collection: str) -> Examined | None:
        row = self._db.one(
            "SELECT * FROM data_extraction WHERE route = ? AND collection = ? "
            "ORDER BY at DESC, id DESC LIMIT 1",
            *(route, collection),
        )
        return _entry(row) if row else None

    def report(self, entry: Examined) -> dict[str, Any]:
        """The report as it was kept. DataError when it is damaged."""
        row = self._db.one("SELECT sealed FROM data_extraction WHERE id = ?", entry.id)
        sealed: bytes = row["sealed"] if row else b""
        opened: dict[str, Any] = orjson.loads(
            self._envelope.open(_owner(entry.collection), sealed, _place(entry))
        )
        return opened

    def missing(self, route: str, model: str, collection: str, version: int) -> str:
        """Why the model may not be admitted by its report; empty when it may."""
        entry = self.newest(route, collection)
        run = f"run 'ringwall data extraction {collection} --route {route}'"
        if entry is None:
            return f"It was trained on {collection}, and no extraction test was made: {run}."
        if entry.model != model or entry.version != version:
            return f"The extraction test was of another model, or of another version of {collection}: {run}."
        try:
            self.report(entry)
        except DataError:
            return f"The report {entry.id} of its extraction test was changed in the database: {run}."
        return "" if entry.passed else f"It did not pass its extraction test (report {entry.id})."


def _place(entry: Examined) -> bytes:
    """What a report is bound to: nobody who can only write to the database makes a failed test a passed
    one, or one of another model."""
    return canonical(
        [
            *(entry.id, entry.route, entry.model, entry.collection, entry.version),
            *(int(entry.passed), entry.by, entry.at, entry.digest),
        ]
    )


def _entry(row: Row) -> Examined:
    given = {
        name: row[name] for name in ("id", "route", "model", "collection", "version", "by", "at", "digest")
    }
    return Examined(**given, passed=bool(row["passed"]))


def _integers(value: Any) -> Any:
    """Numbers with a fraction as texts: what is hashed has to be the same everywhere."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return {str(name): _integers(inner) for name, inner in value.items()}
    return [_integers(inner) for inner in value] if isinstance(value, list) else value


def _owner(collection: str) -> str:
    return f"extraction:{collection}"
