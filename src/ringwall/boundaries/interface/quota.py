"""How much one principal may use: requests and tokens, reserved before the turn and settled after it."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Services,
    Settings,
    Verdict,
    new_id,
    verdict,
)
from ringwall.core.rate import Rate, RateField
from ringwall.storage.counters import Counters, Reservation

from .settings import InterfaceSection, Quota, QuotaSettings

ID = "interface.quota"
DECLARATION = Declaration(
    id=ID,
    boundary=Boundary.INTERFACE,
    summary="Stops a principal that has used up its requests or tokens, however many it sends at once.",
    crossings=frozenset({CrossingKind.REQUEST}),
    parts=frozenset(),
    threats=("LLM04@2023", "LLM10@2023", "LLM10@2025"),
    csf=("PR.IR-04", "PR.AA-05", "DE.CM-03"),
    inline=True,
)
_TURNS = 100_000
_CHARS_PER_TOKEN = 3
_MOST_TOKENS = 1 << 40


@dataclass(slots=True)
class _Turn:
    key: str
    tokens: Rate
    reservation: Reservation | None
    """None when the turn was refused (and goes on all the same only in monitor mode)."""
    retry_after: float
    expires: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a turn gets no budget."""

    rule: str
    """``requests`` or ``tokens``."""
    retry_after: float
    """Seconds; infinite when the turn is larger than the whole budget."""


