"""Files that only their owner can read, written whole or not at all."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ringwall.core import DataError


def private_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a file of mode 0600, made with ``make()`` when it isn't there.

    Safe against two processes that make it at the same time: one wins, both read the same. Raises
    DataError when other users can read the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = _draft(path, make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        sync_directory(path.parent)
    return read_private(path)


def read_private(path: Path) -> bytes:
    """Raises DataError when other users can read the file, FileNotFoundError when it isn't there."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise DataError(
            f"{path.name} can be read by other users (mode {mode:04o}): run chmod 600 on it, and replace the "
            "key if somebody may have copied it."
        )
    return path.read_bytes()


def replace_private(path: Path, content: bytes) -> None:
    """Put the content in the place of what was there, in one step that survives a loss of power."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, content)
    draft.replace(path)
    sync_directory(path.parent)


def promote(staged: Path, path: Path) -> None:
    """Let a staged file take the place of the one before; nothing to do when that has happened."""
    try:
        staged.replace(path)
    except FileNotFoundError:
        return
    sync_directory(path.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time; given up when the process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
