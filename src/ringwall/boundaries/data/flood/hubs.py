"""Passages that are found for questions they have nothing to do with."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from .groups import Space
from .leads import lead
from .passage import PassageLike
from .terms import Floats

_TOP = 5
_WORDS = 8
_FEW = 3
_COVER = 0.6
"""Part of a question's telling words that a passage must have to be found for it."""
_FEWEST = 4
"""Questions that a passage must be found for, whatever the others are."""
_COMMON = 2
_K, _B = 1.2, 0.75


_Question = tuple[tuple[str, str | None], list[int]]


@dataclass(frozen=True, slots=True)
class Hub:
    """A new passage, by row."""

    row: int
    found: int
    """Questions about other documents, each on something else, that it is among the first five for."""
    usual: int
    """The most that any approved passage is."""
    questions: tuple[str, ...]


def hubs(
    space: Space,
    approved: Sequence[PassageLike],
    new: Sequence[PassageLike],
    most: int,
    logged: Iterable[str] = (),
) -> list[Hub]:
    """New passages that are found for at least twice as many foreign questions as any approved passage.

    Questions are the first sentences of up to ``most`` approved passages of different documents, and up to as
    many of ``logged``; of those with the same telling words, one. Ranked by BM25 with each word counted once
    (Robertson 1994), so that repeats win nothing.
    """
    lengths = np.array([len(row) for row in (*space.approved_sets, *space.sets)], dtype=float)
    shorter = (_K + 1) / (1 + _K * (1 - _B + _B * lengths / max(1.0, float(lengths.mean()))))
    old = len(approved)
    found: defaultdict[int, list[int]] = defaultdict(list)
    asked = _questions(space, approved, most, logged)
    for at, ((_, document), terms) in enumerate(asked):
        for row in _first(space, terms, shorter, old):
            if (approved[row] if row < old else new[row - old]).document != document:
                found[row].append(at)
    apart = {row: _apart(asks, asked) for row, asks in found.items()}
    usual = max((len(asks) for row, asks in apart.items() if row < old), default=0)
    least = max(_FEWEST, 2 * usual)
    return [
        Hub(row - old, len(asks), usual, tuple(asked[at][0][0] for at in asks[:3]))
        for row, asks in sorted(apart.items(), key=lambda one: (-len(one[1]), one[0]))
        if row >= old and len(asks) >= least
    ]


def _apart(asks: Sequence[int], asked: Sequence[_Question]) -> list[int]:
    """Those that have hardly a word in common: a page on one topic is found for many questions on it."""
    kept: list[int] = []
    for at in asks:
        mine = set(asked[at][1])
        if all(len(mine.intersection(asked[other][1])) < _COMMON for other in kept):
            kept.append(at)
    return kept


def _questions(
    space: Space, approved: Sequence[PassageLike], most: int, logged: Iterable[str]
) -> list[_Question]:
    """Each with the document that it was made from, and its telling words, the most telling first."""
    kept: dict[tuple[int, ...], tuple[str, str | None]] = {}
    made = 0
    for text, document in (*_made(approved), *((text, None) for text in list(logged)[:most])):
        if document is not None and made >= most:
            continue
        known = space.vocabulary.known(text)
        telling = sorted(known, key=lambda term: -space.rarity[term])[:_WORDS]
        key = tuple(sorted(telling[:_FEW]))
        if len(telling) >= _FEW and key not in kept:
            kept[key] = (" ".join(text.split())[:200], document)
            made += document is not None
    return [(source, _telling(space, source[0])) for source in kept.values()]


def _telling(space: Space, text: str) -> list[int]:
    return sorted(space.vocabulary.known(text), key=lambda term: -space.rarity[term])[:_WORDS]


def _made(approved: Sequence[PassageLike]) -> list[tuple[str, str | None]]:
    """One question a document, those first whose names hash lowest: a sample that stays the same."""
    first: dict[str, PassageLike] = {}
    for passage in approved:
        first.setdefault(passage.document, passage)
    drawn = sorted(first, key=lambda name: blake2b(name.encode("utf-8", "replace"), digest_size=8).digest())
    return [(lead(first[name].text) or first[name].text[:200], name) for name in drawn]


def _first(space: Space, terms: list[int], shorter: Floats, old: int) -> list[int]:
    old_rows, old_sums = space.old.scores(terms, space.rarity, old)
    new_rows, new_sums = space.new.scores(terms, space.rarity, len(space.sets))
    rows, sums = np.concatenate([old_rows, new_rows + old]), np.concatenate([old_sums, new_sums])
    enough = sums >= _COVER * float(space.rarity[terms].sum())
    rows, ranks = rows[enough], (sums * shorter[rows])[enough]
    return [int(row) for row in rows[np.argsort(-ranks, kind="stable")[:_TOP]]]
