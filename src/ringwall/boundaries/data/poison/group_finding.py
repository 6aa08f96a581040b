"""Explains a group that looks planted."""

from ringwall.detect import assess

from ..finding import DataFinding, Severity
from ..records import Record
from .candidates import Candidate
from .difference import Difference
from .evidence import Evidence
from .explain import SHORT, contributors, examples, who
from .score import calibrated, judged
from .texts import Numbers

_HIJACK = frozenset({"injection", "jailbreak"})
_BURST = 3_600_000_000
"""An hour, in microseconds."""


def group_finding(new: Difference, one: Evidence) -> DataFinding:
    records = [new.records[number] for number in one.docs]
    score, seed, trigger = calibrated(judged(one)), one.seed, one.trigger
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
        "same": round(one.same, 3),
        "variety": round(one.variety, 3),
        "raw": round(judged(one), 3),
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
