"""What ``keys.db`` knows of the master key: which one is in force, and the root that a rotation leaves."""

import hmac
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringwall.core import DataError

from .hkdf import derived

SCHEMA = """
CREATE TABLE IF NOT EXISTS master_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    mark BLOB NOT NULL,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    root BLOB NOT NULL
);
"""
_SELECT = "SELECT generation, mark, source, at, root FROM master_key"


@dataclass(frozen=True, slots=True, repr=False)
class KeyRecord:
    """The one row of ``master_key``; there is none before the first rotation."""

    generation: int
    """How many rotations there were."""
    mark: bytes
    """Derived from the secret in force, so that it can be told from another; it gives nothing of it away."""
    source: str
    """Where the secret rests, as ``RINGWALL_MASTER_KEY`` writes it."""
    at: int
    """Microseconds since the epoch, UTC."""
    root: bytes
    """The root secret, wrapped under the secret in force."""

    @classmethod
    def of(cls, secret: bytes, root: bytes, *, generation: int, source: str, at: int) -> "KeyRecord":
        nonce = os.urandom(12)
        bound = _bound(generation)
        wrapped = nonce + AESGCM(derived(secret, "root secret")).encrypt(nonce, root, bound)
        return cls(generation, _mark(secret), source, at, wrapped)

    def fits(self, secret: bytes) -> bool:
        return hmac.compare_digest(self.mark, _mark(secret))

    def opened(self, secret: bytes) -> bytes:
        """The root secret. DataError when the record is damaged."""
        try:
            return AESGCM(derived(secret, "root secret")).decrypt(
                self.root[:12], self.root[12:], _bound(self.generation)
            )
        except (InvalidTag, ValueError):
            raise DataError("The record of the master key in keys.db is damaged: restore keys.db.") from None

    def write(self, database: sqlite3.Connection) -> None:
        database.execute(
            "INSERT OR REPLACE INTO master_key VALUES (1, ?, ?, ?, ?, ?)",
            (self.generation, self.mark, self.source, self.at, self.root),
        )


def current_record(database: sqlite3.Connection) -> KeyRecord | None:
    """As the connection sees it; None before the first rotation, or where there is no such table yet."""
    try:
        row = database.execute(_SELECT).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return KeyRecord(*row) if row else None


def read_record(path: Path) -> KeyRecord | None:
    """From a key store that is there or not, without changing it. DataError when it can't be read."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
            return current_record(database)
    except sqlite3.Error as error:
        raise DataError(f"The key store {path.name} can't be read: {error}.") from error


def _mark(secret: bytes) -> bytes:
    return derived(secret, "mark")[:16]


def _bound(generation: int) -> bytes:
    return b"ringwall root secret" + generation.to_bytes(8, "big")
