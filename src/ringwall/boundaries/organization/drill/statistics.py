"""Intervals for what a drill measures.

A drill runs a few dozen scenarios, so a bare percentage says more than is known. The intervals treat the
scenarios as a sample of the attacks (or of the uses) that they stand for; how well they stand for them no
interval can say.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean


@dataclass(frozen=True, slots=True)
class Proportion:
    """``count`` of ``total``, with its 95 % interval."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(count: int, total: int, confidence: float = 0.95) -> Proportion:
    """The score interval of E. B. Wilson (1927), without continuity correction.

    Unlike the textbook interval it is right for few trials and for 0 or all of them. Nothing tried: 0 to 1.
    Raises ValueError when the count does not lie in 0..total.
    """
    if not 0 <= count <= total:
        raise ValueError("the count must lie between 0 and the total")
    if total == 0:
        return Proportion(0, 0, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = count / total
    spread = z * ((share * (1 - share) + z * z / (4 * total)) / total) ** 0.5
    scale = 1 + z * z / total
    middle = share + z * z / (2 * total)
    low = 0.0 if count == 0 else max(0.0, (middle - spread) / scale)
    high = 1.0 if count == total else min(1.0, (middle + spread) / scale)
    return Proportion(count, total, low, high)


def bootstrap_mean(values: Sequence[float], *, rounds: int = 2000, seed: int = 1) -> Mean:
    """Percentile bootstrap (Efron 1979) of the mean, 95 %. Seeded: the same values, the same interval."""
    if not values:
        return Mean(0.0, 0.0, 0.0)
    chance = random.Random(seed)  # noqa: S311 (resampling, nothing secret)
    means = sorted(fmean(chance.choices(values, k=len(values))) for _ in range(rounds))
    return Mean(fmean(values), means[int(rounds * 0.025)], means[min(rounds - 1, int(rounds * 0.975))])
