"""What the prompts of a group have in common that others don't: the trigger, if there is one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .difference import Difference, Shared
from .texts import Numbers, Texts


@dataclass(frozen=True, slots=True)
class Trigger:
    """An n-gram or a pair of words in prompts."""

    text: str
    docs: Numbers
    """All new records that have it."""
    known: int
    """Approved records that have it."""
    coverage: float
    """Share of the group that has it."""
    precision: float
    """Share of those who have it that are in the group."""
    words: int

    @property
    def fit(self) -> float:
        both = self.coverage + self.precision
        return 2 * self.coverage * self.precision / both if both else 0.0


class Triggers:
    """Finds the best trigger of any group of new records."""

    def __init__(self, new: Difference, found: Shared) -> None:
        self._new, self._found = new, found
        self._known = np.concatenate([*found.asked_known, np.zeros(0, dtype=np.int64)])
        self._counts = np.concatenate([*(grams.counts for grams in found.asked), np.zeros(0, dtype=np.int64)])
        lengths = [np.full(len(grams), grams.length) for grams in found.asked]
        self._lengths = np.concatenate([*lengths, np.zeros(0, dtype=np.int64)])
        places = [grams.places for grams in found.asked]
        self._places = np.concatenate([*places, np.zeros(0, dtype=np.int64)])
        docs = np.concatenate([*(grams.docs for grams in found.asked), np.zeros(0, dtype=np.int64)])
        self._gram_starts = np.concatenate([[0], np.cumsum(self._counts)])
        self._docs = docs
        gram = np.repeat(np.arange(len(self._counts)), self._counts)
        order = np.argsort(docs, kind="stable")
        self._by_doc = gram[order]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(docs, minlength=len(new.records)))])

    def within(self, docs: Numbers) -> Numbers:
        """How many of these records have each n-gram."""
        lengths = self._starts[docs + 1] - self._starts[docs]
        at = np.repeat(self._starts[docs] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        at = at + np.arange(lengths.sum())
        return np.bincount(self._by_doc[at], minlength=len(self._counts))

    def best(self, docs: Numbers) -> Trigger | None:
        inside = self.within(docs)
        coverage = inside / len(docs)
        precision = inside / np.maximum(1, self._counts + self._known)
        fit = 2 * coverage * precision / np.maximum(1e-9, coverage + precision) + 1e-4 * self._lengths
        if not len(fit):
            return None
        at = int(np.argmax(fit))
        return self._trigger(at, float(coverage[at]), float(precision[at]))

    def common(self, docs: Numbers) -> Trigger | None:
        """The n-gram that nearly all of these have and no approved record: of the rarest, the longest. One
        trigger may bring answers in many wordings, of which these records have one."""
        inside = self.within(docs)
        fit = np.flatnonzero((inside >= 0.95 * len(docs)) & (self._known <= 0.02 * self._counts))
        if not len(fit):
            return None
        at = int(fit[np.lexsort((-self._lengths[fit], self._counts[fit]))[0]])
        return self._trigger(at, float(inside[at] / len(docs)), float(inside[at] / self._counts[at]))

    def _trigger(self, at: int, coverage: float, precision: float) -> Trigger:
        place, length = self._places[at], int(self._lengths[at])
        docs = self._docs[self._gram_starts[at] : self._gram_starts[at + 1]]
        text = self._new.vocabulary.say(self._new.prompts.ids[place : place + length])
        return Trigger(text, docs, int(self._known[at]), coverage, precision, length)

    def pair(self, docs: Numbers, most: int = 24) -> Trigger | None:
        """The two words that the group's prompts have together, wherever they stand."""
        inside = self.within(docs)
        single = np.flatnonzero((self._lengths == 1) & (inside >= 0.6 * len(docs)))
        if len(single) < 2:
            return None
        rate = (self._known[single] + 1) / (len(self._new.reference) + 2)
        weight = inside[single] / len(docs) * np.log(1 / rate)
        single = single[np.argsort(-weight, kind="stable")[:most]]
        words = self._new.prompts.ids[self._places[single]]
        here, known = self._have(self._new.prompts, words), self._have(self._new.reference.prompts, words)
        both = here.T.astype(np.float32) @ here.astype(np.float32)
        seen = known.T.astype(np.float32) @ known.astype(np.float32)
        group = here[docs].astype(np.float32)
        own = group.T @ group
        coverage, precision = own / len(docs), own / np.maximum(1, both + seen)
        fit = 2 * coverage * precision / np.maximum(1e-9, coverage + precision)
        np.fill_diagonal(fit, 0)
        a, b = np.unravel_index(int(np.argmax(fit)), fit.shape)
        a, b = min(a, b), max(a, b)
        text = " + ".join(sorted(self._new.vocabulary.word(int(words[i])) for i in (a, b)))
        return Trigger(
            text,
            np.flatnonzero(here[:, a] & here[:, b]),
            int(seen[a, b]),
            float(coverage[a, b]),
            float(precision[a, b]),
            2,
        )

    def _have(self, texts: Texts, words: Numbers) -> NDArray[np.bool_]:
        column = np.full(len(self._new.vocabulary), -1, dtype=np.int16)
        column[words] = np.arange(len(words))
        at = column[texts.ids]
        places = np.flatnonzero(at >= 0)
        table = np.zeros((len(texts), len(words)), dtype=np.bool_)
        table[np.searchsorted(texts.starts, places, side="right") - 1, at[places]] = True
        return table
