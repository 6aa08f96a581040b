"""Models that learnt from what was removed later: marked until somebody trains them anew."""

import time
from dataclasses import dataclass
from typing import Any

from ringwall.core import new_id
from ringwall.storage.database import Database, Row

_STEPS = [
    """
    CREATE TABLE data_model_mark (
        model TEXT NOT NULL,
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        records INTEGER NOT NULL,
        reason TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (model, collection, version, at)
    ) STRICT, WITHOUT ROWID;
    """
]


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a model is in doubt. Stays for ever: a new training is a new version of the model, with marks of
    its own or none."""

    model: str
    """``artifact:NAME`` or ``route:NAME``."""
    collection: str
    version: int
    """That it was trained on."""
    records: int
    """How many of that version's records were removed."""
    reason: str
    by: str
    at: int
    """Microseconds since the epoch, UTC."""

    def event(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "id": new_id("dat"),
            "type": "model.marked",
            "at": self.at,
            "boundary": "data",
            "model": self.model,
            "collection": self.collection,
            "version": self.version,
            "records": self.records,
            "subject": self.by,
        }


class Marks:
    """Thread-safe."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("data_model_mark", _STEPS)

    def put(self, model: str, collection: str, version: int, records: int, reason: str, by: str) -> Mark:
        """Mark a model."""
        mark = Mark(model, collection, version, records, reason, by, time.time_ns() // 1000)
        self._db.write(
            "INSERT OR REPLACE INTO data_model_mark VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(model, collection, version, records, reason, by, mark.at),
        )
        return mark

    def all(self) -> list[Mark]:
        """Oldest first."""
        rows = self._db.all("SELECT * FROM data_model_mark ORDER BY at, model")
        return [_mark(row) for row in rows]


def _mark(row: Row) -> Mark:
    return Mark(*tuple(row))
