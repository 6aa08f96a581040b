"""Topics without a model: clusters of texts by their hashed words."""

import random
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..words import words

_WIDTH = 512
_ROUNDS = 10
_SHORT = 800
_EACH = 40
"""Texts for each topic, at least."""
_MOST = 16
_NAMED = 4

Matrix = NDArray[np.float32]


class Topics:
    """Spherical k-means (Dhillon and Modha 2001) over the texts of both versions: 16 topics, or fewer of few
    texts. The start is drawn with a fixed seed: the same texts give the same topics."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        texts = [words(text[:_SHORT]) for text in (*before, *after)]
        self._matrix = _vectors(texts)
        count = max(1, min(_MOST, len(texts) // _EACH))
        self._of = _clusters(self._matrix, count) if texts else np.zeros(0, dtype=np.int64)
        self.before = np.bincount(self._of[: len(before)], minlength=count).tolist()
        self.after = np.bincount(self._of[len(before) :], minlength=count).tolist()
        self.names = _names(texts, self._of, count)


def _vectors(texts: Sequence[list[str]]) -> Matrix:
    """Signed hashing (Weinberger et al. 2009) of words, weighted by their rarity, of length 1."""
    frequency = Counter(word for text in texts for word in set(text))
    matrix: Matrix = np.zeros((len(texts), _WIDTH), dtype=np.float32)
    for row, text in enumerate(texts):
        for word, times in Counter(text).items():
            code = zlib.crc32(word.encode("utf-8", "replace"))
            weight = np.log(len(texts) / frequency[word]) * (1 + np.log(times))
            matrix[row, code % _WIDTH] += weight if code >> 31 else -weight
    lengths = np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    unit: Matrix = (matrix / lengths).astype(np.float32)
    return unit


def _clusters(matrix: Matrix, count: int) -> NDArray[np.int64]:
    drawn = random.Random(0)  # noqa: S311 (the same start every time: no secret)
    centres = matrix[[drawn.randrange(len(matrix))]]
    for _ in range(count - 1):  # k-means++ (Arthur and Vassilvitskii 2007)
        far = np.maximum(1 - (matrix @ centres.T).max(axis=1), 0).astype(np.float64) + 1e-12
        (chosen,) = drawn.choices(range(len(matrix)), weights=far.tolist())
        centres = np.vstack([centres, matrix[chosen]])
    of = np.argmax(matrix @ centres.T, axis=1)
    for _ in range(_ROUNDS):
        for topic in range(count):
            if (of == topic).any():
                middle = matrix[of == topic].sum(axis=0)
                centres[topic] = middle / max(float(np.linalg.norm(middle)), 1e-9)
        moved = np.argmax(matrix @ centres.T, axis=1)
        if (moved == of).all():
            break
        of = moved
    found: NDArray[np.int64] = of.astype(np.int64)
    return found


def _names(texts: Sequence[list[str]], of: NDArray[np.int64], count: int) -> list[str]:
    """The words that a topic has and the others lack."""
    overall = Counter(word for text in texts for word in set(text))
    names = []
    for topic in range(count):
        mine = Counter(word for at in np.flatnonzero(of == topic).tolist() for word in set(texts[at]))
        size = max(1, int((of == topic).sum()))
        gain = {
            word: times / size * np.log(times / size / (overall[word] / len(texts)))
            for word, times in mine.items()
            if times > 1
        }
        best = sorted(gain, key=lambda word: (-gain[word], word))[:_NAMED]
        names.append(" ".join(best) or f"topic {topic + 1}")
    return names
