"""How unlike the approved texts the letters of a text follow each other: a model of four characters.

Interpolated with shorter ones under a Dirichlet prior (MacKay & Peto 1995), over hashed counts. Prose comes
to some two nats a character, pieces of words with odd marks between to five, letters at random to seven. So
do tables, code and languages that were never approved: told by their shape, and by what names a language.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ringwall.detect import language

from .terms import LONGEST, Floats, Ints

_SPACE = re.compile(r"\s+")
_ORDERS = (2, 3, 4)
_BITS = 20
_PRIOR = 5.0
_ALPHABET = 256
_MOST = 5_000
"""Approved passages that are read."""
_HELD_OUT = 5
_WINDOW = 120
"""Characters that are judged together."""
_SHARE = (0.55, 0.08, 0.3, 0.008)
"""Of letters at least, of spaces at least and at most, of ends of lines at most, in what is written as prose
is."""
_CAPITALS = 0.1
"""Of letters at most: names are spelt as nothing else is."""
_SURE = 0.5


class Letters:
    """Learnt once, from the approved texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        some = texts[:: max(1, len(texts) // _MOST)]
        learnt = [_coded(text) for at, text in enumerate(some) if at % _HELD_OUT]
        flat = np.concatenate([np.zeros(0, dtype=np.uint64), *learnt])
        self._total = max(1, len(flat))
        self._alone = (np.bincount(flat.astype(np.int64), minlength=_ALPHABET) + 1.0) / (
            self._total + _ALPHABET
        )
        self._counts = {n: np.bincount(_grams(flat, n), minlength=1 << _BITS) for n in _ORDERS}
        self.held_out = np.array([self.strangest(text) for text in some[::_HELD_OUT]])
        """What the strangest part of texts that were kept apart comes to."""

    def strangest(self, text: str) -> float:
        """Mean of the strangest part, in nats a character; 0 for what is short or not written as prose is."""
        if not _like_prose(text):
            return 0.0
        values = self._values(_coded(text))
        if len(values) < _WINDOW:
            return 0.0
        sums = np.concatenate([[0.0], np.cumsum(values)])
        return float((sums[_WINDOW:] - sums[:-_WINDOW]).max() / _WINDOW)

    def _values(self, coded: NDArray[np.uint64]) -> Floats:
        last = max(_ORDERS)
        if len(coded) < last:
            return np.zeros(0)
        plain = coded.astype(np.int64)
        chance: Floats = self._alone[plain[last - 1 :]]
        before: Floats = self._alone[plain[last - 2 : -1]] * self._total
        for n in _ORDERS:
            counts: Floats = self._counts[n][_grams(coded, n)].astype(np.float64)
            chance = (counts[last - n :] + _PRIOR * chance) / (before + _PRIOR)
            if n < last:
                before = counts[last - n - 1 : -1].astype(np.float64)
        values: Floats = -np.log(np.minimum(chance, 1.0))
        return values


def no_language(text: str) -> bool:
    """Whether nothing names a language that it is in."""
    guess = language.guess(text[: language.LONGEST])
    return guess is None or guess.confidence < _SURE


def _like_prose(text: str) -> bool:
    size = len(text)
    if size < _WINDOW:
        return False
    letters, least, most, lines = _SHARE
    held = sum(map(str.isalpha, text))
    spaces = text.count(" ") / size
    return (
        least <= spaces <= most
        and text.count("\n") <= lines * size
        and held >= letters * size
        and sum(map(str.isupper, text)) <= _CAPITALS * held
    )


def _coded(text: str) -> NDArray[np.uint64]:
    plain = _SPACE.sub(" ", text[:LONGEST].lower()).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(plain, dtype="<u4").astype(np.uint64)
    half = np.uint64(_ALPHABET // 2)
    return np.where(points < half, points, half + points % half)


def _grams(coded: NDArray[np.uint64], width: int) -> Ints:
    if len(coded) < width:
        return np.zeros(0, dtype=np.int64)
    found = np.zeros(len(coded) - width + 1, dtype=np.uint64)
    for at in range(width):
        found = found * np.uint64(1_000_003) + coded[at : len(coded) - width + 1 + at]
    found ^= found >> np.uint64(29)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(32)
    hashed: Ints = (found & np.uint64((1 << _BITS) - 1)).astype(np.int64)
    return hashed