class Quotas:
    """The budgets of all principals, shared by the gates of all applications. Thread-safe.

    The control opens a turn; whoever carries the turn out calls ``settle`` or ``release`` once it is over,
    best in a ``finally``. Both do nothing for a turn that is closed already or was never opened.
    """

    def __init__(
        self,
        counters: Counters | None = None,
        *,
        expire_s: float = 900.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``expire_s``: a turn that nobody closes gives its tokens back after this time."""
        self._counters = counters or Counters(now=now, expire_s=expire_s)
        self._expire_s = expire_s
        self._now = now
        self._lock = threading.Lock()
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def open(self, turn: str, key: str, quota: Quota, tokens: int) -> Refusal | None:
        """Reserve one request and ``tokens`` for the turn; the refusal when they are not left.

        The request counts from here on, whatever becomes of the turn: else blocked ones would be free.
        A turn that is open already costs nothing more.
        """
        with self._lock:
            self._forget_old()
            if turn in self._turns and self._turns[turn].reservation is not None:
                return None
            rate = quota.requests
            request = self._counters.reserve(f"requests {key}", 1, rate.amount, rate.window_s)
            if request is None:
                wait = self._counters.retry_after(f"requests {key}", 1, rate.amount, rate.window_s)
                return self._refused(turn, key, quota, Refusal("requests", wait))
            held = self._counters.reserve(f"tokens {key}", tokens, quota.tokens.amount, quota.tokens.window_s)
            if held is None:
                self._counters.release(request)
                wait = self._counters.retry_after(
                    f"tokens {key}", tokens, quota.tokens.amount, quota.tokens.window_s
                )
                return self._refused(turn, key, quota, Refusal("tokens", wait))
            self._counters.settle(request, 1)
            self._turns[turn] = _Turn(key, quota.tokens, held, 0.0, self._now() + self._expire_s)
            return None

    def settle(self, turn: str, tokens: int) -> None:
        """The turn is over and has used so many tokens: prompt and answer, of all its model calls."""
        used = max(0, tokens)
        with self._lock:
            state = self._turns.pop(turn, None)
            if state is None:
                return
            if state.reservation is not None:
                self._counters.settle(state.reservation, used)
            else:
                self._counters.charge(f"tokens {state.key}", used, state.tokens.window_s)

    def release(self, turn: str) -> None:
        """The turn was stopped before a model was asked: its tokens go back."""
        with self._lock:
            state = self._turns.pop(turn, None)
            if state is not None and state.reservation is not None:
                self._counters.release(state.reservation)

    def retry_after(self, turn: str) -> int:
        """Whole seconds for the ``Retry-After`` header of a turn that was refused; 0 when waiting doesn't
        help or the turn was not refused. To be asked before ``release``."""
        with self._lock:
            state = self._turns.get(turn)
            wait = state.retry_after if state else 0.0
        return 0 if math.isinf(wait) else math.ceil(wait)

    def used(self, key: str, quota: Quota) -> tuple[int, int]:
        """Requests and tokens that the principal has used or reserved in the running windows."""
        return (
            self._counters.used(f"requests {key}", quota.requests.window_s),
            self._counters.used(f"tokens {key}", quota.tokens.window_s),
        )

    def _refused(self, turn: str, key: str, quota: Quota, refusal: Refusal) -> Refusal:
        wait = refusal.retry_after
        self._turns[turn] = _Turn(key, quota.tokens, None, wait, self._now() + self._expire_s)
        return refusal

    def _forget_old(self) -> None:
        """Their reservations expire in the counters by themselves."""
        now = self._now()
        while self._turns:
            turn, state = next(iter(self._turns.items()))
            if state.expires > now and len(self._turns) <= _TURNS:
                return
            del self._turns[turn]


class QuotaOverrides(Settings):
    """What differs from ``interface.quotas`` for one application. Use counts across all applications."""

    requests: RateField | None = None
    """Requests, such as ``60/min``."""
    tokens: RateField | None = None
    """Tokens, such as ``50k/hour``."""
    anonymous: Quota | None = None
    """For callers without a credential."""
    answer_tokens: int = Field(default=256, ge=0, le=1_000_000)
    """Tokens reserved for the answer when the gateway gives no estimate."""


class QuotaControl:
    """Reserves for the turn that the crossing belongs to (``context["turn"]``)."""

    declaration = DECLARATION

    def __init__(self, quotas: Quotas, settings: QuotaSettings, answer_tokens: int = 256) -> None:
        self._quotas = quotas
        self._settings = settings
        self._answer_tokens = answer_tokens

    def inspect(self, crossing: Crossing) -> Verdict:
        turn = crossing.context.get("turn")
        named = isinstance(turn, str) and turn != ""
        turn = turn if isinstance(turn, str) and named else new_id("turn")
        quota: Quota = self._settings if crossing.principal.authenticated else self._settings.anonymous
        tokens = _estimate(crossing, self._answer_tokens)
        refusal = self._quotas.open(turn, principal_key(crossing), quota, tokens)
        if not named:  # nobody will come back to settle it
            self._quotas.settle(turn, tokens)
        return ALLOW if refusal is None else _block(refusal)


def principal_key(crossing: Crossing) -> str:
    """The key of a principal's budgets: tenant and subject; the network address of an anonymous caller
    (``context["address"]``), so that one of them doesn't use up what is there for all."""
    principal = crossing.principal
    if principal.authenticated:
        return f"{len(principal.tenant)}:{principal.tenant}:{principal.subject}"
    address = crossing.context.get("address")
    return "anonymous " + (address[:64] if isinstance(address, str) else "")


def _estimate(crossing: Crossing, answer_tokens: int) -> int:
    given = _whole(crossing.context, "estimated_tokens")
    if given is not None:
        return given
    return sum(len(part.text) for part in crossing.parts) // _CHARS_PER_TOKEN + answer_tokens


def _whole(context: Mapping[str, Any], name: str) -> int | None:
    value = context.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return min(value, _MOST_TOKENS)
    return None


def _block(refusal: Refusal) -> Verdict:
    if math.isinf(refusal.retry_after):
        reason = f"This request alone needs more {refusal.rule} than your whole quota."
    else:
        wait = max(1, math.ceil(refusal.retry_after))
        reason = f"Your quota of {refusal.rule} is used up: try again in {wait} s."
    return verdict(Action.BLOCK, reason, [Finding(ID, refusal.rule, reason, cls="quota")])


def _build(settings: QuotaOverrides, services: Services) -> QuotaControl:
    base = services.get(InterfaceSection).quotas
    changes = {
        name: value
        for name in ("requests", "tokens", "anonymous")
        if (value := getattr(settings, name)) is not None
    }
    return QuotaControl(services.get(Quotas), base.model_copy(update=changes), settings.answer_tokens)


CONTROL = ControlFactory(ID, QuotaOverrides, _build)
