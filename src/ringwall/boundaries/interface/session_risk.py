"""The risk that a conversation has built up, held by the server: per session, and a smaller one per
principal.

Risk only ever grows by what a turn contributes, once, and falls by time alone. So nothing that a client
resends, reorders or leaves out makes it smaller.
"""

import json
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ringwall.storage.database import Database

from .session_turn import TurnSigns

MOST_SESSIONS = 20_000
MOST_TURNS = 1_000
"""Turns of a session that are remembered as counted; of these, the oldest are forgotten first."""
MOST_SHOWN = 64
KEEP_S = 30 * 24 * 3600
_FLUSH_S = 0.2
_ASKS = 8
_STEPS = (
    """
    CREATE TABLE session_risk (
      key TEXT PRIMARY KEY, risk REAL NOT NULL, at REAL NOT NULL, state TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX session_risk_at ON session_risk (at);
    """,
)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one turn added."""

    turn: int
    """Counted from 1 within the session."""
    rule: str
    amount: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A turn as the later ones look back at it."""

    signs: TurnSigns
    heat: float
    """Harm, with what it takes over from the turn that it follows on."""
    refused: bool = False


@dataclass
class Risk:
    """Of one session or one principal. Not thread-safe by itself: one event loop owns it."""

    value: float = 0.0
    at: float = 0.0
    """Seconds since the epoch when ``value`` was right."""
    turns: int = 0
    shown: list[Contribution] = field(default_factory=list)
    """The latest contributions, oldest first."""
    totals: dict[str, float] = field(default_factory=dict)
    """Sum of all contributions by rule, without decay: rules that say little are capped by it."""
    families: dict[str, int] = field(default_factory=dict)
    """How often a family of attack signs was seen: the same one again adds less."""
    counted: OrderedDict[str, float] = field(default_factory=OrderedDict)
    """Turns that have contributed, by digest, with what they did."""
    stopped: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Digests of the turns that were stopped for the risk of the whole."""
    lawless: bool = False
    persona: bool = False
    refused: bool = False
    """Whether the last answer declined."""
    asks: deque[Ask] = field(default_factory=lambda: deque(maxlen=_ASKS))
    """In memory only, like the pieces: they are made of what people wrote."""
    pieces: list[tuple[str, str]] = field(default_factory=list)
    known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Digests of the turns that ``asks`` and ``pieces`` were made of, in this process."""

    def now(self, now: float, half_life_s: float) -> float:
        """The risk after the time that has passed; a clock that runs backwards does not raise it."""
        return self.value * float(0.5 ** (max(0.0, now - self.at) / half_life_s))

    def add(self, amount: float, now: float, half_life_s: float) -> None:
        self.value = self.now(now, half_life_s) + amount
        self.at = max(now, self.at)

    def note(self, rule: str, amount: float, cap: float) -> float:
        """Put a contribution down for the present turn; what the rule's cap leaves of it."""
        amount = round(min(amount, cap - self.totals.get(rule, 0.0)), 4)
        if amount <= 0:
            return 0.0
        self.totals[rule] = self.totals.get(rule, 0.0) + amount
        self.shown.append(Contribution(self.turns, rule, amount))
        del self.shown[:-MOST_SHOWN]
        return amount


class SessionRisks:
    """Bounded in memory; written behind, at most 0.2 s late, so that it survives a restart. What people
    wrote is not written: digests and numbers only."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self.clock = clock
        self._held: OrderedDict[str, Risk] = OrderedDict()
        self._unwritten: dict[str, tuple[float, float, str]] = {}
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        database.migrate("interface.session", _STEPS)
        database.write("DELETE FROM session_risk WHERE at < ?", clock() - KEEP_S)

    def get(self, key: str) -> Risk:
        """The risk held under a key; a new one when there is none."""
        known = self._held.get(key)
        if known is None:
            known = self._held[key] = self._load(key)
            if len(self._held) > MOST_SESSIONS:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return known

    def keep(self, key: str, risk: Risk) -> None:
        """Write it soon."""
        with self._lock:
            self._unwritten[key] = (risk.value, risk.at, _written(risk))
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what is still to be written."""
        with self._lock:
            due, self._unwritten, self._timer = self._unwritten, {}, None
        with self._database.transaction():
            for key, row in due.items():
                self._database.write("INSERT OR REPLACE INTO session_risk VALUES (?, ?, ?, ?)", key, *row)

    def close(self) -> None:
        with self._lock:
            timer = self._timer
        if timer:
            timer.cancel()
            timer.join()
        self.flush()

    def _load(self, key: str) -> Risk:
        with self._lock:
            waiting = self._unwritten.get(key)
        if waiting:
            return _read(*waiting)
        row = self._database.one("SELECT risk, at, state FROM session_risk WHERE key = ?", key)
        return _read(row["risk"], row["at"], row["state"]) if row else Risk(at=self.clock())


def remember(book: OrderedDict[str, Any], digest: str, value: Any = None) -> None:
    """Put a digest down, at most as many as a session keeps."""
    book[digest] = value
    while len(book) > MOST_TURNS:
        book.popitem(last=False)


def _written(risk: Risk) -> str:
    return json.dumps(
        {
            "turns": risk.turns,
            "shown": [asdict(one) for one in risk.shown],
            "totals": risk.totals,
            "families": risk.families,
            "counted": risk.counted,
            "stopped": list(risk.stopped),
            "lawless": risk.lawless,
            "persona": risk.persona,
            "refused": risk.refused,
        }
    )


def _read(value: float, at: float, state: str) -> Risk:
    held = json.loads(state)
    return Risk(
        value,
        at,
        held["turns"],
        [Contribution(**one) for one in held["shown"]],
        held["totals"],
        held["families"],
        OrderedDict(held["counted"]),
        OrderedDict.fromkeys(held["stopped"]),
        held["lawless"],
        held["persona"],
        held["refused"],
    )
