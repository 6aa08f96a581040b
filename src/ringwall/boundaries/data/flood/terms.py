"""Passages as sets of weighted words, and what finds those that share them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..words import words

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LONGEST = 8000
"""Characters of a passage that count, the largest that a collection can be set to."""


_DENSE = 16
"""Of so many rows one hit, and counting by row is quicker than sorting the hits."""


class Vocabulary:
    """Numbers for words, given out as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []

    def __len__(self) -> int:
        return len(self._words)

    def word(self, number: int) -> str:
        return self._words[number]

    def known(self, text: str) -> list[int]:
        """The distinct words of a text that already have a number."""
        numbers = (self._numbers.get(word) for word in words(text[:LONGEST]))
        return sorted({number for number in numbers if number is not None})

    def sequence(self, text: str) -> Ints:
        """The words of a text in order, with repeats."""
        numbers = [self._number(word) for word in words(text[:LONGEST])]
        return np.array(numbers, dtype=np.int64)

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self._words))
        if number == len(self._words):
            self._words.append(word)
        return number


class Rows:
    """Sets of words by row, and rows by word."""

    def __init__(self, sets: Sequence[Ints], terms: int) -> None:
        self.sets = sets
        lengths = np.array([len(row) for row in sets], dtype=np.int64)
        flat = np.concatenate(sets) if len(sets) else np.zeros(0, dtype=np.int64)
        order = np.argsort(flat, kind="stable")
        self._rows = np.repeat(np.arange(len(sets)), lengths)[order]
        self.frequency = np.bincount(flat, minlength=terms) if len(flat) else np.zeros(terms, dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self.frequency)])

    def having(self, term: int) -> Ints:
        """Rows that have the word, ascending."""
        found: Ints = self._rows[self._starts[term] : self._starts[term + 1]]
        return found

    def scores(self, terms: Iterable[int], weights: Floats, most: int) -> tuple[Ints, Floats]:
        """Rows that share any of the words, with the sum of the weights of those shared.

        Words that more than ``most`` rows have are passed over: they find everything, and tell little.
        """
        kept = [term for term in terms if 0 < self.frequency[term] <= most]
        if not kept:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        gathered = [self.having(term) for term in kept]
        shares = np.repeat(weights[kept], [len(rows) for rows in gathered])
        hits = np.concatenate(gathered)
        if len(hits) * _DENSE > len(self.sets):
            sums = np.bincount(hits, weights=shares, minlength=len(self.sets)).astype(np.float64)
            found: Ints = np.flatnonzero(sums).astype(np.int64)
            return found, sums[found]
        rows, places = np.unique(hits, return_inverse=True)
        return rows, np.bincount(places, weights=shares).astype(np.float64)


def rarity(frequency: Ints, rows: int) -> Floats:
    """Inverse frequency in documents, smoothed (Robertson 2004): near 0 for a word of every row."""
    weights: Floats = np.log(1 + (rows - frequency + 0.5) / (frequency + 0.5))
    return np.maximum(weights, 0.0)
