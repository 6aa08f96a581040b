"""What a count says of a rate, exactly (Clopper and Pearson 1934): few tries prove little."""

import math

CONFIDENCE = 0.95
"""One-sided."""
_STEPS, _EXACT, _TINY = 400, 1e-13, 1e-300


def upper(hits: int, of: int) -> float:
    """The rate is not above this; 1 when nothing was tried."""
    if not of or hits >= of:
        return 1.0
    low, high = hits / of, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if at_most(hits, of, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def lower(hits: int, of: int) -> float:
    """The rate is not below this."""
    return 1 - upper(of - hits, of) if of else 0.0


def at_most(hits: int, of: int, rate: float) -> float:
    """Chance of at most so many hits in so many tries."""
    if hits >= of or rate <= 0:
        return 1.0
    return _beta(of - hits, hits + 1, 1 - rate) if rate < 1 else 0.0


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function (DLMF 8.17), which costs as much for many tries as for few."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of DLMF 8.17.22, forwards (W. J. Lentz 1976)."""
    value = upper = 1.0
    lower = 0.0
    for step in range(1, _STEPS):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        else:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        upper = 1 + term / upper or _TINY
        lower = 1 / (1 + term * lower or _TINY)
        value *= upper * lower
        if abs(upper * lower - 1) < _EXACT:
            break
    return value


def tries(rate: float) -> int:
    """Without a hit, so many tries prove that the rate is not above this."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-rate)) if 0 < rate < 1 else 1
