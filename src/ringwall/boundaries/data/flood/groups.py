"""Groups of new passages that answer one narrow question, and nothing else does.

A flood has to be retrieved, so all of its passages hold the words of the question; and it has to convince, so
they hold the words of the answer, close together. Each *window* of a new passage is taken as a seed: with the
nearest windows of other new passages it gives a *core* (the words that most of them share), and the core is
searched for as a retrieval would search for the question. The passages that have the core in one window are
the group; how far the best window of everything else is behind tells a flood from documents on one topic,
where cover falls off gradually and the approved version has some of it too. What a passage holds beside that
window does not count: a claim buried in other text is found as one that stands alone.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from .passage import PassageLike
from .terms import Floats, Ints, Rows, Vocabulary, rarity
from .windows import Window, densest, segments

_NEIGHBOURS = 4
_CLOSER = 8
"""Passages that share most with a seed as a whole, of which the nearest windows are taken."""
_NEAREST = 0.08
"""Part of a seed under which a neighbour is none."""
_SHARE = 0.6
"""Part of a group that must have a word for it to be in the core, and of the core, about, that a window must
have to be in the group."""
_AROUND = (0.45, 0.7)
"""Part of the core between which a group ends."""
_BEHIND = 6
"""Passages outside of a group whose best windows are looked at."""
TELLING = 2.0
"""Rarity from which a word can be in a core: in less than about an eighth of all passages."""
_FEWEST = 3
_MANY = 8
"""Passages that share a new word; more are on a new topic."""
_MOST = 40
"""A group larger than this is a kind of document."""


@dataclass(frozen=True, slots=True)
class Group:
    """New passages (by row) around one core."""

    rows: tuple[int, ...]
    windows: tuple[Window, ...]
    """Where each of them has the most of it."""
    core: Ints
    """Words, by number, the most telling first."""
    weights: Floats
    """How much each word of the core counts."""
    cover: float
    """Mean share of the core that the windows have."""
    behind: float = 0.0
    """Share that the best windows of the three best new passages outside the group have."""
    approved: float = 0.0
    """Share that those of the three best passages of the approved version have."""

    @property
    def gap(self) -> float:
        """How far everything else is behind the group in cover."""
        return self.cover - max(self.behind, self.approved)


class Space:
    """The words of both versions, and what is searched in them."""

    def __init__(self, approved: Sequence[PassageLike], new: Sequence[PassageLike]) -> None:
        self.vocabulary = Vocabulary()
        self._approved = [self.vocabulary.sequence(_whole(passage)) for passage in approved]
        self.approved_sets = [np.unique(sequence) for sequence in self._approved]
        self.sequences = [self.vocabulary.sequence(_whole(passage)) for passage in new]
        self.sets = [np.unique(sequence) for sequence in self.sequences]
        terms = len(self.vocabulary)
        self.old = Rows(self.approved_sets, terms)
        self.new = Rows(self.sets, terms)
        self.rarity = rarity(self.old.frequency + self.new.frequency, len(approved) + len(new))
        self._squared = self.rarity**2
        self._common = max(64, len(new) // 50)
        self._scratch = np.zeros(terms)
        """Weights by word, nothing but zeros between uses: such an array is dear to make each time."""

    def known(self, text: str) -> list[int]:
        """The distinct words of any text that either version has."""
        return self.vocabulary.known(text)

    def groups(self) -> Iterator[Group]:
        """Each group once, from whichever seed it is found first; a passage may be in several."""
        seen: set[tuple[int, ...]] = set()
        tried: set[tuple[int, ...]] = set()
        for members in chain(self._neighbours(), self._named()):
            for group in self._grown(members, tried):
                if group.rows not in seen:
                    seen.add(group.rows)
                    yield self._held_against(group)

    def _neighbours(self) -> Iterator[dict[int, Ints]]:
        for row, sequence in enumerate(self.sequences):
            for segment in segments(sequence):
                yield self._nearest(row, segment)

    def _named(self) -> Iterator[dict[int, Ints]]:
        """Passages that share a word of which no approved one has heard."""
        fit = (self.new.frequency >= _FEWEST) & (self.new.frequency <= _MANY) & (self.old.frequency == 0)
        for term in np.flatnonzero(fit).tolist():
            yield {row: self.sets[row] for row in self.new.having(term).tolist()}

    def _grown(self, near: dict[int, Ints], tried: set[tuple[int, ...]]) -> Iterator[Group]:
        """What the core of the seed's neighbours finds, of the nearest two and of all; and what the core of
        that finds. Floods that one hand wrote share phrases: a few members tell them apart, many do not."""
        for count in sorted({_FEWEST, len(near)}):
            members = dict(list(near.items())[:count])
            for again in (True, False):
                key = (*members, *(word for some in members.values() for word in some[:2].tolist()))
                if len(members) < _FEWEST or key in tried:
                    break
                tried.add(key)
                group = self.around(list(members.values()))
                if group is None:
                    break
                yield group
                if again:
                    members = self._inside(group)

    def _inside(self, group: Group) -> dict[int, Ints]:
        """The words of its windows, by row."""
        return {
            row: np.unique(self.sequences[row][window.start : window.end])
            for row, window in zip(group.rows, group.windows, strict=True)
        }

    def _nearest(self, seed: int, segment: Ints) -> dict[int, Ints]:
        """The words of the seed, and of the windows that share most with it, by row; the nearest first."""
        terms = np.unique(segment)
        rows, shared = self.new.scores(terms.tolist(), self._squared, self._common)
        mass = float(self._squared[terms].sum()) + 1e-9
        enough = (rows != seed) & (shared >= _NEAREST * mass)
        rows, shared = rows[enough], shared[enough]
        weights = self._scratch
        weights[terms] = self._squared[terms] * (self.new.frequency[terms] <= self._common)
        order = np.argsort(-shared, kind="stable")[:_CLOSER]
        found = self._windows(rows[order].tolist(), shared[order].tolist(), weights)
        weights[terms] = 0.0
        least = max(_NEAREST * mass, 0.5 * found[0][0].mass) if found else 0.0
        near = {seed: terms}
        for window, row in found[:_NEIGHBOURS]:
            if window.mass >= least:
                near[row] = np.unique(self.sequences[row][window.start : window.end])
        return near

    def _windows(self, rows: list[int], most: list[float], weights: Floats) -> list[tuple[Window, int]]:
        """The best windows, best first. ``most``: what a window of each row can have at most, falling; those
        that can't be near enough any more are not looked at."""
        found: list[tuple[Window, int]] = []
        best = 0.0
        for row, bound in zip(rows, most, strict=True):
            if bound < 0.5 * best:
                break
            if len(found) >= _NEIGHBOURS and found[_NEIGHBOURS - 1][0].mass > bound + 1e-6:
                break
            window = densest(self.sequences[row], weights)
            best = max(best, window.mass)
            insort(found, (window, row), key=_by_mass)
        return found

    def around(self, members: Sequence[Ints]) -> Group | None:
        """The group that the core of these windows finds; None when it is too small or too large for one."""
        found, counts = np.unique(np.concatenate(members), return_counts=True)
        shared = counts >= np.ceil(_SHARE * len(members) - 1e-9)
        core, share = found[shared], counts[shared] / len(members)
        telling = self.rarity[core] > TELLING
        core, share = core[telling], share[telling]
        if len(core) < 2:
            return None
        weights = self._scratch
        weights[core] = self.rarity[core] * share
        try:
            return self._group(core, weights)
        finally:
            weights[core] = 0.0

    def _group(self, core: Ints, weights: Floats) -> Group | None:
        total = float(weights[core].sum())
        rows, sums = self.new.scores(core.tolist(), weights, len(self.sets))
        near = rows[sums >= _AROUND[0] * total]
        if not _FEWEST <= len(near) <= 2 * _MOST:
            return None
        windows = [densest(self.sequences[row], weights) for row in near.tolist()]
        cover = np.array([window.mass for window in windows]) / total
        inside = cover >= _edge(cover)
        if not _FEWEST <= int(inside.sum()) <= _MOST:
            return None
        order = np.argsort(-weights[core], kind="stable")
        return Group(
            rows=tuple(near[inside].tolist()),
            windows=tuple(window for window, is_in in zip(windows, inside.tolist(), strict=True) if is_in),
            core=core[order],
            weights=weights[core][order],
            cover=float(cover[inside].mean()),
        )

    def _held_against(self, group: Group) -> Group:
        """With what everything else has of its core."""
        weights = self._scratch
        weights[group.core] = group.weights
        total, terms = float(group.weights.sum()), group.core.tolist()
        rest = _without(*self.new.scores(terms, weights, len(self.sets)), np.array(group.rows))
        behind = _best(*rest, weights, self.sequences) / total
        approved = (
            _best(*self.old.scores(terms, weights, len(self._approved)), weights, self._approved) / total
        )
        weights[group.core] = 0.0
        return replace(group, behind=behind, approved=approved)


