"""Groups of new passages that answer one narrow question, and nothing else does.

A flood has to be retrieved, so all of its passages hold the words of the question; and it has to convince, so
they hold the words of the answer. Each new passage is taken as a seed: with its nearest new neighbours it
gives a *core* (the words that most of them share), and the core is searched for as a retrieval would search
for the question. What covers the core is the group; how far everything else is behind it tells a flood from
documents on one topic, where cover falls off gradually and the approved version has some of it too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from .passage import PassageLike
from .terms import Floats, Ints, Rows, Vocabulary, rarity

_NEIGHBOURS = 4
_NEAREST = 0.08
"""Cosine under which a neighbour is none."""
_SHARE = 0.6
"""Part of a group that must have a word for it to be in the core, and of the core, about, that a passage must
have to be in the group."""
_AROUND = (0.45, 0.7)
"""Part of the core between which a group ends."""
_TELLING = 2.0
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
    core: Ints
    """Words, by number, the most telling first."""
    weights: Floats
    """How much each word of the core counts."""
    cover: float
    """Mean share of the core that the passages of the group have."""
    behind: float
    """Share that the three best new passages outside the group have."""
    approved: float
    """Share that the three best passages of the approved version have."""

    @property
    def gap(self) -> float:
        """How far everything else is behind the group in cover."""
        return self.cover - max(self.behind, self.approved)


class Space:
    """The words of both versions, and what is searched in them."""

    def __init__(self, approved: Sequence[PassageLike], new: Sequence[PassageLike]) -> None:
        self.vocabulary = Vocabulary()
        self.approved_sets = [self.vocabulary.ids(_whole(passage)) for passage in approved]
        self.sequences = [self.vocabulary.sequence(_whole(passage)) for passage in new]
        self.sets = [np.unique(sequence) for sequence in self.sequences]
        terms = len(self.vocabulary)
        self.old = Rows(self.approved_sets, terms)
        self.new = Rows(self.sets, terms)
        self.rarity = rarity(self.old.frequency + self.new.frequency, len(approved) + len(new))
        self._squared = self.rarity**2
        self._norms = np.array([np.sqrt(self._squared[row].sum()) for row in self.sets])
        self._common = max(64, len(new) // 50)

    def known(self, text: str) -> list[int]:
        """The distinct words of any text that either version has."""
        return self.vocabulary.known(text)

    def groups(self) -> Iterator[Group]:
        """Each group once, from whichever seed it is found first; a passage may be in several."""
        seen: set[tuple[int, ...]] = set()
        for members in chain(map(self._nearest, range(len(self.sets))), self._named()):
            for group in self._grown(members):
                if group.rows not in seen:
                    seen.add(group.rows)
                    yield group

    def _named(self) -> Iterator[list[int]]:
        """Passages that share a word of which no approved one has heard: in a long passage on other things,
        that is all that brings members of a flood together."""
        fit = (self.new.frequency >= _FEWEST) & (self.new.frequency <= _MANY) & (self.old.frequency == 0)
        for term in np.flatnonzero(fit).tolist():
            yield self.new.having(term).tolist()

    def _grown(self, near: list[int]) -> Iterator[Group]:
        """What the core of the seed's neighbours finds, of the nearest two and of all; and what the core of
        that finds. Floods that one hand wrote share phrases: a few members tell them apart, many do not."""
        for count in sorted({_FEWEST, len(near)}):
            members = near[:count]
            for _ in range(2):
                group = self.around(members) if len(members) >= _FEWEST else None
                if group is None:
                    break
                yield group
                members = list(group.rows)

    def _nearest(self, seed: int) -> list[int]:
        rows, shared = self.new.scores(self.sets[seed].tolist(), self._squared, self._common)
        others = rows != seed
        rows, shared = rows[others], shared[others]
        cosines = shared / (self._norms[rows] * self._norms[seed] + 1e-9)
        best = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
        least = max(_NEAREST, 0.5 * cosines[best[0]]) if len(best) else 0.0
        return [seed, *(int(rows[at]) for at in best if cosines[at] >= least)]

    def around(self, members: Sequence[int]) -> Group | None:
        """The group that the core of these passages finds; None when it is too small or too large for one."""
        found, counts = np.unique(np.concatenate([self.sets[row] for row in members]), return_counts=True)
        shared = counts >= np.ceil(_SHARE * len(members) - 1e-9)
        core, share = found[shared], counts[shared] / len(members)
        telling = self.rarity[core] > _TELLING
        core, share = core[telling], share[telling]
        if len(core) < 2:
            return None
        weights = np.zeros(len(self.rarity))
        weights[core] = self.rarity[core] * share
        total = float(weights.sum())
        rows, sums = self.new.scores(core.tolist(), weights, len(self.sets))
        cover = sums / total
        inside = cover >= _edge(cover)
        if not _FEWEST <= int(inside.sum()) <= _MOST:
            return None
        _, old = self.old.scores(core.tolist(), weights, len(self.approved_sets))
        order = np.argsort(-weights[core], kind="stable")
        return Group(
            rows=tuple(rows[inside].tolist()),
            core=core[order],
            weights=weights[core][order],
            cover=float(cover[inside].mean()),
            behind=_best(cover[~inside]),
            approved=_best(old / total),
        )


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


def _best(covers: Floats) -> float:
    """Mean of the three largest; of fewer, the missing ones count as none."""
    return float(np.sort(covers)[::-1][:3].sum() / 3) if len(covers) else 0.0
