"""Texts as points: near means alike in content."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ringwall.detect import embed

from .grams import mixed
from .texts import Numbers, Texts, Vocabulary

Vectors = NDArray[np.float32]
"""A row of length 1, or 0 where there is nothing to say, for each text."""
Embed = Callable[[Texts], Vectors]

_BITS = 256
_CHUNK = 20_000
_BATCH, _DIMENSIONS = 32, 384


def by_words(weights: NDArray[np.float32]) -> Embed:
    """By the words that two texts share, each weighing as much as it is rare: TF-IDF under a random
    projection to 256 signs a word (Achlioptas 2003), drawn from a hash of the word. The same on every
    machine. Knows no synonyms."""

    def embedded(texts: Texts) -> Vectors:
        size = max(1, len(weights))
        pairs, times = np.unique(texts.of() * size + texts.ids, return_counts=True)
        of, word = pairs // size, pairs % size
        amount = (weights[word] * (1 + np.log(times))).astype(np.float32)
        total = np.zeros((len(texts), _BITS), dtype=np.float32)
        for at in range(0, len(pairs), _CHUNK):
            part = slice(at, at + _CHUNK)
            rows, first = np.unique(of[part], return_index=True)
            signs = _signs(texts.table[word[part]]) * amount[part, None]
            total[rows] += np.add.reduceat(signs, first, axis=0)
        return _unit(total)

    return embedded


def _signs(codes: NDArray[np.uint64]) -> Vectors:
    """256 signs for each word."""
    parts = [mixed(codes + np.uint64(at)) for at in range(_BITS // 64)]
    bits = np.unpackbits(np.stack(parts, axis=1).astype("<u8").view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def by_model(vocabulary: Vocabulary) -> Embed:
    """By meaning: MiniLM, some 2 ms a text. RuntimeError when the extra ``embeddings`` is missing."""
    model = embed.embedder()

    def embedded(texts: Texts) -> Vectors:
        total = np.zeros((len(texts), _DIMENSIONS), dtype=np.float32)
        order = np.argsort(texts.lengths, kind="stable")
        for at in range(0, len(order), _BATCH):
            some = order[at : at + _BATCH]
            total[some] = model.embed([vocabulary.say(texts.one(number)) for number in some])
        return total

    return embedded


def _unit(rows: Vectors) -> Vectors:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(norm > 0, rows / np.maximum(norm, 1e-9), 0).astype(np.float32)


def cohesion(rows: Vectors) -> float:
    """Mean similarity of two of them; 0 for fewer than two."""
    many = len(rows)
    if many < 2:
        return 0.0
    total = float(np.square(rows.sum(axis=0), dtype=np.float64).sum()) - float(np.square(rows).sum())
    return total / (many * (many - 1))


def nearest(rows: Vectors, others: Vectors) -> NDArray[np.float32]:
    """Similarity of each row to the nearest of the others."""
    if not len(others):
        return np.zeros(len(rows), dtype=np.float32)
    blocks = [(rows[at : at + 1_000] @ others.T).max(axis=1) for at in range(0, len(rows), 1_000)]
    return np.concatenate([np.zeros(0, dtype=np.float32), *blocks])


def pieces(texts: Texts, ends: NDArray[np.bool_], most: int = 12) -> tuple[Texts, Numbers]:
    """Sentences of each text, or 24 words where it has none: the first and the last few of a long one; and
    the text of each. ``ends``: which numbers stand for the end of a sentence."""
    found: list[tuple[int, int]] = []
    of: list[int] = []
    stops = ends[texts.ids]
    for at in range(len(texts)):
        begin, last = int(texts.starts[at]) + 1, int(texts.starts[at + 1]) - 1
        cuts, place = [], begin
        for word in range(begin, last):
            if (stops[word] and word - place >= _LEAST) or word - place + 1 >= _LONGEST or word == last - 1:
                cuts.append((place, word + 1))
                place = word + 1
        chosen = cuts if len(cuts) <= most else [*cuts[: most // 2], *cuts[-(most // 2) :]]
        found += chosen
        of += [at] * len(chosen)
    lengths = np.array([end - begin for begin, end in found], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    begins = np.array([begin for begin, _ in found], dtype=np.int64)
    places = np.repeat(begins - starts[:-1], lengths) + np.arange(starts[-1])
    return Texts(texts.ids[places], starts, texts.table), np.array(of, dtype=np.int64)


_LEAST, _LONGEST = 3, 24
"""Words of a piece, at least and at most."""
