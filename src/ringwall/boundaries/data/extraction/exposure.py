"""Exposure of a canary (Carlini et al. 2019, "The Secret Sharer", sections 4.2 and 4.3).

``log2(size of the space) - log2(rank)``, where the rank is that of the canary among all secrets of the space,
the likeliest first. The rank is estimated from a sample: where the canary lies among the sampled ones, by
counting; where it is likelier than all of them, by a skew normal distribution fitted to their losses.
About 1.4 bits are what chance gives on average; each bit more halves the guesses that an attacker needs.

A sample has an error, so each figure has an upper end: of the share of likelier secrets where there are some
to count, else of where the canary lies in the fitted distribution (its standard error is that of a normal
distribution's quantile, ``sqrt((1 + z*z / 2) / n)``).
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ringwall.core import binomial

LEAST = 20
"""Samples without which nothing is said."""
_COUNTED = 5
"""Likelier secrets from which their share alone tells enough."""
_95 = 1.645
_MOST_SKEW = 0.99  # of a skew normal distribution
_STEPS, _REACH = 4000, 14.0


@dataclass(frozen=True, slots=True)
class Exposure:
    canary: str
    repeats: int
    """How often it was planted; 0: a control."""
    bits: float
    """The exposure."""
    of: float
    """The most that there can be: bits of the space."""
    loss: float
    """Nats, of the whole secret."""
    samples: int
    high: float
    """Upper end of its one-sided 95% interval."""
    extrapolated: bool
    """Whether it is likelier than all samples, so that the fitted distribution gave the figure."""


def exposure(canary: str, repeats: int, loss: float, others: Sequence[float], space: float) -> Exposure:
    """``others``: losses of random secrets of the same space; ``space``: its bits. ValueError for fewer than
    20 of them."""
    if len(others) < LEAST:
        raise ValueError(f"at least {LEAST} other secrets are needed")
    below = sum(1 for one in others if one <= loss)
    if below:
        bits = math.log2((len(others) + 1) / (below + 1))
    else:
        bits = max(math.log2(len(others) + 1), -math.log2(max(_below(loss, others), 2.0**-1000)))
    if below >= _COUNTED:
        high = -math.log2(binomial.lower(below, len(others)))
    else:
        high = -math.log2(max(_below(loss - _error(loss, others), others), 2.0**-1000))
    bits = min(bits, space)
    return Exposure(
        canary, repeats, bits, space, loss, len(others), min(max(high, bits), space), extrapolated=not below
    )


def _error(loss: float, others: Sequence[float]) -> float:
    """How far off the place of this loss in the fitted distribution may be, in nats."""
    mean, spread = statistics.fmean(others), statistics.pstdev(others)
    sigmas = (loss - mean) / spread if spread > 0 else 0.0
    return _95 * spread * math.sqrt((1 + sigmas * sigmas / 2) / len(others))


def _below(loss: float, others: Sequence[float]) -> float:
    """Probability of a loss below this one in the skew normal distribution with the moments of the sample
    (method of moments, Azzalini 1985)."""
    mean, spread = statistics.fmean(others), statistics.pstdev(others)
    if spread <= 0:
        return 0.0
    skew = statistics.fmean(((one - mean) / spread) ** 3 for one in others)
    skew = max(-_MOST_SKEW, min(_MOST_SKEW, skew))
    power = abs(skew) ** (2 / 3)
    delta = math.copysign(math.sqrt(math.pi / 2 * power / (power + ((4 - math.pi) / 2) ** (2 / 3))), skew)
    delta = max(-0.995, min(0.995, delta))
    shape = delta / math.sqrt(1 - delta**2)
    scale = spread / math.sqrt(1 - 2 * delta**2 / math.pi)
    place = mean - scale * delta * math.sqrt(2 / math.pi)
    return _tail((loss - place) / scale, shape)


def _tail(at: float, shape: float) -> float:
    """The density integrated from below up to ``at``, by the trapezoidal rule: exact enough far out, where
    a difference of distribution functions would be all rounding."""
    step = _REACH / _STEPS
    heights = [_density(at - step * number, shape) for number in range(_STEPS + 1)]
    return step * (sum(heights) - (heights[0] + heights[-1]) / 2)


def _density(at: float, shape: float) -> float:
    normal = math.exp(-at * at / 2) / math.sqrt(2 * math.pi)
    return normal * math.erfc(-shape * at / math.sqrt(2))
