"""Bytes that can be made again, kept from one process to the next: a folder of the user's cache.

What is kept is trusted as the code of Ringwall is, so nothing is taken that another user could have written,
or that is not what was put there under this name. Whoever may write as this user can forge it, as well as the
code itself. No failure is an error: what is not to be had is made anew.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 32 << 20
"""Of one content."""
MOST_FILES: Final = 64
ROOM: Final = 128 << 20
"""Bytes of all. The ones used longest ago go first."""
_PREFIX: Final = b"ringwall kept 1\n"
_DIGEST: Final = 32
_STALE: Final = 3600
"""Seconds after which a file that was never finished is taken away."""
_PRIVATE: Final = 0o077
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def get(kind: str, key: bytes) -> bytes | None:
    """What was put under this key, if it is there and beyond doubt. ``key``: a digest of all that it is made
    of; ``kind``: the folder."""
    with suppress(OSError), _folder(kind) as folder:
        handle = os.open(key.hex(), _READ, dir_fd=folder)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or not _ours(about) or about.st_size > MOST_BYTES:
                return None
            data = file.read(MOST_BYTES + 1)
            content = data[len(_PREFIX) + _DIGEST :]
            if data != _PREFIX + _seal(key, content) + content:
                return None
            os.utime(handle)
            return content
    return None


def put(kind: str, key: bytes, content: bytes) -> None:
    """Keep it, whole or not at all, and make room."""
    data = _PREFIX + _seal(key, content) + content
    if len(data) > MOST_BYTES:
        return
    with suppress(OSError), _folder(kind, make=True) as folder:
        name = f"{key.hex()}.{os.getpid()}-{time.monotonic_ns()}"
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, key.hex(), src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(name, dir_fd=folder)
            raise
        _prune(folder)


def _seal(key: bytes, content: bytes) -> bytes:
    return sha256(key + sha256(content).digest()).digest()


def _ours(about: os.stat_result) -> bool:
    """Whether it belongs to this user, and nobody else may do anything with it."""
    return about.st_uid == os.geteuid() and not stat.S_IMODE(about.st_mode) & _PRIVATE


def _safe(about: os.stat_result) -> bool:
    """Whether nobody else may put another folder in the place of ours there: it is this user's, or the
    system's and everybody's own things in it are their own (``/tmp``)."""
    mode = stat.S_IMODE(about.st_mode)
    own = not mode & (stat.S_IWGRP | stat.S_IWOTH) or bool(mode & stat.S_ISVTX)
    return about.st_uid in (os.geteuid(), 0) and own


@contextmanager
def _folder(kind: str, *, make: bool = False) -> Iterator[int]:
    """The open folder, so that what is looked at and what is used are the same. Raises OSError."""
    home = _home()
    if make:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as opened:
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, handle)
        if not _safe(os.fstat(handle)):
            raise PermissionError(f"{home} is another user's")
        for name in ("ringwall", kind):  # step by step: none of them is a link to somewhere else
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=handle)
            handle = os.open(name, _READ | os.O_DIRECTORY, dir_fd=handle)
            opened.callback(os.close, handle)
            if not _ours(os.fstat(handle)):
                raise PermissionError(f"{name} is open to others")
        yield handle


def _home() -> Path:
    """The cache of this user (XDG Base Directory Specification). Raises FileNotFoundError."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named
    try:
        return Path.home() / ".cache"
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from None


def _prune(folder: int) -> None:
    """The newest stay, as far as there is room."""
    kept: list[tuple[float, int, str]] = []
    for name in os.listdir(folder):
        with suppress(OSError):  # another process was faster
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if "." not in name:
                kept.append((about.st_mtime, about.st_size, name))
            elif about.st_mtime < time.time() - _STALE:
                os.unlink(name, dir_fd=folder)
    room = ROOM
    for at, (_, size, name) in enumerate(sorted(kept, reverse=True)):
        room -= size
        if at >= MOST_FILES or room < 0:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
