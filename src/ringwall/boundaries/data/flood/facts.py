"""What a group of passages looks like, in numbers that a reviewer can check."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from .groups import Group, Space
from .leads import body, shared_question
from .passage import PassageLike
from .shingles import Shingles, containment, shingles

_WINDOW = 24
_STEP = 6
_OWN = 3
_PAIRED = 12
_DOCUMENTS = 6
_PASSAGES = 40
_COPY = 0.45
_LONGEST = 8000
_SENTENCE = re.compile(r"(?<=[.!?])\s|\n\s{0,20}\n")
_FIGURES = re.compile(r"\d[\d.,]{0,30}")


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Shares are 0 to 1."""

    passages: int
    documents: int
    terms: int
    """Words of the core."""
    weight: float
    """Rarity of the core's words, summed."""
    gap: float
    """Cover of the core by the group, less cover by the best passages outside of it."""
    approved: float
    """Cover by the best passages of the approved version."""
    density: float
    """Largest part of the core within 24 words of a passage, mean over the group."""
    focus: float
    """Part of the passages' telling words that is core."""
    copied: float
    """Shingles that two passages share behind a leading question, median over the pairs."""
    repeated: float
    """Shingles that the sentences with most of the core share, median over the pairs: 1 for boilerplate."""
    own: float
    """Part of the telling words of a passage that hardly any other has: names and numbers of its own."""
    figures: float
    """Pairs of passages with the same figures in them."""
    aligned: float
    """Part of the other passages of their documents that has a near-copy in another of these documents;
    looked at where the group itself is copies."""
    siblings: float
    """Passages beside those of the group under the same documents and titles, for each document."""
    asked: float
    """Part of the passages that begin with the same question, or nearly."""


class Describer:
    """Computes the facts of groups of new passages."""

    def __init__(self, space: Space, new: Sequence[PassageLike]) -> None:
        self._space = space
        self._new = new
        self._counts = space.old.frequency + space.new.frequency
        self._bodies: dict[int, Shingles] = {}
        self._documents: defaultdict[str, list[int]] = defaultdict(list)
        self._titles: defaultdict[str, list[int]] = defaultdict(list)
        for row, passage in enumerate(new):
            self._documents[passage.document].append(row)
            self._titles[passage.title].append(row)

    def facts(self, group: Group) -> GroupFacts:
        rows, core = group.rows, set(group.core.tolist())
        names = sorted({self._new[row].document for row in rows})
        total = self._mass(core)
        copied = _alike([self._shingles(row) for row in rows[:_PAIRED]])
        repeated = _alike([self._telling_sentence(row, core) for row in rows[:_PAIRED]])
        return GroupFacts(
            passages=len(rows),
            documents=len(names),
            terms=len(core),
            weight=total,
            gap=group.gap,
            approved=group.approved,
            density=fmean(self._densest(row, core) for row in rows) / total,
            focus=fmean(self._part(row, core) for row in rows),
            copied=copied,
            repeated=repeated,
            own=fmean(self._part(row, self._owned(row) - core) for row in rows),
            figures=self._same_figures(rows),
            aligned=self._aligned(rows, names) if max(copied, repeated) >= _COPY else 0.0,
            siblings=self._siblings(rows, names) / len(names),
            asked=self.question(group)[1],
        )

    def question(self, group: Group) -> tuple[str, float]:
        """The question that the group begins with, and the share of its passages that do."""
        return shared_question([self._new[row].text for row in group.rows[:_PAIRED]])

    def _mass(self, terms: Collection[int]) -> float:
        return float(self._space.rarity[list(terms)].sum()) if terms else 0.0

    def _part(self, row: int, terms: set[int]) -> float:
        mine = self._space.sets[row].tolist()
        return self._mass(terms.intersection(mine)) / (self._mass(mine) or 1.0)

    def _owned(self, row: int) -> set[int]:
        return {term for term in self._space.sets[row].tolist() if self._counts[term] <= _OWN}

    def _densest(self, row: int, core: set[int]) -> float:
        sequence = self._space.sequences[row].tolist()
        starts = range(0, max(1, len(sequence) - _WINDOW // 2), _STEP)
        return max(self._mass(core.intersection(sequence[at : at + _WINDOW])) for at in starts)

    def _telling_sentence(self, row: int, core: set[int]) -> Shingles:
        sentences = _SENTENCE.split(body(self._new[row].text)[:_LONGEST])
        return shingles(max(sentences, key=lambda one: self._mass(core.intersection(self._space.known(one)))))

    def _same_figures(self, rows: Sequence[int]) -> float:
        sets = [frozenset(_FIGURES.findall(self._new[row].text[:_LONGEST])) for row in rows[:_PAIRED]]
        return fmean(left == right for left, right in combinations(sets, 2))

    def _aligned(self, rows: Sequence[int], names: Sequence[str]) -> float:
        """At most six documents of forty passages each are held against each other."""
        inside = set(rows)
        beside = [
            [self._shingles(row) for row in self._documents[name][:_PASSAGES] if row not in inside]
            for name in names[:_DOCUMENTS]
        ]
        alike = [
            any(containment(one, other) >= _COPY for there in beside if there is not here for other in there)
            for here in beside
            for one in here
        ]
        return fmean(alike) if alike else 0.0

    def _siblings(self, rows: Sequence[int], names: Sequence[str]) -> int:
        """Passages under one and the same title are taken for pieces of a page, whatever their documents."""
        found = {row for name in names for row in self._documents[name]}
        titles = {self._new[row].title for row in rows}
        for title in titles - {""}:
            found.update(self._titles[title])
        page = len(titles) == 1 and "" not in titles and len(names) > 1
        return max(len(found - set(rows)), len(names) if page else 0)

    def _shingles(self, row: int) -> Shingles:
        if row not in self._bodies:
            self._bodies[row] = shingles(body(self._new[row].text))
        return self._bodies[row]


def _alike(texts: Sequence[Shingles]) -> float:
    return median(containment(left, right) for left, right in combinations(texts, 2))
