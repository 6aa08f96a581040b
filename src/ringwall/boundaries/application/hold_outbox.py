"""What webhooks are still to be told of holds: kept in the database, so that a restart loses nothing.

A message is put here in the transaction that changes its hold, and is claimed for a while by who sends it,
so that several processes don't send it at once. One that dies meanwhile leaves it to the next: messages
arrive at least once, and carry an id to know them by.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ringwall.core import new_id
from ringwall.storage.database import Database

from .hold import Hold, HoldEvent
from .hold_settings import WebhookSettings

STEPS = (
    """
    CREATE TABLE hold_messages (
      id TEXT PRIMARY KEY, url TEXT NOT NULL, hold TEXT NOT NULL, event TEXT NOT NULL, facts TEXT NOT NULL,
      at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, state TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX hold_messages_due ON hold_messages (state, due_at);
    """,
)
BACKOFF_S = (5, 30, 120, 600, 1800, 7200, 21600)
"""Seconds after each failed attempt; after one more failure the message is given up."""
CLAIM_S = 60
"""Longer than an attempt may take."""
_KEEP_US = 7 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    url: str
    hold: str
    event: HoldEvent
    facts: dict[str, Any]
    """The state that the event led to, and who made it. No argument of the call."""
    at: int
    """Of the event; microseconds since the epoch, UTC."""
    attempts: int
    """Before this one."""


class Outbox:
    """Thread-safe, like its database."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.migrate("application.hold_outbox", STEPS)

    def put(self, webhooks: Sequence[WebhookSettings], event: HoldEvent, hold: Hold, by: str) -> None:
        """A message for each webhook that wants to hear of it. ``by``: ``tenant/subject``."""
        now = self._now()
        for hook in webhooks:
            if event in hook.events:
                facts = json.dumps({"state": str(hold.state), "by": by})
                self._database.write(
                    "INSERT INTO hold_messages (id, url, hold, event, facts, at, due_at, state)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting')",
                    *(new_id("msg"), hook.url, hold.id, str(event), facts, now, now),
                )

    def claim(self, limit: int = 20) -> list[Message]:
        """Messages that are due: nobody else gets them for ``CLAIM_S`` seconds."""
        now = self._now()
        due = (
            "SELECT * FROM hold_messages WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
        )
        if self._database.one(due, now, 1) is None:
            return []
        with self._database.transaction():
            rows = self._database.all(due, now, limit)
            for row in rows:
                self._database.write(
                    "UPDATE hold_messages SET due_at = ? WHERE id = ?", now + CLAIM_S * 1_000_000, row["id"]
                )
        return [
            Message(
                row["id"],
                row["url"],
                row["hold"],
                HoldEvent(row["event"]),
                json.loads(row["facts"]),
                row["at"],
                row["attempts"],
            )
            for row in rows
        ]

    def delivered(self, message: Message) -> None:
        self._end(message, "delivered")

    def given_up(self, message: Message) -> None:
        self._end(message, "failed")

    def failed(self, message: Message) -> bool:
        """Put it off; False when it was the last attempt, and the message is given up."""
        if message.attempts >= len(BACKOFF_S):
            self.given_up(message)
            return False
        due = self._now() + BACKOFF_S[message.attempts] * 1_000_000
        self._database.write(
            "UPDATE hold_messages SET attempts = attempts + 1, due_at = ? WHERE id = ?", due, message.id
        )
        return True

    def _end(self, message: Message, state: str) -> None:
        with self._database.transaction():
            self._database.write(
                "UPDATE hold_messages SET state = ?, attempts = attempts + 1 WHERE id = ?", state, message.id
            )
            self._database.write(
                "DELETE FROM hold_messages WHERE state != 'waiting' AND at < ?", self._now() - _KEEP_US
            )

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)
