"""How much a word of a question says."""

import math

EVERY = 1_000_000
"""Passages that there might be. How many there are is not asked: that is told to nobody."""


def rarity(passages: int) -> float:
    """Like the inverse document frequency of BM25; ``passages``: how many of those that one may read hold
    the word."""
    return math.log(1 + EVERY / (passages + 0.5))
