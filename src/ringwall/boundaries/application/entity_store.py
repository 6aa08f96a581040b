"""What sources of known entities answered last, in the database that all processes share.

One process claims a source that is due and fetches it; the others see the new revision. A claim ends by
itself, so one that dies leaves the source to the next.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from ringwall.core import DataError
from ringwall.storage.database import Database, Row

from .entity_settings import EntitySource
from .hold import Sealer

_STEPS = (
    """
    CREATE TABLE entity_sources (
      id TEXT PRIMARY KEY, content BLOB, revision INTEGER NOT NULL DEFAULT 0, fetched_at INTEGER,
      tried_at INTEGER, failures INTEGER NOT NULL DEFAULT 0, told TEXT NOT NULL DEFAULT '',
      claimed_until INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    """,
)
_OWNER = "system/known-entities"
_LEASE_S = 30
"""Beyond the time that a fetch may take."""
_RETRY_S = 15
"""After a first failure; doubled with each further one, up to ``refresh_s``."""
_KEEP_S = 31 * 86_400
"""Longer than any answer counts."""
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """The state of one source."""

    revision: int = 0
    """Grows when the content changes."""
    fetched_at: int = 0
    """Of the last good answer, in microseconds since the epoch; 0: there was none."""
    tried_at: int = 0
    failures: int = 0
    """Since the last good answer."""
    told: str = ""
    """The failure that was put on record last."""
    claimed_until: int = 0


def source_id(source: EntitySource) -> str:
    """The same for sources that ask the same and read it alike: an answer read under other keys is another
    one."""
    keys = {kind: sorted(names) for kind, names in source.fields}
    told = json.dumps([source.url, keys], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


class EntityStore:
    """Thread-safe, like its database."""

    def __init__(
        self, database: Database, sealer: Sealer | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Without a ``sealer`` the content lies in the database as it is (a file of mode 0600)."""
        self._database = database
        self._sealer = sealer
        self._clock = clock
        database.migrate("application.entity_sources", _STEPS)

    def held(self, source_id: str) -> Held:
        return _held(
            self._database.one(
                "SELECT revision, fetched_at, tried_at, failures, told, claimed_until"
                " FROM entity_sources WHERE id = ?",
                source_id,
            )
        )

    def content(self, source_id: str) -> bytes | None:
        """The last good answer; None when there is none, or it can't be read any more."""
        row = self._database.one("SELECT content FROM entity_sources WHERE id = ?", source_id)
        if row is None or row["content"] is None:
            return None
        if self._sealer is None:
            return bytes(row["content"])
        try:
            return self._sealer.open(_OWNER, row["content"], source_id.encode())
        except DataError:
            return None

    def claim(self, source: EntitySource, source_id: str, *, anew: bool = False) -> bool:
        """Whether it is due, and this caller the one to fetch it. ``anew``: after a failure, don't wait."""
        if not self._due(source, self.held(source_id), anew):
            return False
        with self._database.transaction():
            if not self._due(source, self.held(source_id), anew):
                return False
            self._database.write(
                "INSERT INTO entity_sources (id, claimed_until) VALUES (?, ?)"
                " ON CONFLICT (id) DO UPDATE SET claimed_until = excluded.claimed_until",
                *(source_id, self._now() + _lease(source)),
            )
        return True

    def _due(self, source: EntitySource, held: Held, anew: bool) -> bool:
        now = self._now()
        if now < held.claimed_until <= now + _lease(source):
            return False
        wait = source.refresh_s
        if held.failures:
            wait = 0 if anew else min(wait, _RETRY_S << min(held.failures - 1, 12))
        return not held.tried_at <= now < held.tried_at + wait * _MICRO

    def succeeded(self, source_id: str, content: bytes) -> bool:
        """Keep a good answer; whether it differs from the one before."""
        now = self._now()
        sealed = self._sealer.seal(_OWNER, content, source_id.encode()) if self._sealer else content
        with self._database.transaction():
            changed = self.content(source_id) != content
            if changed:
                self._database.write(
                    "UPDATE entity_sources SET content = ?, revision = revision + 1 WHERE id = ?",
                    *(sealed, source_id),
                )
            self._database.write(
                "UPDATE entity_sources SET fetched_at = ?, tried_at = ?, failures = 0, told = '',"
                " claimed_until = 0 WHERE id = ?",
                *(now, now, source_id),
            )
            self._database.write("DELETE FROM entity_sources WHERE tried_at < ?", now - _KEEP_S * _MICRO)
        return changed

    def failed(self, source_id: str, told: str) -> bool:
        """Count a failure; whether it is another one than was put on record last."""
        with self._database.transaction():
            before = self.held(source_id)
            self._database.write(
                "UPDATE entity_sources SET tried_at = ?, failures = failures + 1, told = ?, claimed_until = 0"
                " WHERE id = ?",
                *(self._now(), told, source_id),
            )
        return before.told != told

    def release(self, source_id: str) -> None:
        """Give up a claim without having tried."""
        self._database.write("UPDATE entity_sources SET claimed_until = 0 WHERE id = ?", source_id)

    def _now(self) -> int:
        return int(self._clock() * _MICRO)


def _lease(source: EntitySource) -> int:
    return int((source.timeout_s + _LEASE_S) * _MICRO)


def _held(row: Row | None) -> Held:
    if row is None:
        return Held()
    return Held(
        row["revision"],
        row["fetched_at"] or 0,
        row["tried_at"] or 0,
        row["failures"],
        row["told"],
        row["claimed_until"],
    )
