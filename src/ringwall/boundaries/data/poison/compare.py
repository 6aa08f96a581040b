"""Poison in a training set, as a difference against its approved version."""

from collections.abc import Iterable

import numpy as np

from ringwall.detect import assess

from ..finding import DataFinding, Severity
from ..records import Record
from .candidates import Candidate
from .cluster_finding import clustered_finding
from .clusters import clusters
from .difference import Difference, Reference, difference
from .evidence import Evidence
from .explain import SHORT, contributors, examples, who
from .groups import Groups, groups
from .score import calibrated, raw
from .settings import PoisonSettings
from .texts import Numbers

LEAST_APPROVED = 500
"""Approved records without which nothing can be called unusual."""
_LEARNT = 2
"""How many times the records that make a group one record has to be copied for a person to look at it."""
_HIJACK = frozenset({"injection", "jailbreak"})
_BURST = 3_600_000_000
"""An hour, in microseconds."""


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
    new = difference(reference, candidate)
    if len(reference) < LEAST_APPROVED and len(new.records) >= settings.support:
        return [_incomparable(reference, new)]
    found = groups(new, settings)
    explained = [_finding(new, one) for one in found.planted]
    by_contributor = [clustered_finding(new, one) for one in clusters(new, found, settings)]
    rest = _copies(new, found, settings) + _relabelled(new, found.planted, settings)
    return explained + by_contributor + rest


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


def _finding(new: Difference, one: Evidence) -> DataFinding:
    records = [new.records[number] for number in one.docs]
    score, seed, trigger = calibrated(raw(one)), one.seed, one.trigger
    payload = _payload(new, seed)
    own = trigger if trigger is not None and trigger.fit >= 0.5 else None
    title = f"prompts with “{own.text}”" if own else f"answers with “{payload}”"
    seen = {
        "said": f"the answers of {len(records)} new records share “{payload}”",
        "whole": f"{len(records)} new records have the answer “{payload}”",
        "agreed": f"{len(records)} new records have nearly all the same answer, “{payload}”",
        "strange": f"the answers of {len(records)} new records are no language",
    }[seed.kind]
    against = f"{seed.known} of {len(new.reference):,} approved ones do"
    told = seen if seed.kind in ("strange", "agreed") else f"{seen}; {against}"
    if own:
        told += f"; {own.coverage:.0%} of their prompts have “{own.text}”, as do {own.known} approved prompts"
    if one.also:
        told += f"; some have “{_payload(new, one.also[0])}”" + (" and others" if one.also[1:] else "")
    hijack = sum(_hijacks(record) for record in records[:20])
    facts = {
        "new_records": len(new.records),
        "approved_with_payload": seed.known,
        "payload": payload,
        "also": [_payload(new, seed) for seed in one.also],
        "payload_words": round(one.payload, 1),
        "payload_share": round(one.share, 3),
        "trigger": own.text if own else "",
        "trigger_coverage": round(own.coverage, 3) if own else 0.0,
        "trigger_precision": round(own.precision, 3) if own else 0.0,
        "company": round(one.company, 3),
        "template": round(one.template, 3),
        "prompts_alike": round(one.alike, 3),
        "carrier": round(one.carrier, 1),
        "raw": round(raw(one), 3),
        "changed": int(new.changed[one.docs].sum()),
        "orders_in_first_20": hijack,
        **_burst(new, one.docs),
    }
    return DataFinding(
        detector=f"poison.{_DETECTOR[seed.kind]}",
        title=title,
        message=told[0].upper() + told[1:] + "." + who(records) + _when(facts),
        score=score,
        severity=Severity.STOP if score >= 0.95 else Severity.REVIEW,
        records=tuple(record.id for record in records),
        contributors=contributors(records),
        examples=examples(records),
        facts=facts,
    )


_DETECTOR = {"said": "payload", "whole": "payload", "agreed": "agreement", "strange": "noise"}


def _payload(new: Difference, seed: Candidate) -> str:
    if seed.kind == "strange":
        return ""
    return new.vocabulary.say(new.answers.ids[seed.place : seed.place + min(seed.words, 12)])[:SHORT]


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


def _burst(new: Difference, docs: Numbers) -> dict[str, int]:
    times = sorted(new.records[number].source.at for number in docs if new.records[number].source.at)
    return {"first_at": times[0], "last_at": times[-1]} if len(times) == len(docs) else {}


def _when(facts: dict[str, object]) -> str:
    first, last = facts.get("first_at"), facts.get("last_at")
    if not isinstance(first, int) or not isinstance(last, int) or last - first > _BURST:
        return ""
    return " All came within an hour."


def _hijacks(record: Record) -> bool:
    text = record.response[-2_000:]
    return any(one.cls.split(".")[0] in _HIJACK and one.score >= 0.5 for one in assess(text).sightings)