def _best(rows: Ints, sums: Floats, weights: Floats, sequences: Sequence[Ints]) -> float:
    """Mean of the three largest; of fewer, the missing ones count as none."""
    first = rows[np.argsort(-sums, kind="stable")[:_BEHIND]].tolist()
    masses = sorted((densest(sequences[row], weights).mass for row in first), reverse=True)
    return sum(masses[:3]) / 3


def _by_mass(found: tuple[Window, int]) -> tuple[float, int]:
    return -found[0].mass, found[1]


def _without(rows: Ints, sums: Floats, taken: Ints) -> tuple[Ints, Floats]:
    left = ~np.isin(rows, taken)
    return rows[left], sums[left]


def _whole(passage: PassageLike) -> str:
    return f"{passage.title}\n{passage.text}"


def _edge(covers: Floats) -> float:
    """Where the group ends: in the middle of the widest gap between the covers around ``_SHARE``. A member
    that says one of the words differently is still far ahead of what isn't one."""
    low, high = _AROUND
    between = np.sort(covers[(covers > low) & (covers < high)])
    steps = np.concatenate([[low], between, [high]])
    gaps = np.diff(steps)
    at = int(np.argmax(gaps))
    return _SHARE if not len(between) else float(steps[at] + steps[at + 1]) / 2
