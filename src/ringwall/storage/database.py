"""The embedded database: one SQLite file in WAL mode, shared by the server and the command line.

Calls are synchronous and short (a keyed read takes some 20 us); longer work goes through
``asyncio.to_thread``. Every statement is parametrised.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = sqlite3.Row
_VERSION_AGE_S = 0.01


class Database:
    """Thread-safe. Several processes may open the same file: writers wait for each other up to 3 s."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._lock = threading.RLock()
        self._version = 0
        self._asked = -1.0
        self._connection = sqlite3.connect(path, timeout=3, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "trusted_schema=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")

    def migrate(self, component: str, steps: Sequence[str]) -> None:
        """Bring a component's tables up to date: ``steps`` only ever grows, each runs once, in order.

        A step is one or more SQL statements.
        """
        with self.transaction():
            self.write(
                "CREATE TABLE IF NOT EXISTS migrations (component TEXT PRIMARY KEY, done INTEGER NOT NULL)"
            )
            row = self.one("SELECT done FROM migrations WHERE component = ?", component)
            done = row["done"] if row else 0
            for step in steps[done:]:
                for statement in _statements(step):
                    self.write(statement)
            self.write("INSERT OR REPLACE INTO migrations VALUES (?, ?)", component, len(steps))

    def all(self, sql: str, *values: Any) -> list[Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        with self._lock:
            row: Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def write(self, sql: str, *values: Any) -> int:
        """Execute one statement; the number of rows changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement for each row, in one transaction."""
        with self.transaction():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested calls join the outer transaction."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def version(self) -> int:
        """Changes whenever *another* connection has committed: a cheap test of whether a cache is stale.

        Asked of SQLite at most every 10 ms: that is how late a cache may learn of it.
        """
        now = time.monotonic()
        if now - self._asked > _VERSION_AGE_S:
            row = self.one("PRAGMA data_version")
            self._version = int(row[0]) if row else 0
            self._asked = now
        return self._version

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            if pending.strip(" \n;"):
                yield pending
            pending = ""
