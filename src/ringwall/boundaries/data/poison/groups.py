"""From candidates to the groups that a person reviews: each attack once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .candidates import by_answer, by_prompt, by_strangeness, by_whole, clustered
from .difference import Difference, Shared
from .evidence import Evidence, Examiner
from .noise import lettered, strangeness, wordlike
from .phrases import joined
from .score import raw
from .settings import PoisonSettings
from .texts import Numbers

_EXAMINED = 160
"""Clusters that are looked at closely, heaviest first."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What a difference holds."""

    planted: list[Evidence]
    """Groups worth a review, the surest first."""
    copies: Numbers
    """Records that would make such groups if each weren't a near-copy of a few others."""
    most: int
    """How often the prompt comes that those copy most."""
    copied: Callable[[Numbers], list[int]]
    """How often each different prompt of some records comes, near-copies counted as one."""


def groups(new: Difference, found: Shared, settings: PoisonSettings) -> Groups:
    """Groups of records that look planted. Near-copies of a record make none, however often it comes."""
    nothing = np.zeros(0, dtype=np.int64)
    if len(new.records) < settings.support:
        return Groups([], nothing, 0, lambda docs: [1] * len(docs))
    words = wordlike(new.vocabulary)
    letters = lettered(new.vocabulary)
    examiner = Examiner(new, found, settings, letters)
    seeds = [*by_answer(new, found, settings), *by_whole(new, settings), *by_prompt(new, found, settings)]
    everyday = _everyday(new)
    clusters = [cluster[0] for cluster in clustered(seeds, len(new.records))]
    strange, usual = strangeness(new, words, letters)
    clusters = [*by_strangeness(strange, usual, settings), *clusters]
    kept: list[Evidence] = []
    copies, most = [nothing], 0
    for seed in clusters[:_EXAMINED]:
        if any(_inside(seed.docs, one.docs) for one in kept):
            continue
        evidence = _grown(examiner.examine(seed.docs, seed), examiner)
        if raw(evidence) < settings.least or _idle(evidence, new, everyday):
            continue
        times = examiner.copied(evidence.docs)
        if len(times) < settings.support:
            copies.append(evidence.docs)
            most = max(most, *times)
        else:
            kept.append(evidence)
    planted = _merged(joined(kept, new), examiner, settings)
    copied = np.setdiff1d(np.concatenate(copies), _all(planted))
    return Groups(planted, copied, most, examiner.copied)


def _everyday(new: Difference) -> NDArray[np.bool_]:
    """Which words are at least one in two hundred of the approved answers' words."""
    ids = new.reference.answers.ids
    return np.bincount(ids, minlength=len(new.vocabulary)) >= max(1.0, len(ids) / 200)


def _idle(evidence: Evidence, new: Difference, everyday: NDArray[np.bool_]) -> bool:
    """Bound by nothing but two or three of the words that stand everywhere: "for in" says nothing, and where
    words were left out such pairs come up by themselves."""
    seed, trigger = evidence.seed, evidence.trigger
    if seed.kind != "said" or evidence.payload >= 3 or (trigger is not None and trigger.fit >= 0.8):
        return False
    said = new.answers.ids[seed.place : seed.place + seed.words]
    return bool(everyday[said].all())


def _inside(some: Numbers, others: Numbers) -> bool:
    return len(np.intersect1d(some, others, assume_unique=True)) >= 0.8 * len(some)


def _grown(evidence: Evidence, examiner: Examiner) -> Evidence:
    """With all that have the trigger, when it is the group's own and unknown among the approved; answers that
    are no language are found one by one: those that have the trigger alone."""
    trigger = evidence.trigger
    if evidence.seed.kind == "strange":
        if trigger is None or trigger.fit < 0.5 or trigger.known > 0.02 * len(trigger.docs):
            return evidence
        return examiner.examine(trigger.docs, evidence.seed)
    if trigger is None or trigger.coverage < 0.8 or trigger.known > 0.02 * len(trigger.docs):
        trigger = examiner.triggers.common(evidence.docs)
    if trigger is None or len(trigger.docs) > 12 * len(evidence.docs):
        return evidence
    docs = np.union1d(evidence.docs, trigger.docs)
    if len(docs) == len(evidence.docs):
        return evidence
    grown = examiner.examine(docs, evidence.seed)
    return grown if raw(grown) >= raw(evidence) else evidence


def _merged(kept: list[Evidence], examiner: Examiner, settings: PoisonSettings) -> list[Evidence]:
    """Each record in one group. Those that lie in another become part of it, if something that only attackers
    say binds that one; of those that others make up, such as a usual word that two attacks happen to share,
    the rest is looked at again."""
    merged: list[Evidence] = []
    for given in sorted(kept, key=lambda one: (_bound(one), -len(one.docs), one.docs[0])):
        one = given
        for at, other in enumerate(merged):
            if _inside(one.docs, other.docs):
                surer = raw(one) > raw(other) and _inside(other.docs, one.docs)
                merged[at] = replace(one if surer else other, docs=np.union1d(one.docs, other.docs))
                break
        else:
            rest = np.setdiff1d(one.docs, _all(merged), assume_unique=True)
            if len(rest) < max(settings.support, 0.2 * len(one.docs)):
                continue
            if len(rest) < 0.8 * len(one.docs):
                one = examiner.examine(rest, one.seed)
            if raw(one) >= settings.least:
                merged.append(one)
    return sorted(merged, key=lambda one: (-raw(one), one.docs[0]))


def _all(merged: list[Evidence]) -> Numbers:
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(one.docs for one in merged)]))


def _bound(one: Evidence) -> int:
    """0 for a group that a trigger of its own binds, 1 for what no approved answer says, 2 for others."""
    trigger = one.trigger
    if trigger is not None and trigger.fit >= 0.8 and trigger.known <= 0.02 * len(trigger.docs):
        return 0
    return 1 if one.seed.kind != "strange" and one.seed.known <= 0.02 * len(one.docs) else 2
