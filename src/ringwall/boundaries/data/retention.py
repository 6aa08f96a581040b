"""Locks: how long what a version brought can't be erased. They only ever grow.

A version's lock is part of what its chain hash binds, and so of what the ledger has of it: lowering
``lock_days`` later shortens no lock that was given, and whoever shortens one in the database breaks the
chain. In a local store the lock is kept by the product alone, and ``verify`` tells when it was broken; in S3
the objects are locked in compliance mode as well, which nobody can lift.
"""

from collections.abc import Mapping

from ringwall.storage.database import Database

from .settings import CollectionSettings

DAY = 86_400_000_000
"""Microseconds."""
STEP = """
    ALTER TABLE data_version ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE data_lock_days (collection TEXT PRIMARY KEY, days INTEGER NOT NULL) STRICT;
"""
"""What locks need of the database of versions."""


def configure(db: Database, collections: Mapping[str, CollectionSettings]) -> None:
    """Have versions from now on locked as the workload file says."""
    with db.transaction():
        db.write("DELETE FROM data_lock_days")
        for name, settings in collections.items():
            if settings.lock_days:
                db.write("INSERT INTO data_lock_days VALUES (?, ?)", name, settings.lock_days)


def lock_end(db: Database, collection: str, at: int) -> int:
    """When the lock of a version that is made now ends, in microseconds since the epoch; 0: it has none."""
    row = db.one("SELECT days FROM data_lock_days WHERE collection = ?", collection)
    return at + row["days"] * DAY if row else 0


def locked_until(db: Database, collection: str, at: int, lock_days: int = 0) -> int:
    """When the lock of what came to a collection at ``at`` ends: by the longest lock that any version since
    then was given, or by ``lock_days`` if that is more. 0: it is not locked."""
    row = db.one(
        "SELECT max(locked - at) AS given FROM data_version "
        "WHERE (collection = ? OR collection LIKE ? ESCAPE '!') AND at >= ? AND locked > 0",
        *(collection, f"{collection.replace('_', '!_')}~%", at),
    )
    given = row["given"] if row and row["given"] else 0
    longest = max(given, lock_days * DAY)
    return at + longest if longest else 0
