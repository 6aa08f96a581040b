"""Budgets in a sliding window, kept in the shared database: the twin of ``counters`` for several processes.

What was used counts in every process that opens the database, and after a restart. All claims of one call are
checked and taken in one transaction that locks the database against other writers, so that nobody overshoots
together. What was taken counts at once; whoever took it gives back what was not used. One that dies before it
could leaves its claim standing until the window has passed: the safe side.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .database import Database

_SLOTS = 60
_PRUNE_EVERY = 1024
_STEPS = (
    """
    CREATE TABLE shared_use (
      key BLOB NOT NULL, slot INTEGER NOT NULL, used INTEGER NOT NULL, ends INTEGER NOT NULL,
      PRIMARY KEY (key, slot)
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """``amount`` of the ``limit`` that ``key`` has in any ``window_s`` seconds. An amount of 0 asks only
    whether the limit is not passed yet."""

    key: str
    amount: int
    limit: int
    window_s: int

    def __post_init__(self) -> None:
        if self.amount < 0 or self.window_s <= 0:
            raise ValueError("an amount is at least 0 and a window longer than 0")


@dataclass(frozen=True, slots=True)
class Taken:
    """A claim that was granted: what is needed to give it back."""

    key: bytes
    slot: int
    amount: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What became of the claims of one call: all of them are taken, or none is."""

    taken: tuple[Taken, ...] = ()
    exceeded: tuple[int, ...] = ()
    """Numbers of the claims whose limits had not so much left; empty when all are taken."""


class _Place(NamedTuple):
    key: bytes
    slot: int
    """Of the present moment."""
    oldest: int
    """Slot that is still in the window."""
    ends: int
    """When the present slot has left it, in seconds since the epoch."""


class SharedCounters:
    """Thread-safe. Keys are kept as hashes: who used what can't be read from the table."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since the epoch, the same in every process."""
        self._database = database
        self._clock = clock
        self._writes = 0
        database.migrate("shared_counters", _STEPS)

    def take(self, claims: Sequence[Claim]) -> Grant:
        """Take all of the claims, or none. A slot counts until its last moment has left the window, so what
        is used in any window is never more than what is counted."""
        now = self._clock()
        places = [_place(claim, now) for claim in claims]
        with self._database.transaction():
            used = self._used(places)
            exceeded = tuple(
                number
                for number, (claim, before) in enumerate(zip(claims, used, strict=True))
                if before + claim.amount > claim.limit
            )
            return Grant(exceeded=exceeded) if exceeded else Grant(self._add(claims, places))

    def give_back(self, taken: Sequence[Taken]) -> None:
        """Undo what ``take`` did, for what was not used after all. To be called once for each."""
        with self._database.transaction():
            for one in taken:
                self._database.write(
                    "UPDATE shared_use SET used = max(0, used - ?) WHERE key = ? AND slot = ?",
                    *(one.amount, one.key, one.slot),
                )

    def add(self, claim: Claim) -> None:
        """Count use whatever the limit."""
        self._add([claim], [_place(claim, self._clock())])

    def used(self, claim: Claim) -> int:
        """What is taken of the claim's key in the window that ends now."""
        return self._used([_place(claim, self._clock())])[0]

    def retry_after(self, claim: Claim) -> float:
        """Seconds after which the claim could be taken if nobody uses more meanwhile; 0: now; infinite when
        it is more than the whole limit."""
        if claim.amount > claim.limit:
            return math.inf
        now = self._clock()
        key, _, oldest, _ = _place(claim, now)
        rows = self._database.all(
            "SELECT slot, used FROM shared_use WHERE key = ? AND slot >= ? ORDER BY slot", key, oldest
        )
        over = sum(row["used"] for row in rows) + claim.amount - claim.limit
        for row in rows if over > 0 else ():
            over -= row["used"]
            if over <= 0:
                return max(0.0, float(row["slot"] + 1) * claim.window_s / _SLOTS + claim.window_s - now)
        return 0.0

    def _used(self, places: Sequence[_Place]) -> list[int]:
        """In one statement: most of the time of a small one goes into its call."""
        if not places:
            return []
        one = "(SELECT sum(used) FROM shared_use WHERE key = ? AND slot >= ?)"
        values = (value for place in places for value in (place.key, place.oldest))
        row = self._database.one(f"SELECT {', '.join([one] * len(places))}", *values)
        return [int(used or 0) for used in row or ()]

    def _add(self, claims: Sequence[Claim], places: Sequence[_Place]) -> tuple[Taken, ...]:
        taken = tuple(
            Taken(place.key, place.slot, claim.amount) for claim, place in zip(claims, places, strict=True)
        )
        due = [
            (place.key, place.slot, claim.amount, place.ends)
            for claim, place in zip(claims, places, strict=True)
            if claim.amount
        ]
        if due:
            rows = ", ".join(["(?, ?, ?, ?)"] * len(due))
            self._database.write(
                f"INSERT INTO shared_use VALUES {rows}"  # noqa: S608
                " ON CONFLICT (key, slot) DO UPDATE SET used = used + excluded.used",
                *(value for row in due for value in row),
            )
            self._writes += 1
            if self._writes % _PRUNE_EVERY == 1:
                self._database.write("DELETE FROM shared_use WHERE ends < ?", int(self._clock()))
        return taken


def _place(claim: Claim, now: float) -> _Place:
    name = f"{claim.window_s}\0{claim.key}".encode("utf-8", "surrogatepass")
    width = claim.window_s / _SLOTS
    slot = int(now / width)
    # a slot counts while (slot + 1) * width + window_s > now
    ends = math.ceil((slot + 1) * width + claim.window_s)
    return _Place(hashlib.blake2b(name, digest_size=16).digest(), slot, slot - _SLOTS, ends)
