"""The keys of records, apart from what they seal: a table for each pack, with a slot for each record.

A slot is a key and a salt. Erasing a record zeroes its slot: the table is sealed anew without it, the old row
is overwritten (``secure_delete``) and the write-ahead log truncated before ``erase`` returns. Copies and
backups of the blobs and of ``state.db`` hold no key, so there is nothing in them that an erasure would have
to chase; of this file (and of ``keys.db``, which holds the key that seals the tables) there should be none
that outlive an erasure.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from ringwall.core import DataError

from ..keys import Sealer

FILE = "record-keys.db"
KEY = 32
SALT = 16
SECRET = KEY + SALT
_GONE = bytes(SECRET)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record_keys (pack TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
"""


class RecordKeys:
    """Thread-safe; any number of processes may share the file, which is made when it is first written to."""

    def __init__(self, path: Path, envelope: Sealer) -> None:
        self._path = path
        self._envelope = envelope
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None

    @staticmethod
    def make(count: int) -> bytes:
        """Secrets for ``count`` records, not stored yet."""
        return os.urandom(SECRET * count)

    def store(self, collection: str, tables: Iterable[tuple[str, bytes]]) -> None:
        """Keep the tables of packs (pack, secrets). They are on the disk when this returns."""
        rows = [(pack, self._sealed(collection, pack, secrets)) for pack, secrets in tables]
        with self._lock:
            try:
                self._database().execute("BEGIN IMMEDIATE")
                self._database().executemany("INSERT INTO record_keys VALUES (?, ?)", rows)
                self._database().execute("COMMIT")
            except sqlite3.Error as error:
                self._rollback()
                raise DataError(f"The keys of records can't be stored: {error}.") from error

    def table(self, collection: str, pack: str) -> "KeyTable":
        """The secrets of a pack. DataError when they are missing or damaged."""
        with self._lock:
            return KeyTable(self._read(collection, pack))

    def erase(self, collection: str, pack: str, ordinals: Iterable[int]) -> None:
        """Destroy the keys of records. DataError when the file could not be cleaned: erase again then."""
        with self._lock:
            try:
                database = self._database()
                database.execute("BEGIN IMMEDIATE")
                secrets = bytearray(self._read(collection, pack))
                for ordinal in ordinals:
                    secrets[ordinal * SECRET : (ordinal + 1) * SECRET] = _GONE
                sealed = self._sealed(collection, pack, bytes(secrets))
                database.execute("UPDATE record_keys SET sealed = ? WHERE pack = ?", (sealed, pack))
                database.execute("COMMIT")
                busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.Error as error:
                self._rollback()
                raise DataError(f"The keys of records can't be erased: {error}.") from error
            except DataError:
                self._rollback()
                raise
        if busy:
            raise DataError(
                "The keys are erased, but another process keeps the log of the key file open: erase again."
            )

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _sealed(self, collection: str, pack: str, secrets: bytes) -> bytes:
        return self._envelope.seal(f"collection:{collection}", secrets, b"record keys:" + pack.encode())

    def _read(self, collection: str, pack: str) -> bytes:
        try:
            row = (
                self._database().execute("SELECT sealed FROM record_keys WHERE pack = ?", (pack,)).fetchone()
            )
        except sqlite3.Error as error:
            raise DataError(f"The keys of records can't be read: {error}.") from error
        if row is None:
            raise DataError(f"The keys of pack {pack} are missing: restore {FILE} from a backup.")
        try:
            return self._envelope.open(f"collection:{collection}", row[0], b"record keys:" + pack.encode())
        except DataError as error:
            raise DataError(f"The keys of pack {pack} can't be read: {error}") from error

    def _rollback(self) -> None:
        if self._open is not None and self._open.in_transaction:
            self._open.execute("ROLLBACK")

    def _database(self) -> sqlite3.Connection:
        if self._open is None:
            made = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
            self._path.chmod(0o600)
            # FULL: a key is on the disk before anything sealed under it is part of a version.
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF"):
                made.execute(f"PRAGMA {pragma}")
            made.executescript(_SCHEMA)
            self._open = made
        return self._open


class KeyTable:
    """The secrets of one pack's records."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: bytes) -> None:
        self._secrets = secrets

    def __len__(self) -> int:
        return len(self._secrets) // SECRET

    def of(self, ordinal: int) -> bytes | None:
        """Key and salt of a record; None when they were erased."""
        secret = self._secrets[ordinal * SECRET : (ordinal + 1) * SECRET]
        return None if secret == _GONE or len(secret) != SECRET else secret
