"""Envelope encryption: a data key for each owner, wrapped under the master key, gone when erased.

A sealed value is ``version(1) key(16) salt(16) nonce(12) ciphertext tag(16)``. Each message has its own
AES-256-GCM key, HMAC-SHA256(data key, salt), so that random nonces can't run out however much one owner
seals. The associated data binds the key, the owner and whatever the caller adds.

The wrapped keys live in ``keys.db``, apart from what they encrypt: a copy or a backup of the ledger or of the
blobs holds no key that erasure would have to chase. The file is overwritten on deletion (``secure_delete``)
and its write-ahead log truncated, so that a key is gone from it once ``erase`` returns.
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringwall.core import DataError

from .canonical import mended
from .key_record import SCHEMA, current_record
from .master import KEYS, MasterKey

__all__ = ["FILE", "Envelope", "MasterKey"]

FILE = KEYS

_VERSION = b"\x01"
_KEY_ID = slice(1, 17)
_SALT = slice(17, 33)
_NONCE = slice(33, 45)
_HEADER = 45
_TAG = 16
_CACHED_KEYS = 8192

_SCHEMA = """
CREATE TABLE IF NOT EXISTS data_keys (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    wrapped BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS data_keys_owner ON data_keys (owner);
"""


_LATEST = "SELECT id, owner, wrapped FROM data_keys WHERE owner = ? ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    id: bytes
    owner: str
    secret: bytes


class Envelope:
    """Seals and opens values of owners. Thread-safe; any number of processes may share ``keys.db``."""

    def __init__(self, path: Path, master: MasterKey) -> None:
        """``path``: the key database, or the data directory that holds it (or shall hold it)."""
        path = path / FILE if path.is_dir() else path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._master = master
        self._wrapper = AESGCM(master.wrapper("data keys"))
        self._lock = threading.RLock()
        self._by_owner: dict[str, _Key] = {}
        self._by_id: dict[bytes, _Key] = {}
        self._seen = -1
        self._random = _Random()
        self._database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            path.chmod(0o600)
            # FULL: a key is on the disk before anything sealed under it is acknowledged.
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.executescript(_SCHEMA + SCHEMA)
        except sqlite3.Error as error:
            self._database.close()
            raise DataError(f"The key store {path.name} can't be used: {error}.") from error

    def seal(self, owner: str, plaintext: bytes, aad: bytes = b"", *, fresh: bool = False) -> bytes:
        """Encrypt for an owner, who gets a key if there is none (after an erasure: a new one).

        ``fresh``: the caller has just called ``refresh`` for a batch. Raises DataError when the key store
        fails.
        """
        with self._lock:
            if not fresh:
                self.refresh()
            key = self._by_owner.get(owner) or self._current(mended(owner))
            header = _VERSION + key.id + self._random.take(28)
        cipher = AESGCM(hmac.digest(key.secret, header[_SALT], "sha256"))
        return header + cipher.encrypt(header[_NONCE], plaintext, _bound(header, key.owner, aad))

    def provide(self, owners: Sequence[str]) -> None:
        """Make the keys of those who have none with one write to the disk, ahead of sealing for all of them.

        Raises DataError when the key store fails."""
        with self._lock:
            self.refresh()
            self._created([mended(owner) for owner in owners])

    def open(self, owner: str, sealed: bytes, aad: bytes = b"") -> bytes:
        """Decrypt. Raises DataError when the owner's key was erased, the value was damaged, or owner or
        ``aad`` aren't those it was sealed with."""
        key = self._key_of(sealed)
        if key is None:
            raise DataError("This value can't be read any more: the key of its owner was erased.")
        header = sealed[:_HEADER]
        cipher = AESGCM(hmac.digest(key.secret, header[_SALT], "sha256"))
        try:
            return cipher.decrypt(header[_NONCE], sealed[_HEADER:], _bound(header, mended(owner), aad))
        except InvalidTag:
            raise DataError("This sealed value is damaged or belongs to another place.") from None

    def derived(self, owner: str, purpose: str) -> bytes:
        """64 secret bytes for one purpose, the same until the owner's key is erased. Raises DataError when
        the key store fails."""
        with self._lock:
            self.refresh()
            key = self._by_owner.get(owner) or self._current(mended(owner))
            secret = key.secret
        hkdf = HKDF(algorithm=SHA256(), length=64, salt=b"ringwall owner", info=purpose.encode())
        return hkdf.derive(secret)

    def owner_of(self, sealed: bytes) -> str | None:
        """Who a value was sealed for; None when the key was erased. Raises DataError for what is no sealed
        value."""
        key = self._key_of(sealed)
        return key.owner if key else None

    def erase(self, owner: str) -> int:
        """Destroy every key of an owner: nothing sealed for them can be opened again, by any process.

        Returns how many keys there were. Raises DataError when the key store could not be cleaned.
        """
        owner = mended(owner)
        with self._lock:
            try:
                count = self._database.execute("DELETE FROM data_keys WHERE owner = ?", (owner,)).rowcount
                self._forget()
                # Old pages with the wrapped key lie in the write-ahead log until it is emptied.
                busy = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.Error as error:
                raise DataError(f"The key store can't erase: {error}.") from error
        if busy:
            raise DataError(
                "The keys are deleted, but another process keeps the key store's log open: erase again."
            )
        return count

    def refresh(self) -> None:
        """Forget the cached keys if another process (or another Envelope) changed the key store."""
        with self._lock:
            try:
                version = self._database.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise DataError(f"The key store can't be read: {error}.") from error
            if version != self._seen:
                self._forget()
                self._catch_up()
                self._seen = version

    def close(self) -> None:
        with self._lock:
            self._forget()
            self._database.close()

    def _catch_up(self) -> None:
        """Go over to the master key in force if another process has rotated it. DataError when this process
        has no way to it."""
        try:
            record = current_record(self._database)
        except sqlite3.Error as error:
            raise DataError(f"The key store can't be read: {error}.") from error
        if record is None or record.generation == self._master.generation:
            return
        if self._master.data_dir is None:
            raise DataError("The key store was made with another master key, or was rotated since.")
        self._master = MasterKey.load(self._master.data_dir)
        self._wrapper = AESGCM(self._master.wrapper("data keys"))

    def _forget(self) -> None:
        self._by_owner.clear()
        self._by_id.clear()

    def _key_of(self, sealed: bytes) -> _Key | None:
        if len(sealed) < _HEADER + _TAG or sealed[:1] != _VERSION:
            raise DataError("This is no sealed value, or it is damaged.")
        key_id = sealed[_KEY_ID]
        with self._lock:
            self.refresh()
            key = self._by_id.get(key_id)
            if key is None:
                row = self._one("SELECT id, owner, wrapped FROM data_keys WHERE id = ?", key_id)
                key = self._unwrapped(row) if row else None
            return key

    def _current(self, owner: str) -> _Key:
        row = self._one(_LATEST, owner) or self._created([owner])[0]
        key = self._unwrapped(row)
        self._by_owner[owner] = key
        return key

    def _created(self, owners: Sequence[str]) -> list[tuple[bytes, str, bytes]]:
        """Under the write lock, so that two processes end up with one key for each owner."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._catch_up()
                rows = [self._one(_LATEST, owner) or self._inserted(owner) for owner in owners]
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise DataError(f"The key store can't make a key: {error}.") from error
        return rows

    def _inserted(self, owner: str) -> tuple[bytes, str, bytes]:
        key_id, nonce = os.urandom(16), os.urandom(12)
        wrapped = nonce + self._wrapper.encrypt(nonce, os.urandom(32), wrapping(key_id, owner))
        insert = "INSERT INTO data_keys (id, owner, wrapped) VALUES (?, ?, ?)"
        self._database.execute(insert, (key_id, owner, wrapped))
        return key_id, owner, wrapped

    def _one(self, sql: str, value: bytes | str) -> tuple[bytes, str, bytes] | None:
        try:
            row: tuple[bytes, str, bytes] | None = self._database.execute(sql, (value,)).fetchone()
        except sqlite3.Error as error:
            raise DataError(f"The key store can't be read: {error}.") from error
        return row

    def _unwrapped(self, row: tuple[bytes, str, bytes]) -> _Key:
        key_id, owner, _ = row
        secret = self._secret_in(row)
        if secret is None:  # the key store was rotated after ``refresh`` had looked
            self._catch_up()
            again = self._one("SELECT id, owner, wrapped FROM data_keys WHERE id = ?", key_id)
            secret = self._secret_in(again) if again else None
        if secret is None:
            raise DataError(
                "The key store was made with another master key, or is damaged: restore master.key (or "
                "RINGWALL_MASTER_KEY) that belongs to this data directory."
            )
        key = _Key(key_id, owner, secret)
        if len(self._by_id) >= _CACHED_KEYS:
            self._forget()
        self._by_id[key_id] = key
        return key

    def _secret_in(self, row: tuple[bytes, str, bytes]) -> bytes | None:
        key_id, owner, wrapped = row
        try:
            return self._wrapper.decrypt(wrapped[:12], wrapped[12:], wrapping(key_id, owner))
        except (InvalidTag, ValueError):
            return None


class _Random:
    """Random bytes fetched in bulk: each call to the system gives up the interpreter lock."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self._process = os.getpid()

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._bytes) or self._process != os.getpid():
            self._bytes, self._at, self._process = os.urandom(4096), 0, os.getpid()
        self._at += count
        return self._bytes[self._at - count : self._at]


def _bound(header: bytes, owner: str, aad: bytes) -> bytes:
    name = owner.encode()
    return b"ringwall sealed" + header[:_HEADER] + len(name).to_bytes(4, "big") + name + aad


def wrapping(key_id: bytes, owner: str) -> bytes:
    """What a wrapped data key is bound to."""
    return b"ringwall data key" + key_id + sha256(owner.encode()).digest()
