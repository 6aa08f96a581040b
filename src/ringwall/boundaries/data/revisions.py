"""Every revision of every document that was ever part of a version, by document and by contributor.

It follows from the manifests, and saves reading all of them. It is also where revision numbers are given out:
no two lines of a collection can give one number to different content.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ringwall.storage.database import Database, Row

from .manifest import Entry
from .versions import OvertakenError

_STEPS = [
    """
    CREATE TABLE data_revision (
        collection TEXT NOT NULL,
        document TEXT NOT NULL,
        revision INTEGER NOT NULL,
        owner TEXT NOT NULL,
        contributor TEXT NOT NULL,
        tenant TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (collection, document, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX data_revision_contributor ON data_revision (collection, contributor);
    """
]


@dataclass(frozen=True, slots=True)
class Revision:
    document: str
    revision: int
    owner: str
    contributor: str
    tenant: str
    at: int


class Revisions:
    """Thread-safe."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("data_revisions", _STEPS)

    def of(self, collection: str, document: str) -> list[Revision]:
        """Oldest first."""
        rows = self._db.all(
            "SELECT * FROM data_revision WHERE collection = ? AND document = ? ORDER BY revision",
            *(collection, document),
        )
        return [_revision(row) for row in rows]

    def all(self, collection: str) -> list[Revision]:
        rows = self._db.all("SELECT * FROM data_revision WHERE collection = ?", collection)
        return [_revision(row) for row in rows]

    def by(self, collection: str, contributor: str) -> list[str]:
        """Ids of the documents with a revision by a contributor."""
        rows = self._db.all(
            "SELECT DISTINCT document FROM data_revision WHERE collection = ? AND contributor = ? ORDER BY 1",
            *(collection, contributor),
        )
        return [row["document"] for row in rows]

    def give(self, collection: str, entries: Iterable[Entry]) -> None:
        """Note new revisions, inside the transaction that publishes them. Raises OvertakenError when a number
        was given out in the meantime."""
        for entry in entries:
            if not self._note(collection, entry):
                raise OvertakenError

    def fill(self, collection: str, entries: Iterable[Entry]) -> None:
        """Note revisions again, of versions that are there."""
        with self._db.transaction():
            for entry in entries:
                self._note(collection, entry)

    def _note(self, collection: str, entry: Entry) -> int:
        return self._db.write(
            "INSERT OR IGNORE INTO data_revision VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(collection, entry.id, entry.revision, entry.owner, entry.contributor, entry.tenant, entry.at),
        )


def _revision(row: Row) -> Revision:
    return Revision(*tuple(row)[1:])
