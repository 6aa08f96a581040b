"""The linear tier: a weighted sum of hashed n-grams, in windows, the worst of which counts."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from .features import BITS, Features, features, squeezed

WINDOW, STRIDE = 600, 200
"""Bytes of one look at a long text, and from one to the next."""
LONGEST = 400_000
"""Characters that are looked at at a time, which bounds memory."""
EMPTY = -9.0
"""Log odds of a text without features."""


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Weights: what every text is scored by, and what is added for text from outside."""

    common: npt.NDArray[np.float32]
    outside: npt.NDArray[np.float32]
    bias: tuple[float, float]
    """For what somebody typed, and for text from outside."""

    def score(self, text: str, *, untrusted: bool = False) -> float:
        """Log odds of an attack in the worst window of the text; not yet calibrated."""
        if len(text) > LONGEST:
            starts = range(0, len(text), LONGEST - WINDOW)
            return max(self.score(text[at : at + LONGEST], untrusted=untrusted) for at in starts)
        data = squeezed(text)
        return self.of(features(data), len(data), untrusted=untrusted)

    def of(self, found: Features, size: int, *, untrusted: bool) -> float:
        """The same for features of a squeezed text of ``size`` bytes."""
        if not len(found.rows):
            return EMPTY
        weights = self.common[found.rows]
        if untrusted:
            weights = weights + self.outside[found.rows]
        return self._worst(weights, found.starts, size) + self.bias[untrusted]

    @staticmethod
    def _worst(weights: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], size: int) -> float:
        """Greatest ``sum / sqrt(count)`` of any window."""
        if size <= WINDOW + STRIDE:
            return float(weights.sum() / len(weights) ** 0.5)
        sums, counts = np.zeros(size + 1), np.zeros(size + 1)
        np.cumsum(np.bincount(starts, weights, size), out=sums[1:])
        np.cumsum(np.bincount(starts, minlength=size), out=counts[1:])
        lows = np.arange(0, size - STRIDE, STRIDE)
        highs = np.minimum(lows + WINDOW, size)
        return float(
            ((sums[highs] - sums[lows]) / np.sqrt(np.maximum(1, counts[highs] - counts[lows]))).max()
        )


@cache
def ngrams() -> Ngrams:
    """The weights that ship with Ringwall (``training/linear.py`` made them)."""
    with (files(__package__) / "weights" / "ngram.npz").open("rb") as stored:
        table = np.load(stored, allow_pickle=False)
        common, outside = (
            table[name].astype(np.float32) * table[f"{name}_step"] for name in ("common", "outside")
        )
        bias = table["bias"]
    if common.shape != (1 << BITS,) or outside.shape != common.shape:
        raise ValueError("the n-gram weights are of another shape than the features")
    return Ngrams(common, outside, (float(bias[0]), float(bias[1])))
