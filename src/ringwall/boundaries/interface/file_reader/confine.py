"""Limits that a process puts on itself before it looks at a hostile file."""

import os
import resource
import sys
from contextlib import suppress
from typing import Any

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_FORBIDDEN = (
    "socket.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "pty.",
    "ctypes.",
    "os.kill",
    "os.remove",
)

_STARTING = ("os.fork", "os.posix_spawn", "os.kill")
"""What a program is started and ended with."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def limit(memory: int, seconds: int) -> None:
    """Bounds on memory, processor time and open files; no file grows, no core is dumped. What it starts
    inherits them."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def leave_network() -> None:
    """Into a network namespace of its own, where the system lets it (Linux, Python 3.12)."""
    unshare = getattr(os, "unshare", None)
    if unshare is not None:
        with suppress(OSError):
            unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def forbid(engine: str) -> None:
    """From now on Python code opens no connection, writes no file, and starts nothing but ``engine``.

    A second line: code that an attacker runs inside a C library is bound by the limits alone."""

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if _writes(arguments):
                raise PermissionError("a reader of files writes none")
        elif event == "subprocess.Popen":
            if not engine or str(arguments[0]) != engine:
                raise PermissionError("a reader of files starts no program")
        elif event.startswith(_FORBIDDEN) and not (engine and event in _STARTING):
            raise PermissionError(f"a reader of files does not call {event}")

    sys.addaudithook(watch)


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened by its name to be written; a pipe is opened by its number."""
    path, _, flags = arguments
    return not isinstance(path, int) and isinstance(flags, int) and bool(flags & _WRITING)
