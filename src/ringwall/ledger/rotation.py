"""A new master secret: every stored key is wrapped anew, in one step.

1. The new secret is kept for good, staged beside the one in force; so is the checkpoint key wrapped under it.
2. One transaction of ``keys.db`` wraps all data keys anew and records which secret is in force.
3. What was staged takes the place of what was before.

Killed before 2 commits, the old secret is in force and what was staged means nothing. Killed after, whoever
opens the directory next finds that the staged secret is the one on record, and does step 3.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringwall.core import DataError

from .checkpoint import FILE as CHECKPOINT_KEY
from .checkpoint import Signer
from .envelope import wrapping
from .key_record import current_record
from .key_source import ENVIRONMENT, KeySource, key_source
from .master import KEYS, MasterKey

Progress = Callable[[int, int], None]
"""``progress(done, all)``."""
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did."""

    source: str
    """Where the master secret rests now, as ``RINGWALL_MASTER_KEY`` writes it."""
    moved: bool
    """Whether that is another place than before."""
    keys: int
    """How many data keys were wrapped anew."""
    generation: int
    clean: bool
    """Whether the old wrapped keys are gone from the key store's log as well; False while another process
    reads it: they go when that has finished."""
    key: MasterKey
    """The one in force now."""


def rotate(
    data_dir: Path, to: str = "", *, new_root: bool = False, progress: Progress | None = None
) -> Rotation:
    """Give a data directory a new master secret. Processes that have it open go over to it by themselves.

    ``to``: where it shall rest, as ``RINGWALL_MASTER_KEY`` writes it; empty: where it rests now.
    ``new_root``: replace what is derived from the key, too (sign-in and chain tokens, canaries, passwords of
    the egress proxy, keys of allow-rules): for when somebody may have seen the old secret. Processes that run
    must be restarted then.

    Raises DataError when the directory has no keys yet, or a place can't be used; nothing has changed then.
    """
    if not (data_dir / KEYS).is_file():
        raise DataError("There are no keys in this data directory yet: nothing to rotate.")
    given = os.environ.get(ENVIRONMENT, "")
    master = MasterKey.load(data_dir)
    before, target = key_source(given, data_dir), key_source(to or given, data_dir)
    moved = before.name != target.name
    with closing(sqlite3.connect(data_dir / KEYS, timeout=10, isolation_level=None)) as database:
        try:
            database.execute("PRAGMA synchronous=FULL")
            database.execute("PRAGMA secure_delete=ON")
            done, after = _rewrapped(database, data_dir, master, target, new_root, progress)
        except sqlite3.Error as error:
            raise DataError(f"The key store can't be rotated: {error}.") from error
        target.promote()
        Signer.promote(data_dir)
        if moved:
            before.discard()
        clean = _emptied(database)
    return Rotation(target.name, moved, done, after.generation, clean, after)


def _rewrapped(
    database: sqlite3.Connection,
    data_dir: Path,
    master: MasterKey,
    target: KeySource,
    new_root: bool,
    progress: Progress | None,
) -> tuple[int, MasterKey]:
    """Steps 1 and 2. No other process makes keys, or rotates, meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        now = current_record(database)
        if (now.generation if now else 0) != master.generation:
            raise DataError("Another process rotates the master key: try again.")
        after = master.successor(target.stage(), os.urandom(32) if new_root else None)
        if (data_dir / CHECKPOINT_KEY).is_file():
            Signer.stage(data_dir, master, after)
        done = _wrapped_anew(database, master, after, progress)
        after.recorded(source=target.name, at=time.time_ns() // 1000).write(database)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return done, after


def _wrapped_anew(
    database: sqlite3.Connection, master: MasterKey, after: MasterKey, progress: Progress | None
) -> int:
    old, new = AESGCM(master.wrapper("data keys")), AESGCM(after.wrapper("data keys"))
    total: int = database.execute("SELECT count(*) FROM data_keys").fetchone()[0]
    done, last = 0, -1
    while True:
        rows = database.execute(
            "SELECT number, id, owner, wrapped FROM data_keys WHERE number > ? ORDER BY number LIMIT ?",
            (last, _BATCH),
        ).fetchall()
        if not rows:
            return done
        database.executemany(
            "UPDATE data_keys SET wrapped = ? WHERE number = ?",
            [
                (_anew(old, new, wrapped, wrapping(key, owner)), number)
                for number, key, owner, wrapped in rows
            ],
        )
        last, done = rows[-1][0], done + len(rows)
        if progress:
            progress(done, total)


def _anew(old: AESGCM, new: AESGCM, wrapped: bytes, bound: bytes) -> bytes:
    try:
        secret = old.decrypt(wrapped[:12], wrapped[12:], bound)
    except (InvalidTag, ValueError):
        raise DataError(
            "A data key can't be read with the present master key: keys.db is damaged. Nothing was rotated."
        ) from None
    nonce = os.urandom(12)
    return nonce + new.encrypt(nonce, secret, bound)


def _emptied(database: sqlite3.Connection) -> bool:
    """The old wrapped keys lie in the write-ahead log until it is emptied."""
    try:
        busy: int = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error:
        return False
    return busy == 0
