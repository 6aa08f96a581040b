"""n-grams that many texts share: level by level, as Apriori does (Agrawal and Srikant, 1994), on arrays."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .texts import Codes, Numbers, Texts

_Integer = TypeVar("_Integer", bound=np.integer[Any])
_ODD = np.uint64(0x9E3779B97F4A7C15)
_TWO = np.uint64(0xBF58476D1CE4E5B9)


def mixed(numbers: NDArray[np.generic]) -> Codes:
    """64 bits that look random for each number (the finaliser of splitmix64)."""
    x = numbers.astype(np.uint64) + _ODD
    x = (x ^ (x >> np.uint64(30))) * _TWO
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Grams:
    """n-grams of one length. Gram ``g`` is in the texts ``docs[starts[g]:starts[g + 1]]``, ascending."""

    length: int
    codes: Codes
    """Ascending."""
    starts: Numbers
    docs: Numbers
    followed: Codes
    """Those that longer ones may be made of, ascending: also such as stand in their own prompt."""
    places: Numbers
    """Where one occurrence of each gram begins in the words of the texts."""

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def counts(self) -> Numbers:
        return np.diff(self.starts)

    def sets(self) -> Codes:
        """One number for each gram's set of texts: equal sets, equal number."""
        if not len(self):
            return np.zeros(0, dtype=np.uint64)
        return np.add.reduceat(mixed(self.docs), self.starts[:-1])


class Levels:
    """Codes of the n-grams of texts, for n = 1, 2, 3..., each from the level before."""

    def __init__(self, texts: Texts) -> None:
        self._words = texts.codes()
        self.docs = texts.of()
        self._ends = texts.starts[1:][self.docs] if len(texts) else texts.ids
        self.codes = self._words.copy()
        self.alive = np.arange(len(self._words))
        """Where the n-grams begin that are still followed."""
        self.length = 1

    def at(self) -> Codes:
        return self.codes[self.alive]

    def follow(self, kept: NDArray[np.bool_]) -> None:
        """One word more, for those grams whose parts without the last word and without the first are kept."""
        mask = np.zeros(len(self._words) + 1, dtype=np.bool_)
        mask[self.alive[kept]] = True
        here = self.alive[kept]
        here = here[mask[here + 1]]
        here = here[here + self.length < self._ends[here]]
        self.codes[here] = self.codes[here] * _ODD + self._words[here + self.length]
        self.alive = here
        self.length += 1


def mine(texts: Texts, longest: int, support: int, without: Texts | None = None) -> list[Grams]:
    """The n-grams of 1 to ``longest`` words that at least ``support`` texts hold.

    ``without``: other texts, one for each; what a text shares with its own counterpart doesn't count.
    """
    levels, others = Levels(texts), Levels(without) if without is not None else None
    found = []
    while levels.length <= longest and len(levels.alive):
        codes, inverse = np.unique(levels.at(), return_inverse=True)
        pairs, firsts = np.unique(inverse * len(texts) + levels.docs[levels.alive], return_index=True)
        grams, counts = pairs // len(texts), np.bincount(pairs // len(texts), minlength=len(codes))
        kept = counts >= support
        own = pairs
        if others is not None:
            where, same = located(codes, others.at())
            copied = distinct(where[same] * len(texts) + others.docs[others.alive][same])
            fresh = ~np.isin(pairs, copied, assume_unique=True)
            own, grams, firsts = pairs[fresh], grams[fresh], firsts[fresh]
            counts = np.bincount(grams, minlength=len(codes))
            others.follow(same & kept[where])
        wanted = counts >= support
        chosen = wanted[grams]
        starts = np.concatenate([[0], np.cumsum(counts[wanted])])
        places = levels.alive[firsts[chosen][starts[:-1]]]
        docs = (own % len(texts))[chosen]
        found.append(Grams(levels.length, codes[wanted], starts, docs, codes[kept], places))
        levels.follow(kept[inverse])
    return found


def count(texts: Texts, each: list[list[Grams]]) -> list[list[Numbers]]:
    """In how many of these texts each gram is, for each of several lists; the texts are gone through once."""
    longest = max(map(len, each), default=0)
    levels = [[grams[at] for grams in each if at < len(grams)] for at in range(longest)]
    codes = [distinct(np.concatenate([one.codes for one in some])) for some in levels]
    followed = [distinct(np.concatenate([one.followed for one in some])) for some in levels]
    totals = [np.zeros(len(some), dtype=np.int64) for some in codes]
    for block in texts.blocks() if longest else ():
        walk = Levels(block)
        for at_length, (wanted, on) in enumerate(zip(codes, followed, strict=True)):
            at, hit = located(wanted, walk.at())
            pairs = distinct(at[hit] * len(block) + walk.docs[walk.alive][hit])
            totals[at_length] += np.bincount(pairs // len(block), minlength=len(wanted))
            walk.follow(located(on, walk.at())[1])
    return [
        [
            total[np.searchsorted(code, one.codes)]
            for one, code, total in zip(grams, codes, totals, strict=False)
        ]
        for grams in each
    ]


def distinct(numbers: NDArray[_Integer]) -> NDArray[_Integer]:
    """The different numbers, ascending. By sorting: the hash table of ``np.unique`` takes several times
    as long on millions of them."""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def located(codes: Codes, wanted: Codes) -> tuple[Numbers, NDArray[np.bool_]]:
    """Where each of ``wanted`` stands among ``codes``, which ascend, and whether it does."""
    if not len(codes):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    at = np.searchsorted(codes, wanted)
    at[at == len(codes)] = 0
    return at, codes[at] == wanted
