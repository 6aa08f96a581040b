"""Which answers rest on which passages: an index over the ledger's retrievals, made from it and never asked
to prove anything.

The ledger names the passages of each retrieval that went on to a model. Following it costs what is new since
the last time, so that a question about one document is answered in milliseconds however long the ledger is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ringwall.ledger import Ledger, Record
from ringwall.storage.database import Database

_STEPS = [
    """
    CREATE TABLE data_cited (
        name TEXT NOT NULL,
        idx INTEGER NOT NULL,
        decision TEXT NOT NULL,
        turn TEXT NOT NULL,
        session TEXT NOT NULL,
        tenant TEXT NOT NULL,
        subject TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (name, idx)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE data_cited_until (one INTEGER PRIMARY KEY CHECK (one = 1), idx INTEGER NOT NULL) STRICT;
    """
]
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One turn to which a passage was given."""

    index: int
    """Of the retrieval's record on the ledger."""
    decision: str
    turn: str
    """Joins it to the answer that the user got."""
    session: str
    tenant: str
    subject: str
    at: int
    """Microseconds since the epoch, UTC."""


class Citations:
    """Thread-safe; several processes may share the database."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger
        db.migrate("data_cited", _STEPS)

    def follow(self) -> int:
        """Take up what the ledger has of new retrievals; how many there were. Raises DataError when a record
        can't be read."""
        taken = 0
        while True:
            first = self._until()
            end = self._ledger.size()
            records = self._ledger.since(first, _PAGE, type="decision", match={"kind": "retrieval"})
            last = records[-1].index + 1 if len(records) == _PAGE else max(end, first)
            with self._db.transaction():
                if self._until() != first:  # another process was here meanwhile
                    continue
                for name, record in _cited(records):
                    self._put(name, record)
                self._db.write("INSERT OR REPLACE INTO data_cited_until VALUES (1, ?)", last)
            taken += len(records)
            if len(records) < _PAGE:
                return taken

    def of(self, name: str, limit: int = 50) -> list[Answer]:
        """The newest answers that were given this document (``document:COLLECTION/ID@REVISION``)."""
        rows = self._db.all("SELECT * FROM data_cited WHERE name = ? ORDER BY idx DESC LIMIT ?", name, limit)
        columns = ("idx", "decision", "turn", "session", "tenant", "subject", "at")
        return [Answer(*(row[column] for column in columns)) for row in rows]

    def count(self, name: str) -> int:
        """How many answers were given it."""
        row = self._db.one("SELECT count(*) AS n FROM data_cited WHERE name = ?", name)
        return int(row["n"]) if row else 0

    def _until(self) -> int:
        row = self._db.one("SELECT idx FROM data_cited_until")
        return int(row["idx"]) if row else 0

    def _put(self, name: str, record: Record) -> None:
        event = record.event
        facts = (str(event.get(key, "")) for key in ("id", "turn", "session", "tenant", "subject"))
        self._db.write(
            "INSERT OR IGNORE INTO data_cited VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(name, record.index, *facts, int(event.get("at", 0))),
        )


def _cited(records: list[Record]) -> Iterator[tuple[str, Record]]:
    """Each document of each retrieval once, however many of its passages were given."""
    for record in records:
        passages = record.event.get("passages")
        names = [str(name).split("#", 1)[0] for name in passages] if isinstance(passages, list) else []
        for name in dict.fromkeys(names):
            yield name, record
