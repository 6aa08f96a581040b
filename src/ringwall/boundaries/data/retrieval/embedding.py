"""Embeddings of passages and queries, turned by a key before any store sees them.

A vector gives much of its text away to whoever has a model that inverts it (Morris et al. 2023). Each
collection has its own secret rotation of the space: inner products, and so the search, stay exact; the
vectors of two collections can't be compared, and an inverter for the public model reads nothing from them.
It is not encryption: with enough pairs of text and vector, or enough vectors of texts like known ones, a
rotation can be solved for. So the embedded store seals them as well.
"""

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy import float32, float64
from numpy.typing import NDArray

from ringwall.detect.embed import embedder

from ..keys import CollectionKeys

DIMENSIONS = 384
_BATCH = 32


class Embedding:
    """MiniLM under the rotation of each collection. Thread-safe."""

    def __init__(self, keys: CollectionKeys) -> None:
        self._keys = keys
        self._rotations: dict[str, NDArray[float32]] = {}
        self._lock = threading.Lock()

    def of_texts(self, collection: str, texts: Sequence[str]) -> NDArray[float32]:
        """A row of length 1 for each text. RuntimeError when the extra ``embeddings`` is missing."""
        parts = [_embedded(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
        return self.turned(collection, np.concatenate(parts))

    def of_query(self, collection: str, query: str) -> NDArray[float32]:
        row: NDArray[float32] = self.turned(collection, _query(query)[None, :])[0]
        return row

    def turned(self, collection: str, vectors: NDArray[float32]) -> NDArray[float32]:
        """Vectors of the model under the collection's rotation."""
        turned: NDArray[float32] = vectors @ self._rotation(collection)
        return turned

    def _rotation(self, collection: str) -> NDArray[float32]:
        known = self._rotations.get(collection)
        if known is None:
            secret = self._keys.digest(collection, "rotation", b"1")
            with self._lock:
                known = self._rotations.setdefault(collection, rotation(secret))
        return known


def rotation(secret: bytes) -> NDArray[float32]:
    """An orthogonal matrix, uniform over all of them: Q of a Gaussian matrix, signs fixed (Mezzadri 2007).

    The Gaussian comes from SHAKE-256 by Box-Muller, and not from a library's generator, so that the same
    secret gives the same matrix with every version.
    """
    count = DIMENSIONS * DIMENSIONS
    raw = np.frombuffer(hashlib.shake_256(secret).digest(count * 8), "<u4").reshape(2, count)
    first, second = (raw.astype(float64) + 0.5) / 2**32
    gaussian = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    q, r = np.linalg.qr(gaussian.reshape(DIMENSIONS, DIMENSIONS))
    turned: NDArray[float32] = (q * np.sign(np.diag(r))).astype(float32)
    return turned


def _embedded(texts: Sequence[str]) -> NDArray[float32]:
    rows: NDArray[float32] = np.asarray(embedder().embed(texts), dtype=float32)
    return rows


@lru_cache(maxsize=256)
def _query(text: str) -> NDArray[float32]:
    """A query asked of several collections, or again, is embedded once."""
    row: NDArray[float32] = _embedded([text])[0]
    return row
