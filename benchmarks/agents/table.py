"""Shares with their confidence intervals."""

import math

Z = 1.959964
"""Of the 95% interval."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share, at 95%."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, Z * Z
    middle = share + square / (2 * of)
    reach = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - reach) / (1 + square / of)), min(1.0, (middle + reach) / (1 + square / of))


def cell(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits}/{of} = {hits / of:.1%} [{low:.1%}, {high:.1%}]" if of else "-"
