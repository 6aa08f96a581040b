"""Vectors in memory, and the nearest among those that may be read.

Rows lie in blocks: the signs of each vector as 384 bits, the vector in 8-bit steps, the access class and
the passage that it belongs to. A search scores only rows of permitted classes: few are all scored; of many,
those whose signs differ least from the query's are picked first, enough of them that the true neighbours
are among them.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy import bool_, float32, int8, int64, uint8, uint16, uint64
from numpy.typing import NDArray

from .embedding import DIMENSIONS

_BLOCK = 1 << 15
_WORDS = DIMENSIONS // 64
_ALL_SCORED = 20_000
"""Up to so many permitted rows are scored one by one: exact, and a few milliseconds."""
_PICKED = 4_000
"""Of more, so many (or one in 200) are picked by their signs."""
_DEAD = -1
BYTES = DIMENSIONS + _WORDS * 8 + 4 + 4 + 8
"""Memory of one row."""


@dataclass(slots=True)
class _Block:
    signs: NDArray[uint64] = field(default_factory=lambda: np.zeros((_WORDS, _BLOCK), uint64))
    steps: NDArray[int8] = field(default_factory=lambda: np.zeros((_BLOCK, DIMENSIONS), int8))
    scale: NDArray[float32] = field(default_factory=lambda: np.zeros(_BLOCK, float32))
    classes: NDArray[np.int32] = field(default_factory=lambda: np.full(_BLOCK, _DEAD, np.int32))
    passages: NDArray[int64] = field(default_factory=lambda: np.zeros(_BLOCK, int64))


@dataclass(frozen=True, slots=True)
class Quantised:
    """Vectors in 8-bit steps: ``steps * scale`` is within 0.4% of the largest component."""

    steps: NDArray[int8]
    scale: NDArray[float32]

    @classmethod
    def of(cls, vectors: NDArray[float32]) -> "Quantised":
        scale = np.maximum(np.abs(vectors).max(axis=1), 1e-9).astype(float32) / 127
        return cls(np.rint(vectors / scale[:, None]).astype(int8), scale)

    def to_bytes(self) -> bytes:
        return self.scale.astype("<f4").tobytes() + self.steps.tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Quantised":
        """ValueError when the length can't be right."""
        count, rest = divmod(len(raw), DIMENSIONS + 4)
        if rest:
            raise ValueError("not a whole number of vectors")
        scale = np.frombuffer(raw, "<f4", count).astype(float32)
        return cls(np.frombuffer(raw, int8, offset=4 * count).reshape(count, DIMENSIONS), scale)


@dataclass(frozen=True, slots=True)
class Rows:
    """The vectors of one document."""

    key: int
    """By which they are removed."""
    access: int
    """Its access class."""
    passages: Sequence[int]
    vectors: Quantised


