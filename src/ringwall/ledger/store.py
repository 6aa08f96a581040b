"""``ledger.db``: the tables, and every statement that touches them.

A row of ``entries`` holds the leaf and the hashes of all subtrees that this leaf completes (in ``hashes``,
the leaf's own first). Node (level, number) is therefore 32 bytes at ``32 * level`` in the row of its last
leaf: the tree needs no table of its own, and a whole batch, tree included, is one statement and so one
atomic write.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from ringwall.core import DataError

from .merkle import Frontier
from .record import INDEXED

FILE = "ledger.db"
MAX_BATCH = 128
"""Rows in one statement."""

_APPLICATION_ID = 0x52574C47  # "RWLG"
_VERSION = 1

Row: TypeAlias = tuple[Any, ...]

COLUMNS = ("idx", "id", *INDEXED, "event", "body", "hashes")

_SCHEMA = [
    f"""CREATE TABLE IF NOT EXISTS entries (
        idx INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        {" ".join(f"{name} TEXT NOT NULL," for name in INDEXED)}
        event BLOB NOT NULL,
        body BLOB,
        hashes BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS entries_id ON entries (id)",
    *(f"CREATE INDEX IF NOT EXISTS entries_{name} ON entries ({name})" for name in INDEXED),
    "CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
]


def connect(path: Path, *, fsync: bool = False, wait_s: float = 10) -> sqlite3.Connection:
    """A read-write connection, which waits at most ``wait_s`` for others; the tables exist afterwards. Raises
    DataError when the file can't be used."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(
        path, timeout=wait_s, isolation_level=None, check_same_thread=False, cached_statements=MAX_BATCH + 32
    )
    try:
        path.chmod(0o600)
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        if found not in (0, _APPLICATION_ID):
            raise DataError(f"{path.name} is not a ledger: it belongs to another application.")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # the flusher's work: not during an append
        connection.execute("PRAGMA journal_size_limit=67108864")
        if found == 0:
            _create(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            raise DataError(f"{path.name} has format {version}; this version of ringwall reads {_VERSION}.")
    except sqlite3.Error as error:
        connection.close()
        raise DataError(f"{path.name} can't be used: {error}. Run: ringwall ledger verify") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write, for looking at a ledger without being able to change it."""
    uri = path.absolute().as_uri()
    wal = path.with_name(path.name + "-wal")
    # A ledger on read-only media has no log to share memory with: SQLite then reads the file as it lies.
    lonely = not wal.exists() and not os.access(path.parent, os.W_OK)
    mode = "immutable=1" if lonely else "mode=ro"
    return sqlite3.connect(
        f"{uri}?{mode}", uri=True, timeout=10, isolation_level=None, check_same_thread=False
    )


@lru_cache(MAX_BATCH)
def _insert(rows: int) -> str:
    row = f"({','.join('?' * len(COLUMNS))})"
    return f"INSERT INTO entries ({','.join(COLUMNS)}) VALUES {','.join([row] * rows)}"  # noqa: S608


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write up to MAX_BATCH rows, all or none. Raises sqlite3.IntegrityError when an index is taken."""
    connection.execute(_insert(len(rows)), [value for row in rows for value in row])


def size(connection: sqlite3.Connection) -> int:
    """How many entries there are."""
    return int(connection.execute("SELECT coalesce(max(idx), -1) + 1 FROM entries").fetchone()[0])


def node(connection: sqlite3.Connection, level: int, number: int) -> bytes:
    """The hash of a complete node. Raises DataError when its row is missing or too short."""
    last = ((number + 1) << level) - 1
    row = connection.execute("SELECT hashes FROM entries WHERE idx = ?", (last,)).fetchone()
    found = row[0][32 * level : 32 * level + 32] if row and isinstance(row[0], bytes) else b""
    if len(found) != 32:
        raise DataError(f"Entry {last} of the ledger is missing or damaged. Run: ringwall ledger verify")
    return found


def frontier(connection: sqlite3.Connection) -> Frontier:
    """The edge of the stored tree, read in one snapshot."""
    connection.execute("BEGIN")
    try:
        return Frontier.read(size(connection), lambda level, number: node(connection, level, number))
    finally:
        connection.execute("COMMIT")


def save_checkpoint(connection: sqlite3.Connection, tree_size: int, note: str) -> None:
    connection.execute("INSERT OR IGNORE INTO checkpoints VALUES (?, ?)", (tree_size, note))


def last_checkpoint(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    return str(row[0]) if row else None


def entries(connection: sqlite3.Connection, first: int, stop: int) -> Iterator[Row]:
    """Rows of COLUMNS with first <= idx < stop, in order."""
    sql = f"SELECT {','.join(COLUMNS)} FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"  # noqa: S608
    yield from connection.execute(sql, (first, stop))


def is_ledger(connection: sqlite3.Connection) -> bool:
    """Whether the file carries the mark of a ledger of this format."""
    found = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    ]
    return found == [_APPLICATION_ID, _VERSION]


def checkpoints(connection: sqlite3.Connection) -> Iterator[tuple[Any, Any]]:
    yield from connection.execute("SELECT size, note FROM checkpoints ORDER BY size")


def set_meta(connection: sqlite3.Connection, name: str, value: str) -> str:
    """Set once; the value that stands afterwards."""
    found = meta(connection, name)
    if found is None:
        connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
        found = meta(connection, name)
    return found or ""


def meta(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else None
