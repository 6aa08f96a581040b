"""Passages that are found for questions they have nothing to do with."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .asked import Asked, asked
from .groups import TELLING, Space
from .passage import PassageLike
from .terms import Ints, Rows

_TOP = 5
_COVER = 0.6
"""Part of a question's telling words that a passage must have to be found for it."""
_FEWEST = 6
"""Questions that a passage must be found for, whatever the others are."""
_USUAL = 99.5
_SAMPLE = 2_000
"""Approved passages that tell what is usual."""
_COMMON = 2
_ITEM = re.compile(r"\s{0,8}(?:\d{1,3}[.)]|[-*|\u2022])\s")
_LINES = 4
_HEADING = 10
"""Words of a line that is no item of a list of contents, at most."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A new passage, by row."""

    row: int
    found: tuple[Asked, ...]
    """Questions about other documents, each on something else, that it is among the first five for."""
    usual: int
    """Of 200 approved passages, all but one are found for no more."""

    listed: bool
    """Whether it is a list of contents: found by headings alone, or nothing but items of a list."""


def hubs(
    space: Space,
    approved: Sequence[PassageLike],
    new: Sequence[PassageLike],
    most: int,
    logged: Iterable[str] = (),
) -> list[Hub]:
    """New passages that are found for far more foreign questions than approved passages are.

    For each passage the questions whose telling words it holds are looked up; those that fewer than five
    approved passages are found for count, so it would be among the first five. Each word counts once, so that
    repeats win nothing, and length does not: a search by meaning hardly minds it.
    """
    finder = _Finder(space, asked(space, approved, most, logged))
    step = max(1, len(approved) // _SAMPLE)
    counts = [
        len(finder.found(space.approved_sets[row], approved[row].document))
        for row in range(0, len(approved), step)
    ]
    usual = int(np.percentile(counts, _USUAL)) if counts else 0
    least = max(_FEWEST, 2 * usual)
    out = []
    for row, passage in enumerate(new):
        if len(found := finder.found(space.sets[row], passage.document, least)) >= least:
            listed = all(one.heading for one in found) or _listed(passage.text)
            out.append(Hub(row, tuple(found), usual, listed))
    return sorted(out, key=lambda hub: -len(hub.found))


class _Finder:
    """Which questions a passage is found for."""

    def __init__(self, space: Space, questions: Sequence[Asked]) -> None:
        self._space = space
        self._questions = questions
        self._rows = Rows(
            [np.array(sorted(one.terms), dtype=np.int64) for one in questions], len(space.rarity)
        )
        self._mass = np.array([float(space.rarity[list(one.terms)].sum()) for one in questions])
        self._narrows: dict[int, bool] = {}

    def found(self, words: Ints, document: str, least: int = 1) -> list[Asked]:
        """Those of other documents, each of another one and with hardly a word in common with the others;
        none when there can't be ``least``."""
        telling = words[self._space.rarity[words] > TELLING]
        rows, sums = self._rows.scores(telling.tolist(), self._space.rarity, len(self._questions))
        rows = rows[sums >= _COVER * self._mass[rows]]
        if len(rows) < least:
            return []
        apart = _Apart()
        for at in rows.tolist():
            one = self._questions[at]
            if one.document != document and apart.fits(one) and self._narrow(at):
                apart.add(one)
        return apart.kept

    def _narrow(self, at: int) -> bool:
        """Whether fewer than five approved passages are found for a question: else it is about nothing in
        particular, as what stands on every page is."""
        if at not in self._narrows:
            terms = self._questions[at].terms
            _, sums = self._space.old.scores(terms, self._space.rarity, len(self._space.approved_sets))
            self._narrows[at] = int((sums >= _COVER * self._mass[at]).sum()) < _TOP
        return self._narrows[at]


def _listed(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    others = [line for line in lines if not _ITEM.match(line)]
    return len(lines) >= _LINES * max(1, len(others)) and all(len(one.split()) <= _HEADING for one in others)


class _Apart:
    """Questions that have hardly a word in common: a page on one topic is found for many questions on it."""

    def __init__(self) -> None:
        self.kept: list[Asked] = []
        self._sets: list[frozenset[int]] = []
        self._documents: set[str] = set()

    def fits(self, one: Asked) -> bool:
        mine = frozenset(one.terms)
        return one.document not in self._documents and all(
            len(mine & other) < _COMMON for other in self._sets
        )

    def add(self, one: Asked) -> None:
        self.kept.append(one)
        self._sets.append(frozenset(one.terms))
        if one.document is not None:
            self._documents.add(one.document)
