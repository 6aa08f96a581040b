"""Sensitive data as a difference: what a candidate version has that the approved one has not."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..finding import DataFinding, Severity
from ..records import Record
from ..review import Records
from .inventory import ClassCount, Inventory
from .spans import CLASSES, Gravity, gravity
from .uniqueness import Uniqueness, quasi_identifiers

_TWICE = 2.0
_LEAST = 5
"""Occurrences from which a class that became more frequent is told."""
_SCORES = {Gravity.HIGH: 0.9, Gravity.MEDIUM: 0.6, Gravity.LOW: 0.3}


def compared(approved: Records, candidate: Records) -> list[DataFinding]:
    """Classes that are new, or twice as frequent for each row, or in new places; and rows that single people
    out. The score is the gravity of the class: it is no probability."""
    before, after = _of(approved()), _of(candidate())
    findings = [found for cls in after.classes for found in _class(cls, before, after)]
    quasi = quasi_identifiers(candidate())
    if quasi:
        table = Uniqueness(quasi)
        for _ in table.add(candidate()):
            pass
        findings += table.findings()
    return findings


def _of(records: Iterator[Record]) -> Inventory:
    inventory = Inventory()
    for _ in inventory.add_records(records):
        pass
    return inventory


def _class(cls: str, before: Inventory, after: Inventory) -> Iterator[DataFinding]:
    now, old = after.classes[cls], before.classes.get(cls, ClassCount())
    share, was = now.records / max(1, after.records), old.records / max(1, before.records)
    meaning = CLASSES.get(cls, cls)
    facts = {"count": now.count, "records": now.records, "share": share, "share_before": was}
    places = sorted(set(now.places) - set(old.places))
    if not old.count:
        told = f"{meaning.capitalize()}: {now.count}, in {share:.2%} of the records; none before."
        yield _finding(cls, told, now, facts)
    elif now.count >= _LEAST and share >= _TWICE * was:
        told = f"{meaning.capitalize()}: in {share:.2%} of the records, {was:.2%} before."
        yield _finding(cls, told, now, facts)
    elif places:
        told = f"{meaning.capitalize()} in places that had none before: {', '.join(places[:5])}."
        yield _finding(cls, told, now, {**facts, "places": places[:50]})


def _finding(cls: str, told: str, now: ClassCount, facts: Mapping[str, Any]) -> DataFinding:
    grave = gravity(cls)
    return DataFinding(
        detector="sensitive.class",
        title=cls,
        message=told,
        score=_SCORES[grave],
        severity=Severity.NOTE if grave is Gravity.LOW else Severity.REVIEW,
        records=tuple(example.record for example in now.examples),
        contributors=dict(now.contributors),
        examples=tuple(f"{one.place}: {one.masked}" for one in now.examples),
        facts=dict(facts),
    )
