"""Whether the words of a text stand in an order: a model of neighbours, learnt from what was approved.

Each pair of neighbours is weighed by how much likelier the second word is behind the first than anywhere,
smoothed by a Dirichlet prior (MacKay & Peto 1995). Sentences come out above nothing; words that were drawn
put "the of" and "is and" together, which no language does, and come out far below. A word that was never
approved says nothing: code, names and other languages come out near nothing, not below.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from .terms import LONGEST, Floats, Ints

_WORD = re.compile(r"[^\W\d_]{1,40}")
_BETWEEN = re.compile(r"[ ,'\u2019-]{1,3}")
_PRIOR = 20.0
_MOST = 8_000
"""Approved passages that are read."""
_HELD_OUT = 5
"""One in so many is kept to see what honest text comes to."""
_WINDOW = 30
"""Pairs that are judged together."""
_FLOOR = 4.0
_OFTEN = 5
"""Times that a word must have been met: rare ones stand behind anything."""


class Order:
    """Learnt once, from the approved texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        step = max(1, len(texts) // _MOST)
        some = texts[::step]
        self._numbers: dict[str, int] = {}
        codes = []
        for at, text in enumerate(some):
            if at % _HELD_OUT:
                codes.append(self._pairs(text, learn=True))
        size = max(1, len(self._numbers))
        flat: Ints = np.concatenate([np.zeros((0, 2), dtype=np.int64), *codes])
        self._size = size
        self._pair, self._count = np.unique(flat[:, 0] * size + flat[:, 1], return_counts=True)
        self._first = np.bincount(flat[:, 0], minlength=size)
        self._total = max(1, len(flat))
        self._second = np.bincount(flat[:, 1], minlength=size) / self._total
        self.held_out = np.array([self.lowest(text) for text in some[::_HELD_OUT]])
        """What the least ordered part of texts that were kept apart comes to."""

    def lowest(self, text: str) -> float:
        """Mean of the least ordered part, in nats a pair; 0 for a text of too few known words."""
        values = self._values(text)
        if len(values) < _WINDOW:
            return 0.0
        sums = np.concatenate([[0.0], np.cumsum(values)])
        return float((sums[_WINDOW:] - sums[:-_WINDOW]).min() / _WINDOW)

    def _values(self, text: str) -> Floats:
        """Of the pairs of words that are both known."""
        pairs = self._pairs(text, learn=False)
        pairs = pairs[(pairs >= 0).all(axis=1)] if len(pairs) else pairs
        if not len(pairs) or not len(self._pair):
            return np.zeros(0)
        often = np.minimum(self._first[pairs[:, 0]], self._second[pairs[:, 1]] * self._total) >= _OFTEN
        codes, first_at = np.unique(pairs[often] @ np.array([self._size, 1]), return_index=True)
        wanted = codes[np.argsort(first_at)]  # a line that comes again is no more evidence
        first, second = wanted // self._size, wanted % self._size
        at = np.minimum(np.searchsorted(self._pair, wanted), len(self._pair) - 1)
        seen = np.where(self._pair[at] == wanted, self._count[at], 0)
        alone = np.maximum(self._second[second], 1e-9)
        ratio = (seen + _PRIOR * alone) / ((self._first[first] + _PRIOR) * alone)
        values: Floats = np.clip(np.log(ratio), -_FLOOR, _FLOOR)
        return values

    def _pairs(self, text: str, *, learn: bool) -> NDArray[np.int64]:
        found = list(_neighbours(text[:LONGEST]))
        if learn:
            for word in chain.from_iterable(found):
                self._numbers.setdefault(word, len(self._numbers))
        numbers = [(self._numbers.get(one, -1), self._numbers.get(other, -1)) for one, other in found]
        return np.array(numbers, dtype=np.int64).reshape(-1, 2)


def _neighbours(text: str) -> Iterator[tuple[str, str]]:
    """Words beside each other, with no mark between them that ends a clause or belongs to code."""
    low = text.lower()
    for left, right in pairwise(_WORD.finditer(low)):
        if _BETWEEN.fullmatch(low, left.end(), right.start()):
            yield left[0], right[0]
