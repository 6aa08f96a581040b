"""What a control says of a crossing, and how several such sayings join into one.

Verdicts form a bounded join-semilattice: ``join`` is associative, commutative and idempotent, with
``ALLOW`` as its neutral element. So the order in which controls finish can't change a decision.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Action(IntEnum):
    """How far a control steps in. The order is the lattice."""

    ALLOW = 0
    ANNOTATE = 1
    """Let it pass and put the finding on record."""
    TRANSFORM = 2
    """Let it pass with the edits applied."""
    HOLD = 3
    """A person decides."""
    BLOCK = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing seen, at a place, with the reason a person can read."""

    control: str
    rule: str
    """Rule id, model name or check inside the control."""
    message: str
    """A sentence a person understands. Never holds the secret that was found."""
    part: int = 0
    """Index into the crossing's parts."""
    start: int = 0
    """Offset in characters into the part's *original* text."""
    end: int = 0
    """Offset after the last character; equal to ``start`` when the finding is about the whole part."""
    cls: str = ""
    """What was found: ``injection``, ``jailbreak``, ``secret``, ``pii.email``, ``leak``, ``link``…"""
    score: float = 1.0
    """0..1, calibrated where the source says so."""
    view: str = ""
    """The decoded view it was seen in (``base64``, ``unicode-tags``…); empty for the text as it came."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace ``text[start:end]`` of a part. ``drop`` takes the whole part out of the crossing."""

    part: int
    start: int
    end: int
    replacement: str = ""
    drop: bool = False
    yields: bool = False
    """Not made where any other edit touches its span: what puts something back never undoes a removal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A control's answer. Tuples are kept sorted and without repeats, which makes ``join`` a true join."""

    action: Action = Action.ALLOW
    findings: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = ()
    reasons: tuple[str, ...] = ()
    """Sentences for the person whose crossing was changed, held or blocked. No rule internals."""

    def join(self, other: "Verdict") -> "Verdict":
        if other is ALLOW or other == ALLOW:
            return self
        if self is ALLOW or self == ALLOW:
            return other
        return Verdict(
            max(self.action, other.action),
            tuple(sorted({*self.findings, *other.findings})),
            tuple(sorted({*self.edits, *other.edits})),
            tuple(sorted({*self.reasons, *other.reasons})),
        )


ALLOW = Verdict()


def verdict(
    action: Action,
    reason: str = "",
    findings: Iterable[Finding] = (),
    edits: Iterable[Edit] = (),
) -> Verdict:
    """Build a verdict in canonical form."""
    return Verdict(
        action,
        tuple(sorted(set(findings))),
        tuple(sorted(set(edits))),
        (reason,) if reason else (),
    )


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits of one part applied.

    Overlapping edits (two controls found the same thing) merge into one span with the replacement of the
    longest of them, so that nothing either control wanted gone survives. One that ``yields`` has no part in
    that: it is left out where it overlaps another.
    """
    out: list[str] = []
    at = 0
    for start, end, replacement in _merged(edits, len(text)):
        out.append(text[at:start])
        out.append(replacement)
        at = end
    out.append(text[at:])
    return "".join(out)


def _merged(edits: Iterable[Edit], length: int) -> list[tuple[int, int, str]]:
    ordered = sorted(edits)
    if any(edit.yields for edit in ordered):
        ordered = _without_yielding(ordered)
    spans: list[tuple[int, int, str, int]] = []
    for edit in ordered:
        start, end = max(0, edit.start), min(edit.end, length)
        if end < start:
            continue
        if spans and (start < spans[-1][1] or (start, end) == spans[-1][:2]):
            first, last, text, widest = spans[-1]
            if end - start > widest:
                text, widest = edit.replacement, end - start
            spans[-1] = (first, max(last, end), text, widest)
        else:
            spans.append((start, end, edit.replacement, end - start))
    return [(start, end, text) for start, end, text, _ in spans]


def _without_yielding(ordered: list[Edit]) -> list[Edit]:
    """Less the yielding edits that overlap one that doesn't yield."""
    firm = [edit for edit in ordered if not edit.yields]
    reach: list[int] = []
    """Furthest end of the firm edits up to each."""
    for edit in firm:
        reach.append(max(edit.end, reach[-1]) if reach else edit.end)
    starts = [edit.start for edit in firm]

    def free(edit: Edit) -> bool:
        before = bisect_left(starts, edit.end)
        return not before or reach[before - 1] <= edit.start

    return [edit for edit in ordered if not edit.yields or free(edit)]
