"""What happens to the file behind the writer's back: to the disk, out of the log, and signed.

In the default mode a commit reaches the operating system, which survives ``kill -9`` but not a loss of
power. This thread follows with ``fdatasync`` of the write-ahead log, so that what was acknowledged is on the
disk within 50 ms (on a disk whose sync takes up to 15 ms). It also moves the log into the database
file, which would cost an append several milliseconds, and has checkpoints signed.
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ringwall.core import DataError

from .private_file import sync_directory

log = logging.getLogger(__name__)

_SYNC_EVERY_S = 0.02
_sync_data = getattr(os, "fdatasync", os.fsync)  # not every system has the cheaper one
_MOVE_AFTER_BYTES = 4 * 1024 * 1024
_LONG_LOG_PAGES = 16384
_SIGN_AFTER_S = 10.0
_SIGN_AFTER_BYTES = 32 * 1024 * 1024


class Flusher:
    """One thread; sleeps while nothing is written."""

    def __init__(self, path: Path, *, fsync: bool) -> None:
        """``fsync``: every commit is already synced."""
        self._log_path = path.with_name(path.name + "-wal")
        self._fsync = fsync
        self._connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._written = 0  # bytes ever; only the writer changes it
        self._moved = self._signed = 0
        self._signed_at = time.monotonic()
        sync_directory(path.parent)
        self._thread = threading.Thread(target=self._run, name="ringwall-ledger-flush", daemon=True)

    def start(self, sign: Callable[[], object]) -> None:
        """``sign()`` has a checkpoint stored."""
        self._sign = sign
        self._thread.start()

    def wrote(self, count: int) -> None:
        """Called by the writer after each commit."""
        self._written += count
        if not self._dirty.is_set():
            self._dirty.set()

    def stop(self) -> None:
        """End the thread. Called before the writer stops, since it asks the writer to sign."""
        self._closing.set()
        self._dirty.set()
        self._thread.join()

    def close(self) -> None:
        """Sync what the writer wrote last."""
        try:
            self._sync()
        finally:
            self._connection.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            unsigned = self._written > self._signed
            if self._dirty.wait(timeout=1.0 if unsigned else None) and not self._closing.is_set():
                self._closing.wait(_SYNC_EVERY_S)  # let some more commits share the sync
                self._dirty.clear()
                self._guarded(self._sync)
                self._guarded(self._move)
            if not self._closing.is_set():
                self._guarded(self._sign_when_due)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, sqlite3.Error, DataError):
            log.exception("Ledger maintenance failed; it is tried again")
            self._dirty.set()
            self._closing.wait(1.0)

    def _sync(self) -> None:
        if self._fsync:
            return
        try:
            # SQLite holds no locks on this file, so closing a descriptor of it drops none.
            descriptor = os.open(self._log_path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            _sync_data(descriptor)
        finally:
            os.close(descriptor)

    def _move(self) -> None:
        """Copy the log into the database file, so that SQLite starts it over instead of letting it grow."""
        written = self._written
        if written - self._moved < _MOVE_AFTER_BYTES:
            return
        _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if (
            pages > _LONG_LOG_PAGES
        ):  # steady writing has kept it from starting over: make writers wait a moment
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        self._moved = written

    def _sign_when_due(self) -> None:
        written = self._written
        waiting = written - self._signed
        due = time.monotonic() - self._signed_at >= _SIGN_AFTER_S or waiting >= _SIGN_AFTER_BYTES
        if waiting and due:
            self._sign()
            self._signed, self._signed_at = written, time.monotonic()
