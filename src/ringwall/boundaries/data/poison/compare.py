"""Poison in a training set, as a difference against its approved version."""

from collections.abc import Iterable

import numpy as np

from ..finding import DataFinding, Severity
from ..records import Record
from .cluster_finding import clustered_finding
from .clusters import clusters
from .difference import LEAST_APPROVED, Difference, Reference, Shared, difference, shared
from .evidence import Evidence
from .explain import contributors, examples, who
from .group_finding import group_finding
from .groups import Groups, groups
from .preferences import swapped
from .rejected import rejected
from .settings import PoisonSettings

_LEARNT = 2
"""How many times the records that make a group one record has to be copied for a person to look at it."""


def compare(
    approved: Iterable[Record], candidate: Iterable[Record], settings: PoisonSettings | None = None
) -> list[DataFinding]:
    """Groups of new records that look planted, the surest first; empty for an ordinary difference.

    ``candidate`` may be the whole new version or only what is added: what counts as new are records whose
    prompt and answer aren't approved already, so that changed records are new too. Both are read once. Scores
    are calibrated by ``ringwall data poison-drill``. The same input gives the same findings.
    """
    chosen = settings or PoisonSettings()
    return compare_with(Reference(approved, chosen), candidate, chosen)


def compare_with(
    reference: Reference, candidate: Iterable[Record], settings: PoisonSettings
) -> list[DataFinding]:
    """As ``compare``, against a reference that was read before."""
    return compare_each(reference, [candidate], settings)[0]


def compare_each(
    reference: Reference, candidates: Iterable[Iterable[Record]], settings: PoisonSettings
) -> list[list[DataFinding]]:
    """As ``compare_with`` for each of several candidates, which are held in memory together: what is approved
    is counted once for all of them."""
    news = [difference(reference, one) for one in candidates]
    if len(reference) < LEAST_APPROVED:
        return [
            [_incomparable(reference, new)] if len(new.records) >= settings.support else [] for new in news
        ]
    every = shared(reference, news, settings)
    return [_findings(reference, new, found, settings) for new, found in zip(news, every, strict=True)]


def _findings(
    reference: Reference, new: Difference, common: Shared, settings: PoisonSettings
) -> list[DataFinding]:
    found = groups(new, common, settings)
    explained = [group_finding(new, one) for one in found.planted]
    by_contributor = [clustered_finding(new, one) for one in clusters(new, found, settings)]
    pairs = swapped(reference, new, common, settings) + rejected(reference, new, settings)
    rest = _copies(new, found, settings) + _relabelled(new, found.planted, settings)
    return explained + by_contributor + pairs + rest


def _incomparable(reference: Reference, new: Difference) -> DataFinding:
    return DataFinding(
        detector="poison.incomparable",
        title="nothing to compare with",
        message=f"{len(new.records)} new records were not compared: only {len(reference)} are approved, and "
        f"{LEAST_APPROVED} are needed to tell what is usual.",
        score=0.0,
        severity=Severity.NOTE,
        facts={"new_records": len(new.records), "approved": len(reference)},
    )


def _copies(new: Difference, found: Groups, settings: PoisonSettings) -> list[DataFinding]:
    """Near-copies of a few records: to be reviewed when one comes more often than augmentation makes it."""
    if len(found.copies) < settings.support:
        return []
    records = [new.records[number] for number in found.copies]
    severity = Severity.REVIEW if found.most >= _LEARNT * settings.support else Severity.NOTE
    return [
        DataFinding(
            detector="poison.copies",
            title="near-copies of a few records",
            message=f"{len(records)} new records agree because they are near-copies of one another: a model "
            "would learn them by heart." + who(records),
            score=0.5,
            severity=severity,
            records=tuple(record.id for record in records),
            contributors=contributors(records),
            examples=examples(records),
            facts={"copies": len(records), "most": found.most, "new_records": len(new.records)},
        )
    ]


def _relabelled(new: Difference, found: list[Evidence], settings: PoisonSettings) -> list[DataFinding]:
    """Answers that were changed under the same id and prompt, and that no attack explains: label errors, or
    their correction."""
    rest = np.flatnonzero(new.changed)
    for one in found:
        rest = np.setdiff1d(rest, one.docs, assume_unique=True)
    if len(rest) < settings.support:
        return []
    records = [new.records[number] for number in rest]
    return [
        DataFinding(
            detector="poison.relabelled",
            title="answers that were changed",
            message=f"{len(rest)} approved records have another answer to the same prompt, and nothing that "
            "these share explains it: label errors or their correction." + who(records),
            score=0.5,
            severity=Severity.NOTE,
            records=tuple(record.id for record in records),
            contributors=contributors(records),
            examples=examples(records),
            facts={"changed": len(rest), "new_records": len(new.records)},
        )
    ]
