"""Which words approved preference pairs prefer."""

import zlib

import numpy as np
from numpy.typing import NDArray

from ..records import Record
from .texts import words

_BUCKETS = 1 << 17


class Leaning:
    """Counts of what stands in one answer of a pair alone: naive Bayes over the difference of two answers."""

    def __init__(self) -> None:
        self.pairs = 0
        self._wanted = np.zeros(_BUCKETS, dtype=np.int64)
        self._unwanted = np.zeros(_BUCKETS, dtype=np.int64)

    def add(self, record: Record) -> None:
        wanted, unwanted = _sides(record)
        self._wanted[wanted] += 1
        self._unwanted[unwanted] += 1
        self.pairs += 1

    def margin(self, record: Record) -> float:
        """Above 0 where the answer that is preferred looks more like the approved preferred ones than the
        other does. Mean log odds of what tells the two apart, times the root of how much that is."""
        wanted, unwanted = _sides(record)
        both = np.concatenate([self._odds(wanted), -self._odds(unwanted)])
        return float(both.sum() / np.sqrt(len(both))) if len(both) else 0.0

    def _odds(self, found: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.log((self._wanted[found] + 1.0) / (self._unwanted[found] + 1.0))


def _sides(record: Record) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What stands in the preferred answer alone, and in the other alone: words, and how long it is."""
    wanted, unwanted = _held(record.response), _held(record.rejected)
    return _array(wanted - unwanted), _array(unwanted - wanted)


def _held(text: str) -> set[int]:
    said = words(text)
    told = {zlib.crc32(word.encode("utf-8", "replace")) % _BUCKETS for word in said}
    return told | {zlib.crc32(b"\0length %d" % len(said).bit_length()) % _BUCKETS}


def _array(found: set[int]) -> NDArray[np.int64]:
    return np.array(sorted(found), dtype=np.int64)
