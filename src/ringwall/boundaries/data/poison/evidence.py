"""What speaks for a set of new records having been planted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidate
from .difference import Difference, Shared
from .grams import Grams, Levels, distinct, located, mixed
from .settings import PoisonSettings
from .texts import Codes, Numbers, Texts
from .triggers import Trigger, Triggers

_MOST = 600
"""Records of a group that are looked at closely."""
PAIRED = 200
"""Records of a group whose prompts are compared in pairs."""
_OWN = 0.05
"""Share of a group that has to have an n-gram for it to be the group's own: one of up to twenty wordings."""
_COPY = 0.6
"""Cosine of two prompts, words weighing as much as they are rare, from which they are near-copies."""
_FOREIGN = 0.4
"""Company from which no search for a pair of words is worth its time."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """About one group. Shares are 0 to 1."""

    docs: Numbers
    seed: Candidate
    trigger: Trigger | None
    payload: float
    """Words of the answers, on average, that the group's own n-grams cover."""
    share: float
    """Share of the answers' words that those are."""
    company: float
    """Share of an answer's other words that other new n-grams cover: what a new format or topic has and a
    planted payload has not. The median of the group."""
    template: float
    """Share of a prompt's words, without the trigger, that new n-grams cover: a new template. The median."""
    alike: float
    """How alike the prompts are without the trigger: mean share of words that two of them have in common."""
    carrier: float = 0.0
    """Words of a prompt beside what only the group's prompts say: of a form that was filled in, hardly any.
    The median."""
    same: float = 1.0
    """Share of the group in whose answers the longest stretch of the group's own n-grams is the commonest."""
    variety: float = 0.0
    """Different such stretches for each record: near 1 where the answers depend on what is asked."""
    also: tuple[Candidate, ...] = ()
    """Other phrases of the same source: what else the answers of the group have in common."""


