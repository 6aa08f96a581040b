"""Sealed values by key, written behind: for what lasts as long as a session and is encrypted by its owner.

The store sees ciphertext alone. A value written here is in the database at most 0.2 s later.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from .database import Database

KEEP_S = 30 * 24 * 3600
"""Seconds after its last write or use that a value is kept."""
_FLUSH_S = 0.2
_TOUCH_US = 3600 * 1_000_000
_STEPS = (
    """
    CREATE TABLE sealed_values (
      space TEXT NOT NULL, key TEXT NOT NULL, sealed BLOB NOT NULL, at INTEGER NOT NULL,
      PRIMARY KEY (space, key)
    ) WITHOUT ROWID;
    CREATE INDEX sealed_values_at ON sealed_values (at);
    """,
)


class SealedStore(Protocol):
    """Where sealed values are kept: the embedded twin is ``SealedValues``."""

    def load(self, key: str) -> bytes | None:
        """The value last written under the key; None when there is none, or it was kept long enough."""
        ...

    def save(self, key: str, seal: Callable[[], bytes]) -> None:
        """Have the value that ``seal`` gives written soon. It is called on the writer's thread, once for any
        number of calls that came before it ran, and must not wait for a lock that a caller of this holds."""
        ...

    def flush(self) -> None:
        """Write what is still to be written."""
        ...

    def close(self) -> None: ...


class SealedValues:
    """In the embedded database. Thread-safe."""

    def __init__(self, database: Database, space: str, *, clock: Callable[[], float] = time.time) -> None:
        """``space`` keeps the keys of several users of the table apart."""
        self._database = database
        self._space = space
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.RLock()
        self._due: dict[str, Callable[[], bytes]] = {}
        self._timer: threading.Timer | None = None
        database.migrate("sealed_values", _STEPS)
        database.write(
            "DELETE FROM sealed_values WHERE space = ? AND at < ?", space, self._now() - KEEP_S * 1_000_000
        )

    def load(self, key: str) -> bytes | None:
        with self._writing:  # what is being written is waited for
            with self._lock:
                waiting = key in self._due
            if waiting:
                self.flush()
            row = self._database.one(
                "SELECT sealed, at FROM sealed_values WHERE space = ? AND key = ?", self._space, key
            )
        now = self._now()
        if row is None or row["at"] < now - KEEP_S * 1_000_000:
            return None
        if row["at"] < now - _TOUCH_US:
            touch = "UPDATE sealed_values SET at = ? WHERE space = ? AND key = ?"
            self._database.write(touch, now, self._space, key)
        return bytes(row["sealed"])

    def save(self, key: str, seal: Callable[[], bytes]) -> None:
        with self._lock:
            self._due[key] = seal
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        with self._writing:
            with self._lock:
                due, self._due = self._due, {}
                timer, self._timer = self._timer, None
            if timer:
                timer.cancel()
            sealed = [(key, seal()) for key, seal in due.items()]
            if not sealed:
                return
            with self._database.transaction():
                for key, value in sealed:
                    insert = "INSERT OR REPLACE INTO sealed_values VALUES (?, ?, ?, ?)"
                    self._database.write(insert, self._space, key, value, self._now())

    def close(self) -> None:
        """Waits for a write that is under way."""
        self.flush()

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)
