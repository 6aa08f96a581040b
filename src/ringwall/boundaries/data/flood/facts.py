"""What a group of passages looks like, in numbers that a reviewer can check."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from ringwall.detect import language

from .groups import TELLING, Group, Space
from .leads import body, lead, shared_question
from .passage import PassageLike
from .shingles import Shingles, containment, shingles

_OWN = 3
_SHARED = 0.6
_PAIRED = 12
_DOCUMENTS = 6
_PASSAGES = 40
_COPY = 0.45
_SAME = 0.9
_USUAL = 4000
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
    """Rarity of the core's words, summed; in a small index as much more as words can be rarer in one of 4,000
    passages."""
    cover: float
    """Part of the core that the windows of the group have, on average."""
    gap: float
    """That, less cover by the best windows outside of the group."""
    approved: float
    """Cover by the best windows of the approved version."""
    focus: float
    """Part of the windows' telling words that is core."""
    beyond: float
    """Words that most of the passages share outside of their windows, against the core: reports of one event
    have much more in common than one claim."""
    copied: float
    """Shingles that two passages share behind a leading question, or a lead that all have, median over the
    pairs."""
    repeated: float
    """Shingles that the sentences with most of the core share, median over the pairs: 1 for boilerplate."""
    restated: float
    """Part of the core that the other sentences hold: a question that all repeat is answered by them."""
    own: float
    """Part of the telling words of a window that hardly any other passage has: names and numbers of its
    own."""
    figures: float
    """Pairs of passages with the same figures in them."""
    aligned: float
    """Part of the other passages of their documents that has a near-copy in another of these documents;
    looked at where the group itself is copies."""
    siblings: float
    """Passages beside those of the group under the same documents and titles, for each document."""
    placed: float
    """Part of the windows that stand at the end of their passages, or at the start, whichever is more."""
    languages: int
    """Languages that the passages are in, as far as they can be told."""
    asked: float
    """Part of the passages that begin with the same question, or nearly."""


class Describer:
    """Computes the facts of groups of new passages."""

    def __init__(self, space: Space, new: Sequence[PassageLike]) -> None:
        self._space = space
        self._new = new
        self._scale = max(
            1.0, math.log(_USUAL) / math.log(max(len(space.sets) + len(space.approved_sets), 8))
        )
        self._counts = space.old.frequency + space.new.frequency
        self._bodies: dict[int, Shingles] = {}
        self._languages: dict[int, str] = {}
        self._sentences: dict[int, list[tuple[str, frozenset[int]]]] = {}
        self._documents: defaultdict[str, list[int]] = defaultdict(list)
        self._titles: defaultdict[str, list[int]] = defaultdict(list)
        for row, passage in enumerate(new):
            self._documents[passage.document].append(row)
            self._titles[passage.title].append(row)

    def facts(self, group: Group) -> GroupFacts:
        rows, core = group.rows, set(group.core.tolist())
        names = sorted({self._new[row].document for row in rows})
        total = self._mass(core)
        inside = [
            set(self._space.sequences[row][window.start : window.end].tolist())
            for row, window in zip(rows, group.windows, strict=True)
        ]
        copied = _alike(self._behind_lead(rows[:_PAIRED]))
        told = [self._told(row, core) for row in rows[:_PAIRED]]
        repeated = _alike([sentence for sentence, _ in told])
        return GroupFacts(
            passages=len(rows),
            documents=len(names),
            terms=len(core),
            weight=total * self._scale,
            cover=group.cover,
            gap=group.gap,
            approved=group.approved,
            focus=fmean(self._part(words, core) for words in inside),
            beyond=self._beyond(rows, inside, core) / total,
            copied=copied,
            repeated=repeated,
            restated=fmean(others for _, others in told),
            own=fmean(self._part(words, self._owned(words) - core) for words in inside),
            figures=self._same_figures(rows),
            aligned=self._aligned(rows, names) if max(copied, repeated) >= _COPY else 0.0,
            siblings=self._siblings(rows, names) / len(names),
            placed=self._placed(group),
            languages=len({self._language(row) for row in rows} - {""}),
            asked=self.question(group)[1],
        )

    def question(self, group: Group) -> tuple[str, float]:
        """The question that the group begins with, and the share of its passages that do."""
        return shared_question([self._new[row].text for row in group.rows[:_PAIRED]])

    def _language(self, row: int) -> str:
        """Empty where it can't be told."""
        if row not in self._languages:
            guess = language.guess(self._new[row].text[: language.LONGEST])
            self._languages[row] = guess.language if guess else ""
        return self._languages[row]

    def _mass(self, terms: Collection[int]) -> float:
        return float(self._space.rarity[list(terms)].sum()) if terms else 0.0

    def _part(self, words: set[int], terms: set[int]) -> float:
        return self._mass(terms & words) / (self._mass(words) or 1.0)

    def _owned(self, words: set[int]) -> set[int]:
        return {term for term in words if self._counts[term] <= _OWN}

    def _beyond(self, rows: Sequence[int], inside: Sequence[set[int]], core: set[int]) -> float:
        counts: Counter[int] = Counter()
        for row, words in zip(rows, inside, strict=True):
            counts.update(set(self._space.sets[row].tolist()) - words - core)
        shared = {term for term, count in counts.items() if count >= _SHARED * len(rows)}
        return self._mass({term for term in shared if self._space.rarity[term] > TELLING})

    def _told(self, row: int, core: set[int]) -> tuple[Shingles, float]:
        """The sentence that holds most of the core, and the part of the core that the others hold."""
        if row not in self._sentences:
            cut = _SENTENCE.split(body(self._new[row].text)[:_LONGEST])
            self._sentences[row] = [(one, frozenset(self._space.known(one))) for one in cut]
        sentences = self._sentences[row]
        held = [core & words for _, words in sentences]
        best = max(range(len(held)), key=lambda at: self._mass(held[at]))
        others = set().union(*held[:best], *held[best + 1 :])
        return shingles(sentences[best][0]), self._mass(others) / self._mass(core)

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

    def _behind_lead(self, rows: Sequence[int]) -> list[Shingles]:
        texts = [self._new[row].text for row in rows]
        leads = [lead(text) for text in texts]
        if not all(leads) or _alike([shingles(first) for first in leads]) < _SAME:
            return [self._shingles(row) for row in rows]
        return [shingles(text.partition(first)[2]) for text, first in zip(texts, leads, strict=True)]

    def _placed(self, group: Group) -> float:
        """A window is as long as a short passage, which is then both."""
        windows = list(zip(group.rows, group.windows, strict=True))
        starts = fmean(not window.start for _, window in windows)
        return max(starts, fmean(window.end == len(self._space.sequences[row]) for row, window in windows))

    def _shingles(self, row: int) -> Shingles:
        if row not in self._bodies:
            self._bodies[row] = shingles(body(self._new[row].text))
        return self._bodies[row]


def _alike(texts: Sequence[Shingles]) -> float:
    return median(containment(left, right) for left, right in combinations(texts, 2))