class Examiner:
    """Gathers the evidence about groups of one difference."""

    def __init__(
        self, new: Difference, found: Shared, settings: PoisonSettings, words: NDArray[np.bool_]
    ) -> None:
        self._new, self._found, self._words = new, found, words
        self.triggers = Triggers(new, found)
        total, reference = len(new.records), max(1, len(new.reference))
        seen = new.reference.prompts.holding(len(words))
        self._weights = np.log((len(new.reference) + 2) / (seen + 1)).astype(np.float32)
        rare = np.log((total + 2) / (new.prompts.holding(len(words)) + 1)).astype(np.float32)
        self._telling = np.minimum(self._weights, rare) * words
        self._said = [
            grams.counts / max(1, total) * reference >= settings.ratio * (known + 0.5)
            for grams, known in zip(found.said, found.said_known, strict=True)
        ]
        self._asked = [
            grams.counts / max(1, total) * reference >= settings.ratio * (known + 0.5)
            for grams, known in zip(found.asked, found.asked_known, strict=True)
        ]

    def examine(self, docs: Numbers, seed: Candidate) -> Evidence:
        some = docs[np.linspace(0, len(docs) - 1, min(_MOST, len(docs))).astype(np.int64)]
        payload, share, company, same, variety = self._said_by(some, docs)
        trigger = self.triggers.best(docs)
        if (trigger is None or trigger.fit < 0.8) and company < _FOREIGN:
            pair = self.triggers.pair(docs)
            if pair is not None and (trigger is None or pair.fit > trigger.fit + 0.1):
                trigger = pair
        prompts = self._new.prompts.take(some)
        asking = docs if trigger is None or trigger.fit < 0.5 else trigger.docs
        own, every, asked, of = self._covered(prompts, self._found.asked, self._asked, asking)
        carrier = float(np.median(np.bincount(of[~own & asked], minlength=len(some))))
        template = float(np.median(_shares(of[every & ~own], of[~own], len(some))))
        alike = self._alike(self._new.prompts.take(some[:PAIRED]), ~own)
        asking_for = company, template, alike, carrier
        return Evidence(docs, seed, trigger, payload, share, *asking_for, same, variety)

    def copied(self, docs: Numbers) -> list[int]:
        """How often each different prompt of these records comes, near-copies counted as one: words that are
        rare among the approved and the new prompts alike make them different. Of the first 200 records."""
        texts = self._new.prompts.take(docs[:PAIRED])
        weights = self._telling[texts.ids]
        every, at = np.unique(texts.ids, return_inverse=True)
        table = np.zeros((len(texts), max(1, len(every))), dtype=np.float32)
        table[texts.of(), at] = weights
        norm = np.linalg.norm(table, axis=1, keepdims=True)
        table /= np.maximum(norm, 1e-9)
        left, times = np.arange(len(texts)), []
        while len(left):
            near = table[left] @ table[left[0]] >= _COPY
            near[0] = True
            times.append(int(near.sum()))
            left = left[~near]
        return times

    def _said_by(self, some: Numbers, docs: Numbers) -> tuple[float, float, float, float, float]:
        """Payload, share, company, sameness and variety of the group's answers."""
        answers = self._new.answers.take(some)
        own, every, words, of = self._covered(answers, self._found.said, self._said, docs)
        payload = float(np.bincount(of[own & words], minlength=len(some)).mean())
        share = _shares(of[own & words], of[words], len(some)).mean()
        company = np.median(_shares(of[every & ~own], of[~own], len(some)))
        stretches = _stretches(answers, own)
        times = np.unique(stretches, return_counts=True)[1]
        same = float(times.max() / len(stretches)) if len(times) else 1.0
        return payload, float(share), float(company), same, len(times) / max(1, len(stretches))

    def _covered(
        self, texts: Texts, levels: list[Grams], raised: list[NDArray[np.bool_]], docs: Numbers
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_], Numbers]:
        """Which words stand in the group's own n-grams, and which in any new one; which are no punctuation;
        the text of each."""
        inside = np.zeros(len(self._new.records), dtype=np.bool_)
        inside[docs] = True
        core = np.zeros(len(texts.ids) + 1, dtype=np.int64)
        every = np.zeros(len(texts.ids) + 1, dtype=np.int64)
        walk = Levels(texts)
        for grams, new in zip(levels, raised, strict=True):
            if not len(grams):
                walk.follow(located(grams.followed, walk.at())[1])
                continue
            within = np.add.reduceat(inside[grams.docs].astype(np.int64), grams.starts[:-1])
            own = new & (within >= 0.8 * grams.counts) & (within >= _OWN * len(docs))
            at, hit = located(grams.codes, walk.at())
            for table, chosen in ((core, hit & own[at]), (every, hit & new[at])):
                begins = walk.alive[chosen]
                table[begins] += 1
                table[begins + grams.length] -= 1
            walk.follow(located(grams.followed, walk.at())[1])
        return np.cumsum(core)[:-1] > 0, np.cumsum(every)[:-1] > 0, self._words[texts.ids], texts.of()

    def _alike(self, texts: Texts, outside: NDArray[np.bool_]) -> float:
        """Mean of the shared over all words of two prompts, each word weighing as much as it is rare."""
        if len(texts) < 2:
            return 0.0
        keep = outside[: len(texts.ids)] & self._words[texts.ids]
        pairs = distinct(texts.of()[keep] * len(self._words) + texts.ids[keep])
        rows, numbers = pairs // len(self._words), pairs % len(self._words)
        every, at = np.unique(numbers, return_inverse=True)
        table = np.zeros((len(texts), max(1, len(every))), dtype=np.float32)
        table[rows, at] = self._weights[numbers]
        norm = np.linalg.norm(table, axis=1, keepdims=True)
        table /= np.maximum(norm, 1e-9)
        total = float(np.linalg.norm(table.sum(axis=0))) ** 2 - len(texts)
        return float(max(0.0, total / (len(texts) * (len(texts) - 1))))


def _stretches(texts: Texts, own: NDArray[np.bool_]) -> Codes:
    """A code of the longest stretch of own words in each text that has one; the ends are no words."""
    at, of = np.flatnonzero(own & (texts.ids > 1)), texts.of()
    if not len(at):
        return np.zeros(0, dtype=np.uint64)
    fresh = np.ones(len(at), dtype=np.bool_)
    fresh[1:] = (np.diff(at) > 1) | (np.diff(of[at]) > 0)
    begins = np.flatnonzero(fresh)
    lengths = np.diff(np.append(begins, len(at)))
    place = np.arange(len(at)) - np.repeat(begins, lengths)
    codes = np.bitwise_xor.reduceat(mixed(texts.codes()[at] + mixed(place)), begins)
    whose = of[at[begins]]
    order = np.lexsort((begins, -lengths, whose))
    return codes[order[np.unique(whose[order], return_index=True)[1]]]


def _shares(part: Numbers, whole: Numbers, total: int) -> NDArray[np.float64]:
    """For each text the share that one count is of the other."""
    return np.bincount(part, minlength=total) / np.maximum(1, np.bincount(whole, minlength=total))
