"""Identifiers that sort by the time they were made (ULID layout: 48 bits of milliseconds, 80 random)."""

import os
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_BULK = 10 * 409


class _Random(threading.local):
    """Random bytes of the system, fetched in bulk: each call gives up the interpreter lock. Per thread, and
    thrown away in a child process."""

    def __init__(self) -> None:
        self.pool = b""
        self.at = 0
        self.process = 0

    def take(self) -> int:
        """80 bits."""
        if self.at >= len(self.pool) or self.process != os.getpid():
            self.pool, self.at, self.process = os.urandom(_BULK), 0, os.getpid()
        self.at += 10
        return int.from_bytes(self.pool[self.at - 10 : self.at])


_random = _Random()


def new_id(prefix: str) -> str:
    """``prefix_`` and 26 characters."""
    number = ((time.time_ns() // 1_000_000) << 80) | _random.take()
    return prefix + "_" + "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
