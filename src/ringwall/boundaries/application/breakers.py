"""Counts of tool calls against the limits of the workload, in every process and across restarts.

A call takes its share of every limit before it is decided, all or nothing, so that calls side by side can't
overshoot together. Whoever carries the decision out says how it ended: a call that was not let through gives
all of it back, one that failed gives its cost back. What nobody reports counts as made.
"""

import hashlib
import json
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from ringwall.core import Crossing, Part, Principal
from ringwall.storage.shared_counters import Claim, SharedCounters, Taken

from .breaker_settings import MOST_COST, BreakerSettings, Limits, limits
from .effect import Effect
from .registry import Manifest, ToolRegistry

COST_UNIT = 10_000
"""Cost is counted in ten-thousandths, rounded up."""
_CHAIN_S = 3600
_OPEN = 10_000
_LOOKING = frozenset({Effect.READ, Effect.FETCH})
"""Effects of which one may need the next page, and the next."""
_COUNTING = str.maketrans("", "", "0123456789 ")


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that a call would have passed."""

    rule: str
    """``session``, ``tool``, ``cost``, …"""
    wait_s: float = 0.0
    """Seconds until it could be made; infinite when never, 0 when waiting is no use."""


@dataclass(frozen=True, slots=True)
class _Share:
    rule: str
    claim: Claim


@dataclass(slots=True)
class _Opened:
    """What a call has taken, until it is known how it ended."""

    place: int
    digest: str
    refusals: Claim
    taken: tuple[Taken, ...]
    cost: tuple[Taken, ...]


class Breakers:
    """Shared by the gates of all applications. Thread-safe."""

    def __init__(self, settings: BreakerSettings, registry: ToolRegistry, counters: SharedCounters) -> None:
        self._settings = settings
        self._registry = registry
        self._counters = counters
        self._per_tool = {name: limits(given) for name, given in settings.tools.items()}
        self._per_effect = {effect: limits(given) for effect, given in settings.effects.items()}
        self._open: OrderedDict[tuple[str, str], list[_Opened]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, crossing: Crossing, part: Part, place: int) -> tuple[Trip, ...]:
        """Take a call's share of every limit; the limits that stop it, in which case nothing was taken.

        ``place``: number of the call in its turn. The same call of a turn that is asked about twice before
        its end is reported takes its share once. A call that was let through before, for the client to make
        (context ``handed_out``), was counted then: now only its repetitions are.
        """
        turn = crossing.context.get("turn")
        key = (turn if isinstance(turn, str) else "", part.ref)
        digest = part.digest
        with self._lock:
            if key[0] and any((one.place, one.digest) == (place, digest) for one in self._open.get(key, ())):
                return ()
        cost = self._cost(part)
        if cost is None:
            return (Trip("cost-unknown"),)
        shares = list(self._shares(crossing, part, digest, cost))
        granted = self._counters.take([share.claim for share in shares])
        if granted.exceeded:
            passed = [shares[number] for number in granted.exceeded]
            return tuple(Trip(share.rule, self._counters.retry_after(share.claim)) for share in passed)
        if key[0]:
            costs = tuple(
                taken for share, taken in zip(shares, granted.taken, strict=True) if share.rule == "cost"
            )
            refusals = self._refusals(session_of(crossing), 1)
            taken = tuple(one for one in granted.taken if one.amount)
            self._remember(key, _Opened(place, digest, refusals, taken, costs))
        return ()

    def made(self, turn: str, part: Part, *, undone: bool = False) -> None:
        """The call went out. ``undone``: it failed and certainly had no effect, so its cost goes back; that
        it was made counts all the same."""
        opened = self._ended(turn, part)
        if opened is not None and undone:
            self._counters.give_back(opened.cost)

    def refused(self, turn: str, part: Part) -> None:
        """Policy refused or held the call: it gives its share back and counts as a refused one."""
        opened = self._ended(turn, part)
        if opened is not None:
            self._counters.give_back(opened.taken)
            self._counters.add(opened.refusals)

    def left_out(self, turn: str, part: Part) -> None:
        """The call was let through and not made after all."""
        opened = self._ended(turn, part)
        if opened is not None:
            self._counters.give_back(opened.taken)

    def _ended(self, turn: str, part: Part) -> _Opened | None:
        """What the call has taken; None when nothing is known of it."""
        key = (turn, part.ref)
        with self._lock:
            waiting = self._open.get(key, [])
            opened = next((one for one in waiting if one.digest == part.digest), None)
            if opened is not None:
                waiting.remove(opened)
                if not waiting:
                    del self._open[key]
            return opened

    def _remember(self, key: tuple[str, str], opened: _Opened) -> None:
        with self._lock:
            self._open.setdefault(key, []).append(opened)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)

    def _cost(self, part: Part) -> int | None:
        """In ten-thousandths; None when the argument that says it can't be believed: a negative one would
        fill the purse."""
        manifest = self._registry.get(part.name)
        cost = manifest.settings.cost if manifest else 0
        given = part.data.get(cost) if isinstance(cost, str) else cost
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= MOST_COST:
            return None
        return int((Decimal(str(given)) * COST_UNIT).to_integral_value(ROUND_CEILING))

    def _shares(self, crossing: Crossing, part: Part, digest: str, cost: int) -> Iterator[_Share]:
        settings, manifest = self._settings, self._registry.get(part.name)
        session = session_of(crossing)
        if crossing.context.get("handed_out") is True:
            again = _key("handed out", session, part.name, digest)
            yield _Share("repeats", Claim(again, 1, settings.identical_calls, settings.identical_window_s))
            return
        yield from _within(settings.calls, ("calls",), crossing, session)
        if part.name in self._per_tool:
            yield from _within(self._per_tool[part.name], ("tool", part.name), crossing, session, "tool")
        if manifest is not None and manifest.effect in self._per_effect:
            given = self._per_effect[manifest.effect]
            yield from _within(given, ("effect", manifest.effect), crossing, session, "effect")
        if cost:
            yield from _within(settings.cost, ("cost",), crossing, session, "cost", cost, COST_UNIT)
        window = settings.identical_window_s
        same = _key("same", session, part.name, digest)
        yield _Share("repeats", Claim(same, 1, settings.identical_calls, window))
        if manifest is None or manifest.effect not in _LOOKING:
            alike = _key("alike", session, part.name, _likeness(part, manifest))
            yield _Share("similar", Claim(alike, 1, settings.similar_calls, window))
        chain = crossing.context.get("chain")
        if isinstance(chain, Mapping) and chain.get("caller"):
            yield _Share(
                "chain", Claim(_key("chain", str(chain.get("id"))), 1, settings.chain.calls, _CHAIN_S)
            )
        yield _Share("refused", self._refusals(session, 0))

    def _refusals(self, session: str, amount: int) -> Claim:
        rate = self._settings.refused_calls
        return Claim(_key("refused", session), amount, max(0, rate.amount - 1), rate.window_s)


def _key(*parts: str) -> str:
    """No two different lists of parts give the same key."""
    return repr(parts)


def session_of(crossing: Crossing) -> str:
    """Key of the conversation; without one, of its principal in the application."""
    return crossing.session or _key(crossing.application, _person(crossing.principal))


def _person(principal: Principal) -> str:
    return _key(principal.tenant, principal.subject)


def _within(
    given: Limits,
    what: tuple[str, ...],
    crossing: Crossing,
    session: str,
    rule: str = "",
    amount: int = 1,
    unit: int = 1,
) -> Iterator[_Share]:
    principal = crossing.principal
    for scope, who, rate in (
        ("session", session, given.session),
        ("principal", _person(principal), given.principal),
        ("tenant", principal.tenant, given.tenant),
    ):
        if rate is not None:
            claim = Claim(_key(*what, scope, who), amount, rate.amount * unit, rate.window_s)
            yield _Share(rule or scope, claim)


def _likeness(part: Part, manifest: Manifest | None) -> str:
    """Digest of a call without its blanks and digits; where it goes stays."""
    text = part.text.translate(_COUNTING).replace("\\n", "").replace("\\t", "")
    targets = manifest.settings.target if manifest else ()
    kept = json.dumps([part.data.get(name) for name in targets], sort_keys=True, default=str)
    return hashlib.blake2b((text + kept).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def minutes(wait_s: float) -> str:
    """How long to wait, for a person; empty when waiting is no use."""
    if not wait_s or math.isinf(wait_s):
        return ""
    whole = math.ceil(wait_s / 60)
    return (
        f" Possible again in about {whole} min."
        if whole < 120
        else f" Possible again in about {whole // 60} h."
    )
