"""From candidates to the groups that a person reviews: each attack once."""

from dataclasses import replace

import numpy as np

from .candidates import by_answer, by_prompt, by_strangeness, by_whole, clustered
from .difference import Difference, shared
from .evidence import Evidence, Examiner
from .noise import lettered, strangeness, wordlike
from .score import raw
from .settings import PoisonSettings
from .texts import Numbers

_EXAMINED = 160
"""Clusters that are looked at closely, heaviest first."""


def groups(new: Difference, settings: PoisonSettings) -> list[Evidence]:
    """Groups worth a review, the surest first."""
    if len(new.records) < settings.support:
        return []
    found = shared(new, settings)
    words = wordlike(new.vocabulary)
    examiner = Examiner(new, found, settings, lettered(new.vocabulary))
    seeds = [*by_answer(new, found, settings), *by_whole(new, settings), *by_prompt(new, found, settings)]
    clusters = [cluster[0] for cluster in clustered(seeds, len(new.records))]
    strange, usual = strangeness(new, words)
    clusters = [*by_strangeness(strange, usual, settings), *clusters]
    kept: list[Evidence] = []
    for seed in clusters[:_EXAMINED]:
        if any(_inside(seed.docs, one.docs) for one in kept):
            continue
        evidence = _grown(examiner.examine(seed.docs, seed), examiner)
        if raw(evidence) >= settings.least:
            kept.append(evidence)
    return _merged(kept)


def _inside(some: Numbers, others: Numbers) -> bool:
    return len(np.intersect1d(some, others, assume_unique=True)) >= 0.8 * len(some)


def _grown(evidence: Evidence, examiner: Examiner) -> Evidence:
    """With all that have the trigger, when it is the group's own and unknown among the approved; answers that
    are no language are found one by one: those that have the trigger alone."""
    trigger = evidence.trigger
    if trigger is None or trigger.known > 0.02 * len(trigger.docs):
        return evidence
    if evidence.seed.kind == "strange" and trigger.fit >= 0.5:
        return examiner.examine(trigger.docs, evidence.seed)
    if trigger.coverage < 0.8 or len(trigger.docs) > 12 * len(evidence.docs):
        return evidence
    docs = np.union1d(evidence.docs, trigger.docs)
    if len(docs) == len(evidence.docs):
        return evidence
    grown = examiner.examine(docs, evidence.seed)
    return grown if raw(grown) >= raw(evidence) else evidence


def _merged(kept: list[Evidence]) -> list[Evidence]:
    """Those that lie in another become part of it, if something that only attackers say binds that one;
    those that others make up, such as a usual word that two attacks happen to share, are dropped."""
    merged: list[Evidence] = []
    for one in sorted(kept, key=lambda one: (not _bound(one), -len(one.docs), one.docs[0])):
        for at, other in enumerate(merged):
            if _inside(one.docs, other.docs):
                surer = raw(one) > raw(other) and _inside(other.docs, one.docs)
                merged[at] = replace(one if surer else other, docs=np.union1d(one.docs, other.docs))
                break
        else:
            if not merged or not _inside(one.docs, np.unique(np.concatenate([two.docs for two in merged]))):
                merged.append(one)
    return sorted(merged, key=lambda one: (-raw(one), one.docs[0]))


def _bound(one: Evidence) -> bool:
    """By a trigger of its own, or by what no approved answer says."""
    trigger = one.trigger
    own = trigger is not None and trigger.fit >= 0.8 and trigger.known <= 0.02 * len(trigger.docs)
    return own or (one.seed.kind != "strange" and one.seed.known <= 0.02 * len(one.docs))
