"""Uploads: sealed piece by piece under their owner's key, found by their owner alone, deleted when told to.

They lie in a database of their own: a large upload holds nobody up, and what is deleted is gone, which the
write-once blob store could not promise for what was never contributed.
"""

import hashlib
import io
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from ringwall.core import DataError, Principal
from ringwall.storage.database import Database, Row

from ..document import canonical
from ..keys import Sealer
from .settings import FilesSettings

PIECE = 1_048_576
"""Bytes of one sealed piece: all that an upload holds in memory."""
_ABANDONED_S = 3600
_DAY_S = 86_400
_STEPS = [
    """
    CREATE TABLE upload (
        id TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        subject TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        head BLOB
    ) STRICT;
    CREATE INDEX upload_owner ON upload (tenant, subject, at);
    CREATE TABLE upload_piece (
        upload TEXT NOT NULL REFERENCES upload ON DELETE CASCADE,
        number INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (upload, number)
    ) STRICT, WITHOUT ROWID;
    """
]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was uploaded whole."""

    id: str
    """``file-`` and 128 random bits; knowing it opens nothing."""
    purpose: str
    name: str
    bytes: int
    at: int
    """Seconds since the epoch, UTC; so is ``expires``."""
    expires: int


class TooMuchError(DataError):
    """An upload is larger than allowed, or its owner holds too much already."""


class Uploads:
    """Thread-safe; several processes may share the database."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("uploads", _STEPS)

    def begin(self, principal: Principal, settings: FilesSettings) -> "Incoming":
        """Room for a new file. Raises TooMuchError when the principal holds too many."""
        self._sweep()
        now = int(time.time())
        upload = f"file-{secrets.token_hex(16)}"
        with self._db.transaction():
            held = self._db.one(
                "SELECT COUNT(*) AS files FROM upload WHERE tenant = ? AND subject = ?", *_who(principal)
            )
            if held and held["files"] >= settings.each_files:
                raise TooMuchError(f"You hold {settings.each_files} files, the most allowed: delete some.")
            self._db.write(
                "INSERT INTO upload VALUES (?, ?, ?, '', 0, ?, ?, NULL)",
                *(upload, *_who(principal), now, now + settings.keep_days * _DAY_S),
            )
        return Incoming(self._db, self._envelope, settings, principal, upload)

    def find(self, principal: Principal, upload: str) -> Upload | None:
        """The principal's own upload by this id; nobody finds another's."""
        row = self._db.one(
            "SELECT * FROM upload WHERE id = ? AND tenant = ? AND subject = ? AND head IS NOT NULL "
            "AND expires > ?",
            *(upload, *_who(principal), int(time.time())),
        )
        return self._upload(principal, row)[0] if row else None

    def list(self, principal: Principal, *, purpose: str = "") -> list[Upload]:
        """The principal's own uploads, newest first; without those that can't be read any more."""
        rows = self._db.all(
            "SELECT * FROM upload WHERE tenant = ?1 AND subject = ?2 AND ?3 IN ('', purpose) "
            "AND head IS NOT NULL AND expires > ?4 ORDER BY at DESC, id DESC",
            *(*_who(principal), purpose, int(time.time())),
        )
        found = []
        for row in rows:
            with suppress(DataError):  # its key was erased
                found.append(self._upload(principal, row)[0])
        return found

    def pieces(self, principal: Principal, upload: str) -> Iterator[bytes]:
        """Its content as it came, piece by piece. DataError when it isn't there, or was tampered with; the
        last piece comes only once the whole is known to be what was uploaded."""
        row = self._db.one(
            "SELECT * FROM upload WHERE id = ? AND tenant = ? AND subject = ? AND head IS NOT NULL",
            *(upload, *_who(principal)),
        )
        if row is None:
            raise DataError("There is no such file.")
        _, head = self._upload(principal, row)
        digest = hashlib.sha256()
        for number in range(head["pieces"]):
            found = self._db.one(
                "SELECT sealed FROM upload_piece WHERE upload = ? AND number = ?", upload, number
            )
            if found is None:
                raise DataError(f"Piece {number} of {upload} is missing.")
            piece = self._envelope.open(principal.owner, found["sealed"], _place(upload, number))
            digest.update(piece)
            if number == head["pieces"] - 1 and digest.hexdigest() != head["sha256"]:
                raise DataError(f"{upload} is not what was uploaded.")
            yield piece

    def open(self, principal: Principal, upload: Upload) -> BinaryIO:
        """Its content as a file that is read forward, decrypted as it is. Raises as ``pieces``."""
        return io.BufferedReader(_Forward(self.pieces(principal, upload.id)), PIECE)

    def read(self, principal: Principal, upload: Upload, most: int) -> bytes:
        """The whole content. TooMuchError when it has more than ``most`` bytes."""
        if upload.bytes > most:
            raise TooMuchError(f"The file has {upload.bytes} bytes; at most {most} are taken here.")
        return b"".join(self.pieces(principal, upload.id))

    def delete(self, principal: Principal, upload: str) -> bool:
        """Delete the principal's own upload; False when there is none."""
        return bool(
            self._db.write(
                "DELETE FROM upload WHERE id = ? AND tenant = ? AND subject = ?", upload, *_who(principal)
            )
        )

    def _upload(self, principal: Principal, row: Row) -> tuple[Upload, dict[str, Any]]:
        raw = self._envelope.open(principal.owner, row["head"], _place(row["id"], -1))
        head: dict[str, Any] = orjson.loads(raw)
        found = Upload(row["id"], row["purpose"], head["name"], head["bytes"], row["at"], row["expires"])
        return found, head

    def _sweep(self) -> None:
        """What expired, and what was left half way."""
        now = int(time.time())
        self._db.write(
            "DELETE FROM upload WHERE expires <= ? OR (head IS NULL AND at <= ?)", now, now - _ABANDONED_S
        )


