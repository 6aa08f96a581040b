"""The secret of each collection, from which its search tokens and fingerprints are made."""

import hmac
import os
import threading
from collections.abc import Sequence
from typing import Protocol

from ringwall.storage.database import Database


class Sealer(Protocol):
    """What is needed of ``ringwall.ledger.envelope.Envelope``."""

    def seal(self, owner: str, plaintext: bytes, aad: bytes = b"") -> bytes: ...

    def provide(self, owners: Sequence[str]) -> None: ...

    def open(self, owner: str, sealed: bytes, aad: bytes = b"") -> bytes: ...

    def erase(self, owner: str) -> int: ...


_STEPS = ["CREATE TABLE data_secret (collection TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;"]


class CollectionKeys:
    """Keyed hashes that differ from collection to collection. Thread-safe."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        self._known: dict[str, bytes] = {}
        self._lock = threading.Lock()
        db.migrate("data_secret", _STEPS)

    def digest(self, collection: str, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 of ``value`` for one purpose. DataError when the collection's secret is damaged."""
        return hmac.digest(self._secret(collection), purpose.encode() + b"\0" + value, "sha256")

    def _secret(self, collection: str) -> bytes:
        known = self._known.get(collection)
        if known:
            return known
        owner = f"collection:{collection}"
        with self._lock:
            row = self._db.one("SELECT sealed FROM data_secret WHERE collection = ?", collection)
            if row is None:
                made = self._envelope.seal(owner, os.urandom(32), b"secret")
                self._db.write("INSERT OR IGNORE INTO data_secret VALUES (?, ?)", collection, made)
                row = self._db.one("SELECT sealed FROM data_secret WHERE collection = ?", collection)
            sealed: bytes = row["sealed"] if row else b""
            self._known[collection] = self._envelope.open(owner, sealed, b"secret")
            return self._known[collection]