class Vectors:
    """The vectors of one collection. Thread-safe."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._size = 0
        self._free: list[int] = []
        self._rows: dict[int, NDArray[int64]] = {}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Rows that can be found."""
        return self._size - len(self._free)

    @property
    def memory(self) -> int:
        """Bytes."""
        return len(self._blocks) * _BLOCK * BYTES

    def add(self, rows: "Sequence[Rows]") -> None:
        """Rows of any number of documents."""
        if not rows:
            return
        passages = np.concatenate([np.asarray(one.passages, int64) for one in rows])
        classes = np.repeat([one.access for one in rows], [len(one.passages) for one in rows])
        steps = np.concatenate([one.vectors.steps for one in rows])
        scale = np.concatenate([one.vectors.scale for one in rows])
        signs = _signs(steps)
        with self._lock:
            places = self._places(len(passages))
            for number in np.unique(places // _BLOCK):
                here = np.flatnonzero(places // _BLOCK == number)
                block, at = self._blocks[number], places[here] % _BLOCK
                block.signs[:, at] = signs[here].T
                block.steps[at] = steps[here]
                block.scale[at] = scale[here]
                block.passages[at] = passages[here]
                block.classes[at] = classes[here]
            end = 0
            for one in rows:
                begin, end = end, end + len(one.passages)
                self._rows[one.key] = places[begin:end]

    def remove(self, key: int) -> None:
        """The rows of a key; nothing happens when there are none. Their vectors are wiped."""
        with self._lock:
            for place in self._rows.pop(key, ()):
                block, at = self._blocks[place // _BLOCK], place % _BLOCK
                block.classes[at] = _DEAD
                block.signs[:, at] = 0
                block.steps[at] = 0
                self._free.append(int(place))

    def nearest(
        self,
        query: NDArray[float32],
        classes: Collection[int],
        count: int,
        least: float,
        only: "Sequence[tuple[int, int, int]] | None" = None,
    ) -> list[tuple[int, float]]:
        """Passages of permitted classes and their cosine, nearest first; those under ``least`` left out.
        ``only``: keys, each with its first and last row that counts."""
        with self._lock:
            permitted = self._permitted(classes)
            if only is not None:
                permitted = [mask & kept for mask, kept in zip(permitted, self._kept(only), strict=True)]
            readable = sum(int(np.count_nonzero(mask)) for mask in permitted)
            if readable > _ALL_SCORED:
                picked = self._picked(query, permitted, max(_PICKED, readable // 200))
            else:
                picked = [np.flatnonzero(mask) for mask in permitted]
            passages, scores = self._scored(query, picked)
        order = np.argsort(-scores, kind="stable")[:count]
        return [(int(passages[at]), float(scores[at])) for at in order if scores[at] >= least]

    def _places(self, count: int) -> NDArray[int64]:
        reused = [self._free.pop() for _ in range(min(count, len(self._free)))]
        fresh = range(self._size, self._size + count - len(reused))
        self._size = fresh.stop
        while self._size > len(self._blocks) * _BLOCK:
            self._blocks.append(_Block())
        return np.array([*reused, *fresh], int64)

    def _permitted(self, classes: Collection[int]) -> list[NDArray[bool_]]:
        """A mask for each block. One more place at the end of the table is what dead rows (-1) look up."""
        if not classes:
            return [np.zeros(_BLOCK, bool_) for _ in self._blocks]
        table = np.zeros(max(classes) + 2, bool_)
        table[list(classes)] = True
        last = len(table) - 1
        return [table[np.where(block.classes < last, block.classes, last)] for block in self._blocks]

    def _kept(self, only: "Sequence[tuple[int, int, int]]") -> list[NDArray[bool_]]:
        """A mask for each block of the rows of these keys."""
        every = np.zeros(len(self._blocks) * _BLOCK, bool_)
        known = ((self._rows.get(key), first, last) for key, first, last in only)
        places = [rows[first : last + 1] for rows, first, last in known if rows is not None]
        if places:
            every[np.concatenate(places)] = True
        return np.split(every, len(self._blocks)) if self._blocks else []

    def _picked(
        self, query: NDArray[float32], permitted: list[NDArray[bool_]], wanted: int
    ) -> list[NDArray[np.intp]]:
        """Rows of each block within the smallest distance that holds ``wanted`` rows in all."""
        asked = _signs(query[None, :])[0]
        distances = []
        counts = np.zeros(DIMENSIONS + 1, int64)
        for block, mask in zip(self._blocks, permitted, strict=True):
            distance = np.zeros(_BLOCK, uint16)
            for word in range(_WORDS):
                distance += np.bitwise_count(block.signs[word] ^ asked[word])
            distances.append(distance)
            counts += np.bincount(distance[mask], minlength=DIMENSIONS + 1)
        limit = int(np.searchsorted(np.cumsum(counts), wanted))
        return [
            np.flatnonzero((distance <= limit) & mask)
            for distance, mask in zip(distances, permitted, strict=True)
        ]

    def _scored(
        self, query: NDArray[float32], picked: list[NDArray[np.intp]]
    ) -> tuple[NDArray[int64], NDArray[float32]]:
        """Not by ``@``: it wants a copy of the rows in 32 bits, and threads that wait for each other when the
        machine is busy."""
        passages: list[NDArray[int64]] = [np.zeros(0, int64)]
        scores: list[NDArray[float32]] = [np.zeros(0, float32)]
        for block, rows in zip(self._blocks, picked, strict=True):
            passages.append(block.passages[rows])
            products = np.einsum("ij,j->i", block.steps[rows], query, dtype=float32, casting="unsafe")
            scores.append(products * block.scale[rows])
        return np.concatenate(passages), np.concatenate(scores)


def _signs(vectors: NDArray[float32] | NDArray[int8]) -> NDArray[uint64]:
    bits: NDArray[uint8] = np.packbits(vectors > 0, axis=1)
    return bits.view(uint64)
