"""Membership signals: whether rows that a model was trained on look different to it from rows it never saw.

Loss (Yeom et al. 2018), Min-K% (Shi et al. 2024: the mean of the fifth of tokens that it finds least likely)
and the loss for each byte that zlib needs (Carlini et al. 2021). The area under the curve tells how often a
row it was trained on ranks before one it was not: 0.5 is chance. The rows it never saw have to be alike:
from another time or source they differ for other reasons.
"""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LEAST = 10
"""Rows of either kind without which nothing is said."""
_WORST = 0.2
_95 = 1.96


@dataclass(frozen=True, slots=True)
class Signal:
    name: str
    auc: float
    low: float
    """95% interval (Hanley and McNeil 1982)."""
    high: float
    members: int
    others: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A text, and the losses of its tokens."""

    text: str
    losses: Sequence[float]


def membership(members: Sequence[Scored], others: Sequence[Scored]) -> list[Signal]:
    """Each signal. Nothing when there are fewer than ten rows of either kind."""
    if min(len(members), len(others)) < LEAST:
        return []
    return [
        _signal(name, [of(one) for one in members], [of(one) for one in others])
        for name, of in _SIGNALS.items()
    ]


def _signal(name: str, members: Sequence[float], others: Sequence[float]) -> Signal:
    """A lower value speaks for membership."""
    area = _area(members, others)
    error = _error(area, len(members), len(others))
    low, high = max(0.0, area - _95 * error), min(1.0, area + _95 * error)
    return Signal(name, area, low, high, len(members), len(others))


def _area(members: Sequence[float], others: Sequence[float]) -> float:
    """The Mann-Whitney statistic: ties count half."""
    ranked = sorted([(value, True) for value in members] + [(value, False) for value in others])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(member for _, member in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    count = len(members)
    return 1 - (total - count * (count + 1) / 2) / (count * len(others))


def _error(area: float, members: int, others: int) -> float:
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    own = area * (1 - area)
    spread = (members - 1) * (first - area * area) + (others - 1) * (second - area * area)
    return math.sqrt(max(0.0, own + spread) / (members * others))


def _mean(one: Scored) -> float:
    return math.fsum(one.losses) / max(1, len(one.losses))


def _least_likely(one: Scored) -> float:
    worst = sorted(one.losses, reverse=True)[: max(1, round(_WORST * len(one.losses)))]
    return math.fsum(worst) / max(1, len(worst))


def _zlib(one: Scored) -> float:
    return math.fsum(one.losses) / max(1, len(zlib.compress(one.text.encode("utf-8", "replace"))))


_SIGNALS: Mapping[str, Callable[[Scored], float]] = {
    "loss": _mean,
    "min-k": _least_likely,
    "zlib": _zlib,
}
