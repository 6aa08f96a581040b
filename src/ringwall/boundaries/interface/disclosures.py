"""How much personal and classified data has gone out: distinct values, by class, in a sliding window.

A value is reserved when it is first seen on its way out and settled when the turn ends; what goes out again
within the window costs nothing more. In process, like the quotas; the values themselves are not kept, only a
keyed hash of each.
"""

import hmac
import os
import re
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ringwall.core.rate import Rate
from ringwall.storage.counters import Counters, Reservation

RUN = 8
"""Words in a row that an answer has in common with a content when it repeats it."""
_VALUES = 500_000
_TURNS = 50_000
_PRINTS = 500_000
_CONTENTS = 64
"""Of one session."""
_WORD = re.compile(r"\w{1,64}")
_SOUND = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Budget:
    """Distinct values of one class that one principal, or one session, may be shown."""

    holder: str
    """Whose it is: a key of a principal or of a session."""
    cls: str
    rate: Rate

    @property
    def key(self) -> str:
        return f"outflow {self.cls}\0{self.holder}"


@dataclass(frozen=True, slots=True)
class Count:
    """What became of one value."""

    granted: bool
    fresh: bool = False
    """It was not counted before."""
    level: float = 0.0
    """Share of the budget that is used, of the fullest that it counts against."""
    spent: str = ""
    """Class of the budget that was exhausted."""


@dataclass(frozen=True, slots=True)
class _Content:
    classes: frozenset[str]
    values: frozenset[bytes]
    prints: frozenset[int]


@dataclass(slots=True)
class _Open:
    """What a turn has reserved."""

    held: list[tuple[tuple[str, bytes], Reservation]] = field(default_factory=list)


class Disclosures:
    """Shared by the gates of all applications. Thread-safe, bounded; survives a reload, not a restart."""

    def __init__(self, counters: Counters | None = None, *, now: Callable[[], float] = time.monotonic):
        self._counters = counters or Counters(now=now)
        self._now = now
        self._secret = os.urandom(32)
        self._lock = threading.Lock()
        self._counted: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        """(budget, value) -> when it has left the window."""
        self._turns: OrderedDict[str, _Open] = OrderedDict()
        self._contents: OrderedDict[str, OrderedDict[bytes, _Content]] = OrderedDict()
        self._prints = 0

    def digest(self, value: str) -> bytes:
        """The value, however it is spaced or cased, as a hash that says nothing of it."""
        plain = _SOUND.sub("", value.casefold()) or value
        return hmac.digest(self._secret, plain.encode("utf-8", "surrogatepass"), "sha256")[:16]

    def count(self, turn: str, digest: bytes, budgets: Iterable[Budget]) -> Count:
        """Take one value out of all the budgets, or out of none of them when one is exhausted."""
        taken: list[tuple[tuple[str, bytes], Reservation, Rate]] = []
        level, spent = 0.0, ""
        with self._lock:
            for budget in budgets:
                place, rate = (budget.key, digest), budget.rate
                if self._counted.get(place, 0.0) <= self._now():
                    held = self._counters.reserve(budget.key, 1, rate.amount, rate.window_s)
                    if held is None:
                        spent = budget.cls
                        break
                    taken.append((place, held, rate))
                used = self._counters.used(budget.key, rate.window_s)
                level = max(level, used / rate.amount if rate.amount else 1.0)
            if spent:
                for _, held, _ in taken:
                    self._counters.release(held)
                return Count(False, False, 1.0, spent)
            for place, held, rate in taken:
                self._note(turn, place, held, rate)
            return Count(True, bool(taken), level)

    def settle(self, turn: str, *, left: bool) -> None:
        """The turn is over. ``left``: something of it reached the client or a tool; else its values are given
        back. May be called again."""
        with self._lock:
            state = self._turns.pop(turn, None)
            for place, held in state.held if state else ():
                if left:
                    self._counters.settle(held, 1)
                else:
                    self._counters.release(held)
                    self._counted.pop(place, None)

    def learn(self, session: str, text: str, classes: frozenset[str], values: Iterable[str]) -> None:
        """Content of these data classes has come into the session, with these values in it."""
        digest = self.digest(text)
        with self._lock:
            known = self._contents.setdefault(session, OrderedDict())
            self._contents.move_to_end(session)
            before = known.get(digest)
            if before is not None and classes <= before.classes:
                return
            content = _Content(
                classes | (before.classes if before else frozenset()),
                frozenset(self.digest(value) for value in values),
                _prints(text),
            )
            self._prints += len(content.prints) - (len(before.prints) if before else 0)
            known[digest] = content
            if len(known) > _CONTENTS:
                self._prints -= len(known.popitem(last=False)[1].prints)
            while self._prints > _PRINTS and len(self._contents) > 1:
                _, dropped = self._contents.popitem(last=False)
                self._prints -= sum(len(one.prints) for one in dropped.values())

    def classes_of(self, session: str, value: str) -> frozenset[str]:
        """Data classes of the contents that the value stood in."""
        digest = self.digest(value)
        with self._lock:
            contents = self._contents.get(session) or OrderedDict()
            return frozenset().union(*(one.classes for one in contents.values() if digest in one.values))

    def repeated(self, session: str, text: str) -> list[tuple[bytes, frozenset[str]]]:
        """Contents that the text repeats ``RUN`` words of: their hash and data classes."""
        with self._lock:
            contents = list((self._contents.get(session) or {}).items())
        prints = _prints(text) if contents else frozenset()
        return [(digest, one.classes) for digest, one in contents if not prints.isdisjoint(one.prints)]

    def _note(self, turn: str, place: tuple[str, bytes], held: Reservation, rate: Rate) -> None:
        self._counted[place] = self._now() + rate.window_s
        self._counted.move_to_end(place)
        if len(self._counted) > _VALUES:
            self._counted.popitem(last=False)
        if not turn:  # nobody will come back to settle it
            self._counters.settle(held, 1)
            return
        self._turns.setdefault(turn, _Open()).held.append((place, held))
        if len(self._turns) > _TURNS:
            _, oldest = self._turns.popitem(last=False)
            for _, reservation in oldest.held:
                self._counters.settle(reservation, 1)


def _prints(text: str) -> frozenset[int]:
    words = [word.casefold() for word in _WORD.findall(text)]
    runs = (" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
    return frozenset(zlib.crc32(run.encode("utf-8", "surrogatepass")) for run in runs)


def last_words(text: str) -> int:
    """Where the last ``RUN`` words of a text begin: a run under way has begun there at the earliest."""
    words = list(_WORD.finditer(text, max(0, len(text) - 66 * RUN)))
    return words[-RUN].start() if len(words) >= RUN else max(0, len(text) - 66 * RUN)
