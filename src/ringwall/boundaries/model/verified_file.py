"""The very bytes that were verified are the bytes that are loaded.

1. The file is opened once. What is hashed, checked and loaded is that open file, whatever the path names
   later.
2. While it is hashed it is copied into an anonymous memory file, which is then sealed: no process, however
   privileged, can change it between the check and the load, nor afterwards while the loader has it mapped.
   The mapped copy is the only one in memory.
3. Where the system has no sealed memory files, the loader gets the path, and the file is hashed a second
   time once it is loaded (``recheck``).
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ringwall.core import DataError

_PIECE = 4 * 1024 * 1024
_SEALING = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS") and Path("/proc/self/fd").is_dir()


def hash_file(path: Path) -> str:
    """SHA-256 of a regular file, in hexadecimal. Raises DataError when it can't be read."""
    with open_regular(path) as file:
        return _pumped(file, lambda _: None)


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file; a pipe or device is refused without waiting for it. Raises DataError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise DataError(f"The model file '{path.name}' can't be opened: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError(f"The model file '{path.name}' is no regular file.")
    return os.fdopen(descriptor, "rb")


@dataclass(slots=True)
class VerifiedFile:
    """A file whose hash is known. ``path`` is what a loader opens; valid until ``close``."""

    path: str
    sha256: str
    size: int
    sealed: bool
    """True: nobody can change the bytes behind ``path`` any more. False: ``recheck`` after loading."""
    file: BinaryIO
    source: Path

    @classmethod
    def take(cls, path: Path) -> "VerifiedFile":
        """Copy, hash and seal. Takes as much memory as the file is long. Raises DataError."""
        with open_regular(path) as source:
            if not _SEALING:
                size = os.fstat(source.fileno()).st_size
                return cls(str(path), _pumped(source, lambda _: None), size, False, open_regular(path), path)
            descriptor = os.memfd_create("ringwall-model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            copy = os.fdopen(descriptor, "r+b", buffering=0)
            try:
                digest = _pumped(source, lambda piece: _write(descriptor, piece))
                fcntl.fcntl(
                    descriptor,
                    fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL,
                )
            except OSError as error:
                copy.close()
                raise DataError(
                    f"The model file '{path.name}' can't be taken into memory: {error.strerror}."
                ) from None
            size = os.fstat(descriptor).st_size
            reading = open_regular(Path(f"/proc/self/fd/{descriptor}"))
            copy.close()
            return cls(f"/proc/self/fd/{reading.fileno()}", digest, size, True, reading, path)

    def recheck(self) -> bool:
        """Whether the bytes are still those that were verified."""
        return self.sealed or hash_file(self.source) == self.sha256

    def close(self) -> None:
        self.file.close()


def _pumped(file: BinaryIO, put: Callable[[bytes], None]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
        put(piece)
    return digest.hexdigest()


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]
