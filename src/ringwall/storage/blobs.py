"""Write-once files named by the SHA-256 of what they hold."""

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from ringwall.core import DataError

_NAME = re.compile(r"[0-9a-f]{64}\Z")
_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Neither through a link, nor waiting for what stands there instead of a file."""
_AT_ONCE = 16
LARGEST = 1 << 30
"""Bytes that a blob may have."""
WHOLE = 64 * 1024 * 1024
"""Bytes up to which a blob is read before it is hashed; a larger one is hashed in pieces, and read when it is
what its name says: what lies there instead may be as long as somebody likes."""
PIECE = 1024 * 1024
_STALE = 3600.0  # seconds after which a temporary file is what a killed process left behind


class BlobStore(Protocol):
    """Content-addressed and append-only: there is no way to change or remove a blob."""

    def put(self, data: bytes) -> str:
        """Store durably; the SHA-256 of ``data`` in hexadecimal, under which ``get`` finds it."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes as they were put. DataError, naming the blob, when it is missing or damaged."""
        ...

    def names(self) -> Iterator[str]:
        """Digests of all that is stored, in order."""
        ...


@runtime_checkable
class UncheckedReads(Protocol):
    """A store that can show a damaged blob, to find out what of it is damaged."""

    def read_unchecked(self, digest: str) -> bytes:
        """The bytes that are there, whatever they hash to. DataError when there are none."""
        ...


def put_all(store: BlobStore, blobs: Iterable[bytes]) -> list[str]:
    """Store several blobs at once, so that waiting for the disk or the network is shared; their digests, in
    order. Raises as ``put``: some may be stored then."""
    with ThreadPoolExecutor(_AT_ONCE, "blobs") as pool:
        return list(pool.map(store.put, blobs))


class LocalBlobs:
    """Files in a two-level directory tree, readable by the owner only.

    A blob appears under its name only when it is complete and on the disk: it is written to a temporary
    file, synchronised, then linked. Linking fails where a file is already there: nothing is ever overwritten.
    """

    def __init__(self, directory: Path) -> None:
        self._root = directory
        self._incoming = directory / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
        self._sweep()

    def put(self, data: bytes) -> str:
        if len(data) > LARGEST:
            raise DataError(f"A blob may have {LARGEST} bytes at most; this one has {len(data)}.")
        digest = hashlib.sha256(data).hexdigest()
        target = self._place(digest)
        if target.exists():
            self.get(digest)  # an existing file with other content is damage: say so, don't hide it
            return digest
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        incoming = self._incoming / secrets.token_hex(16)
        try:
            _write(incoming, data)
            try:
                os.link(incoming, target)
            except FileExistsError:  # another writer was faster
                self.get(digest)
        finally:
            incoming.unlink(missing_ok=True)
        for folder in (target.parent, target.parent.parent, self._root):
            _sync(folder)
        return digest

    def get(self, digest: str) -> bytes:
        with self._opened(digest) as file:
            size = os.fstat(file.fileno()).st_size
            if size > WHOLE and (size > LARGEST or hashed(iter(lambda: file.read(PIECE), b"")) != digest):
                raise _damaged(digest, size)
            file.seek(0)
            data = file.read(size)
        if hashlib.sha256(data).hexdigest() != digest:
            raise _damaged(digest, len(data))
        return data

    def read_unchecked(self, digest: str) -> bytes:
        with self._opened(digest) as file:
            size = os.fstat(file.fileno()).st_size
            if size > WHOLE:
                raise _damaged(digest, size)
            return file.read(size)

    def age(self, digest: str) -> float:
        """Seconds since it was stored, or touched. DataError when it is missing."""
        with self._opened(digest) as file:
            return time.time() - os.fstat(file.fileno()).st_mtime

    def discard(self, digest: str) -> None:
        """Take away a blob that nothing refers to: the caller has made sure."""
        self._place(digest).unlink(missing_ok=True)

    def _opened(self, digest: str) -> BinaryIO:
        path = self._place(digest)
        try:
            descriptor = os.open(path, _READING)
        except FileNotFoundError:
            raise DataError(
                f"Blob {digest} is missing from the blob store: restore it from a backup."
            ) from None
        except OSError as error:
            raise DataError(
                f"Blob {digest} can't be read ({error.strerror}): restore it from a backup."
            ) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise DataError(f"Blob {digest} is no file: restore it from a backup.")
        return os.fdopen(descriptor, "rb")

    def names(self) -> Iterator[str]:
        for path in sorted(self._root.glob("??/??/*")):
            if _NAME.match(path.name):
                yield path.name

    def _place(self, digest: str) -> Path:
        if not _NAME.match(digest):
            raise DataError("A blob's name is a SHA-256 of 64 hexadecimal digits; this is none.")
        return self._root / digest[:2] / digest[2:4] / digest

    def _sweep(self) -> None:
        for left in self._incoming.iterdir():
            try:
                if time.time() - left.stat().st_mtime > _STALE:
                    left.unlink()
            except FileNotFoundError:
                continue


def hashed(pieces: Iterable[bytes]) -> str:
    """SHA-256 of what comes in pieces, in hexadecimal: in bounded memory."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def _damaged(digest: str, size: int) -> DataError:
    return DataError(
        f"Blob {digest} is damaged: its {size} bytes don't hash to its name. Restore it from a backup."
    )


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
