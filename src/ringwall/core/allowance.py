"""Findings that a person has called false alarms, and what is left of a verdict without their force.

An allowance never switches a control off: the control is asked, its findings stay on record, and only those
that an allowance names lose their force.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from .crossing import Crossing
from .verdict import Action, Edit, Finding, Verdict

ALLOWED_BY = "allowed-by "
"""Begins the rule of the finding that names an allowance; its id follows."""


class Allowances(Protocol):
    """Asked by the gate about verdicts that would change or stop a crossing."""

    def covering(self, application: str, crossing: Crossing, given: Verdict) -> Mapping[Finding, str]:
        """Findings of the verdict that an allowance in force names, each with the allowance's id."""
        ...


def relieved(given: Verdict, allowed: Mapping[Finding, str]) -> Verdict:
    """The verdict without the force of the allowed findings.

    All of them allowed: ``annotate``. Some: what remains keeps its force whole; of a ``transform`` those
    edits go that touch nothing but allowed findings. What only puts something back (``yields``) stays.
    """
    if not allowed or not given.findings:
        return given
    forced = [one for one in given.findings if one not in allowed]
    told = {_told(one, rule) for one, rule in allowed.items()}
    findings = tuple(sorted({*given.findings, *told}))
    if given.action is not Action.TRANSFORM:
        return replace(given, findings=findings) if forced else Verdict(Action.ANNOTATE, findings)
    edits = tuple(
        edit for edit in given.edits if edit.yields or (forced and not _only(edit, allowed, forced))
    )
    return replace(given, findings=findings, edits=edits) if edits else Verdict(Action.ANNOTATE, findings)


def _told(one: Finding, rule: str) -> Finding:
    message = f"Reported as a false alarm: by allow-rule {rule} it does not count."
    return replace(one, rule=f"{ALLOWED_BY}{rule}", message=message)


def _only(edit: Edit, allowed: Mapping[Finding, str], forced: list[Finding]) -> bool:
    """Whether the edit was asked for by allowed findings and no other."""
    return (
        not edit.drop
        and any(_touches(edit, one) for one in allowed)
        and not any(_touches(edit, one) for one in forced)
    )


def _touches(edit: Edit, one: Finding) -> bool:
    """A finding or an edit without length is about the whole part."""
    if edit.part != one.part:
        return False
    return one.start == one.end or (edit.start < one.end and one.start < edit.end) or edit.start == edit.end
