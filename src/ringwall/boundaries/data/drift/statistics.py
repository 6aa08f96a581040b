"""Tests and effect sizes, from numpy and ``math`` alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST = 5.0
"""Expected count under which a category is put together with the others that are as rare."""
_Z = 1.959964
_WHOLE = 10.0
"""Stands for a d without end."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its 95% interval, and the chance of one as large if there were none."""

    name: str
    """``V``, ``h``, ``d``, ``D`` or ``log odds``."""
    size: float
    low: float
    high: float
    p: float


def distribution(before: Sequence[float], after: Sequence[float]) -> Effect:
    """Cramer's V of two rows of counts, less the bias of small samples (Bergsma 2013), and the chi-square
    test of homogeneity. The interval holds V to be normal with the spread of the square root of chi-square
    over n, which is about right away from 0."""
    table = _pooled(np.array([before, after], dtype=float))
    n, columns = float(table.sum()), table.shape[1]
    rows = table.sum(axis=1)
    if columns < 2 or not rows.all():
        return Effect("V", 0.0, 0.0, 0.0, 1.0)
    expected = np.outer(rows, table.sum(axis=0)) / n
    chi = float(((table - expected) ** 2 / expected).sum())
    freedom = columns - 1
    phi = max(0.0, chi / n - freedom / (n - 1))
    least = min(columns - (columns - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)) - 1
    balance = 4 * rows[0] * rows[1] / n**2
    size = min(1.0, math.sqrt(phi / least / balance)) if least > 0 else 0.0
    spread = _Z / math.sqrt(n * balance)
    p = chi_square_tail(chi, freedom)
    return Effect("V", size, max(0.0, size - spread), min(1.0, size + spread), p)


def proportion(hits: float, of: float, later_hits: float, later_of: float) -> Effect:
    """Cohen's h of two shares, later less earlier, and the test of two proportions."""
    if not of or not later_of:
        return Effect("h", 0.0, 0.0, 0.0, 1.0)
    first, second = hits / of, later_hits / later_of
    size = 2 * math.asin(math.sqrt(second)) - 2 * math.asin(math.sqrt(first))
    spread = math.sqrt(1 / of + 1 / later_of)
    both = (hits + later_hits) / (of + later_of)
    error = math.sqrt(both * (1 - both)) * spread
    p = math.erfc(abs(second - first) / error / math.sqrt(2)) if error else 1.0
    return Effect("h", size, size - _Z * spread, size + _Z * spread, p)


def means(before: Floats, after: Floats) -> Effect:
    """Cohen's d, later less earlier, and Welch's test by the normal distribution: from thirty values on."""
    n, m = len(before), len(after)
    if n < 2 or m < 2:
        return Effect("d", 0.0, 0.0, 0.0, 1.0)
    first, second = float(before.var(ddof=1)), float(after.var(ddof=1))
    pooled = math.sqrt(((n - 1) * first + (m - 1) * second) / (n + m - 2))
    error = math.sqrt(first / n + second / m)
    gap = float(after.mean() - before.mean())
    if not pooled or not error:  # all alike before, all alike after
        size = math.copysign(_WHOLE, gap) if gap else 0.0
        return Effect("d", size, size, size, 0.0 if gap else 1.0)
    size = gap / pooled
    spread = _Z * math.sqrt((n + m) / (n * m) + size**2 / (2 * (n + m)))
    return Effect("d", size, size - spread, size + spread, math.erfc(abs(gap) / error / math.sqrt(2)))


def shape(before: Floats, after: Floats) -> Effect:
    """Kolmogorov and Smirnov's D and its asymptotic test (Stephens 1970); ties make it cautious."""
    n, m = len(before), len(after)
    if not n or not m:
        return Effect("D", 0.0, 0.0, 0.0, 1.0)
    values = np.concatenate([before, after])
    first = np.searchsorted(np.sort(before), values, side="right") / n
    second = np.searchsorted(np.sort(after), values, side="right") / m
    size = float(np.abs(first - second).max())
    root = math.sqrt(n * m / (n + m))
    spread = 1.36 / root
    return Effect(
        "D",
        size,
        max(0.0, size - spread),
        min(1.0, size + spread),
        _kolmogorov((root + 0.12 + 0.11 / root) * size),
    )


def jensen_shannon(before: Sequence[float], after: Sequence[float]) -> float:
    """Divergence of two rows of counts in bits, 0 to 1 (Lin 1991)."""
    first, second = _shares(before), _shares(after)
    middle = (first + second) / 2
    return float((_information(first, middle) + _information(second, middle)) / 2)


def stability(before: Sequence[float], after: Sequence[float]) -> float:
    """Population stability index; 0.1 is looked at and 0.25 acted on by custom. Half a count is added."""
    first = _shares(np.asarray(before, dtype=float) + 0.5)
    second = _shares(np.asarray(after, dtype=float) + 0.5)
    return float(((second - first) * np.log(second / first)).sum())


def discoveries(chances: Sequence[float]) -> list[float]:
    """Adjusted p-values (Benjamini and Hochberg 1995), in the order given: those up to ``q`` hold at most a
    share of ``q`` false ones. Right for independent tests and for such as rise together."""
    count = len(chances)
    order = sorted(range(count), key=lambda at: chances[at])
    adjusted, least = [1.0] * count, 1.0
    for rank in range(count, 0, -1):
        at = order[rank - 1]
        least = min(least, chances[at] * count / rank)
        adjusted[at] = least
    return adjusted


def chi_square_tail(value: float, freedom: int) -> float:
    """Chance of a chi-square of at least ``value``: the upper incomplete gamma function, by its series below
    and its continued fraction above (Press et al., Numerical Recipes, 6.2)."""
    a, x = freedom / 2, value / 2
    if x <= 0:
        return 1.0
    factor = math.exp(max(-745.0, a * math.log(x) - x - math.lgamma(a)))
    if x < a + 1:
        term = total = 1 / a
        for step in range(1, 10_000):
            term *= x / (a + step)
            total += term
            if term < total * 1e-14:
                break
        return max(0.0, 1 - total * factor)
    b = x + 1 - a
    c, d = 1e300, 1 / b
    h = d
    for step in range(1, 10_000):
        an = -step * (step - a)
        b += 2
        d = 1 / (an * d + b or 1e-300)
        c = b + an / c or 1e-300
        h *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return min(1.0, factor * h)


def _kolmogorov(value: float) -> float:
    if value < 0.2:
        return 1.0
    terms = ((1 if k % 2 else -1) * math.exp(-2 * (k * value) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def _pooled(table: Floats) -> Floats:
    """Without empty columns; those too rare for the test as one."""
    table = table[:, table.sum(axis=0) > 0]
    if not table.size or not table.sum(axis=1).all():
        return table
    least = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = least < _LEAST
    if rare.sum() < 1 or rare.all():
        return table
    together = table[:, rare].sum(axis=1, keepdims=True)
    return np.concatenate([table[:, ~rare], together], axis=1)


def _shares(counts: Sequence[float] | Floats) -> Floats:
    given = np.asarray(counts, dtype=float)
    total = given.sum()
    return given / total if total else given


def _information(first: Floats, second: Floats) -> float:
    some = first > 0
    return float((first[some] * np.log2(first[some] / second[some])).sum())