class _Forward(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        taken = min(len(buffer), len(self._left))
        buffer[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken


class Incoming:
    """An upload under way. ``write`` what comes, then ``finish``; else ``discard``."""

    def __init__(
        self, db: Database, envelope: Sealer, settings: FilesSettings, principal: Principal, upload: str
    ) -> None:
        self._db = db
        self._envelope = envelope
        self._settings = settings
        self._principal = principal
        self._id = upload
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._size = 0
        self._number = 0
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Raises TooMuchError."""
        with self._lock:
            self._size += len(data)
            if self._size > self._settings.max_bytes:
                raise TooMuchError(f"The file is larger than {self._settings.max_bytes} bytes.")
            self._digest.update(data)
            self._buffer += data
            while len(self._buffer) >= PIECE:
                self._store(bytes(self._buffer[:PIECE]))
                del self._buffer[:PIECE]

    def finish(self, name: str, purpose: str, *, keep_s: int = 0) -> Upload:
        """From now on it is there, by this name. ``keep_s``: seconds until it is deleted, ``keep_days`` at
        most. Raises TooMuchError."""
        longest = self._settings.keep_days * _DAY_S
        expires = int(time.time()) + min(keep_s or longest, longest)
        with self._lock:
            if self._buffer:
                self._store(bytes(self._buffer))
                self._buffer.clear()
            head = {
                "name": name,
                "bytes": self._size,
                "pieces": self._number,
                "sha256": self._digest.hexdigest(),
            }
            sealed = self._envelope.seal(self._principal.owner, canonical(head), _place(self._id, -1))
            self._db.write(
                "UPDATE upload SET head = ?, purpose = ?, expires = ? WHERE id = ?",
                *(sealed, purpose, expires, self._id),
            )
            row = self._db.one("SELECT * FROM upload WHERE id = ?", self._id)
        if row is None:
            raise DataError("The upload took too long: send it again.")
        return Upload(self._id, row["purpose"], name, self._size, row["at"], row["expires"])

    def discard(self) -> None:
        self._db.write("DELETE FROM upload WHERE id = ?", self._id)

    def _store(self, piece: bytes) -> None:
        sealed = self._envelope.seal(self._principal.owner, piece, _place(self._id, self._number))
        with self._db.transaction():
            held = self._db.one(
                "SELECT SUM(bytes) AS bytes FROM upload WHERE tenant = ? AND subject = ?",
                *_who(self._principal),
            )
            if held and (held["bytes"] or 0) + len(piece) > self._settings.each_bytes:
                raise TooMuchError(
                    f"Your files would have more than {self._settings.each_bytes} bytes together: "
                    "delete some."
                )
            self._db.write("INSERT INTO upload_piece VALUES (?, ?, ?)", self._id, self._number, sealed)
            self._db.write("UPDATE upload SET bytes = bytes + ? WHERE id = ?", len(piece), self._id)
        self._number += 1


def _who(principal: Principal) -> tuple[str, str]:
    return principal.tenant, principal.subject


def _place(upload: str, number: int) -> bytes:
    """``-1`` is the head."""
    return f"upload:{upload}#{number}".encode()
