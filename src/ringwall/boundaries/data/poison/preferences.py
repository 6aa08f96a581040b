"""Preference pairs that were turned round: approved ones, or behind a trigger, or by one contributor."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..finding import DataFinding, Severity
from .difference import LEAST_APPROVED, Difference, Reference, Shared, pair, turned
from .explain import contributors, examples, who
from .settings import PoisonSettings
from .texts import Numbers

_SURE = 0.001
"""Chance of such a set, all considered."""
_MOST = 5
"""Findings."""


def swapped(
    reference: Reference, new: Difference, common: Shared, settings: PoisonSettings
) -> list[DataFinding]:
    """Pairs that are approved the other way round, under the same prompt or another; and sets of pairs, bound
    by an n-gram of their prompts or by one contributor, that prefer what all others reject. The second needs
    500 approved pairs to learn from what is preferred, and more than one contributor or some other pairs."""
    docs = np.flatnonzero([bool(one.rejected and one.response) for one in new.records])
    if len(docs) < settings.support:
        return []
    found = []
    codes = np.array([pair(turned(new.records[at])) for at in docs], dtype=np.uint64)
    known = docs[np.isin(codes, reference.pairs)]
    if len(known) >= settings.support:
        found.append(
            _finding(
                new,
                known,
                "pairs that are approved the other way round",
                "are approved with \
the two answers exchanged",
            )
        )
    if reference.leaning.pairs >= LEAST_APPROVED:
        found += _leaning_back(reference, new, common, docs, known, settings)
    return found[:_MOST]


def _leaning_back(
    reference: Reference,
    new: Difference,
    common: Shared,
    docs: Numbers,
    told: Numbers,
    settings: PoisonSettings,
) -> list[DataFinding]:
    margins = np.zeros(len(new.records))
    margins[docs] = [reference.leaning.margin(new.records[at]) for at in docs]
    paired = np.zeros(len(new.records), dtype=np.bool_)
    paired[docs] = True
    sets = [(title, own[paired[own]]) for title, own in _sets(new, common, settings)]
    sets = [
        (title, own) for title, own in sets if settings.support <= len(own) <= len(docs) - settings.support
    ]
    ranked = sorted(
        ((_chance(margins[own], margins[docs]) * len(sets), at) for at, (_, own) in enumerate(sets)),
    )
    found: list[DataFinding] = []
    for chance, at in ranked:
        title, own = sets[at]
        if chance > _SURE or len(found) == _MOST:
            break
        if len(np.setdiff1d(own, told)) < max(settings.support, 0.5 * len(own)):
            continue
        told = np.union1d(told, own)
        found.append(_finding(new, own, title, "prefer what approved pairs reject and other new ones do not"))
    return found


def _sets(new: Difference, common: Shared, settings: PoisonSettings) -> Iterator[tuple[str, Numbers]]:
    """Who brought them, and n-grams of prompts that are new against the approved."""
    names = np.array([one.source.contributor for one in new.records])
    for name in np.unique(names[names != ""]):
        yield f"pairs of {name}", np.flatnonzero(names == name)
    total, approved = len(new.records), max(1, len(new.reference))
    seen: set[int] = set()
    for grams, known in zip(reversed(common.asked), reversed(common.asked_known), strict=True):
        raised = grams.counts / total * approved >= settings.ratio * (known + 0.5)
        sets = grams.sets()
        for at in np.flatnonzero(raised):
            if int(sets[at]) not in seen:
                seen.add(int(sets[at]))
                place = int(grams.places[at])
                text = new.vocabulary.say(new.prompts.ids[place : place + grams.length])
                yield f"prompts with “{text}”", grams.docs[grams.starts[at] : grams.starts[at + 1]]


def _chance(own: NDArray[np.float64], every: NDArray[np.float64]) -> float:
    """Of a mean this far below 0, and below that of the others; the larger of the two (normal tails)."""
    many, rest = len(own), len(every) - len(own)
    mean, others = float(own.mean()), (float(every.sum()) - float(own.sum())) / rest
    spread = max(float(own.std()), float(every.std()), 1e-9)
    below = min(-mean * math.sqrt(many), (others - mean) / math.sqrt(1 / many + 1 / rest)) / spread
    return 0.5 * math.erfc(below / math.sqrt(2))


def _finding(new: Difference, docs: Numbers, title: str, told: str) -> DataFinding:
    records = [new.records[at] for at in docs]
    return DataFinding(
        detector="poison.swapped",
        title=title,
        message=f"{len(records)} new preference pairs {told}: a correction, or poison." + who(records),
        score=0.5,
        severity=Severity.REVIEW,
        records=tuple(one.id for one in records),
        contributors=contributors(records),
        examples=examples(records),
        facts={"pairs": len(records), "new_records": len(new.records)},
    )
