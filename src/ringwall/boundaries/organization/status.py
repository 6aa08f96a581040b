"""The status of a control and of a threat, derived from evidence. Nobody types a status.

A control, seen from one threat: only evidence that speaks of one of the threat's tags, or of the control as
such, counts; of each source the newest.

==========  ==========================================================================================
broken      it is not enforced, or a newest fact says that it fails and nothing measured since says else
proven      a drill or real traffic showed it working, within the last ``stale_days``
stale       it was shown working longer ago, or what was attested or configured has expired
asserted    it is configured, or a person vouches for it; nobody has seen it work
none        nothing is known
==========  ==========================================================================================

A threat: *proven* when all its mitigations are; *degraded* when some are and some are not; else the
worst news of any of them: *broken*, *stale*, *asserted*; *none* when there is no mitigation or nothing is
known of any.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringwall.core import Declaration, Mode

from .evidence import Evidence, EvidenceKind
from .threats import Threat, ThreatModel

STALE_DAYS = 30
_DAY_US = 86_400_000_000
_MEASURED = (EvidenceKind.DRILL, EvidenceKind.TELEMETRY)


class Status(StrEnum):
    """How well it is known that a threat is met."""

    PROVEN = "proven"
    DEGRADED = "degraded"
    STALE = "stale"
    ASSERTED = "asserted"
    BROKEN = "broken"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ControlStatus:
    control: str
    status: Status
    why: str
    evidence: tuple[Evidence, ...] = ()
    """What it was derived from."""


@dataclass(frozen=True, slots=True)
class ThreatStatus:
    threat: Threat
    status: Status
    why: str
    controls: tuple[ControlStatus, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the workload has in place."""

    declarations: Mapping[str, Declaration]
    modes: Mapping[str, Mode] | None = None
    """Mode of each control that stands at a gate; None: take all for enforced."""

    def fault(self, control: str) -> str:
        """Why the control can't stop anything here; empty when it can."""
        if control not in self.declarations:
            return "is not installed"
        if self.modes is None or self.modes.get(control) is Mode.ENFORCE:
            return ""
        return "is in monitor mode" if control in self.modes else "stands at no gate"


def derive(
    model: ThreatModel,
    evidence: Iterable[Evidence],
    setup: Setup,
    now: int,
    *,
    stale_days: int = STALE_DAYS,
) -> list[ThreatStatus]:
    """A row for every threat, in the model's order. ``now`` is in microseconds since the epoch."""
    facts = list(evidence)
    return [_threat(threat, facts, setup, now, stale_days) for threat in model.threats]


def control_status(
    control: str,
    tags: Sequence[str],
    evidence: Iterable[Evidence],
    setup: Setup,
    now: int,
    *,
    stale_days: int = STALE_DAYS,
) -> ControlStatus:
    """The control as seen from a threat with these tags."""
    fault = setup.fault(control)
    if fault:
        return ControlStatus(control, Status.BROKEN, f"{control} {fault}")
    # What is dated after now can't be known yet: a clock was wrong or the date was made up.
    mine = [
        fact
        for fact in evidence
        if fact.control == control and fact.at <= now and (not fact.threats or set(fact.threats) & set(tags))
    ]
    newest = _newest(mine)
    failed = [fact for fact in newest if not fact.passed and not _made_good(fact, newest)]
    if failed:
        return _status(control, Status.BROKEN, "failed", failed)
    good = [fact for fact in newest if fact.passed]
    fresh = [fact for fact in good if not _old(fact, now, stale_days)]
    measured = [fact for fact in fresh if fact.kind in _MEASURED]
    if measured:
        return _status(control, Status.PROVEN, "shown by", measured)
    worn = [fact for fact in good if fact.kind in _MEASURED]
    if worn:
        return _status(control, Status.STALE, "last shown too long ago by", worn)
    if fresh:
        return _status(control, Status.ASSERTED, "only claimed by", fresh)
    if newest:
        return _status(control, Status.STALE, "last known too long ago by", newest)
    return ControlStatus(control, Status.NONE, f"{control}: no evidence")


def _threat(threat: Threat, facts: list[Evidence], setup: Setup, now: int, stale_days: int) -> ThreatStatus:
    rows = tuple(
        control_status(control, threat.tags, facts, setup, now, stale_days=stale_days)
        for control in dict.fromkeys(threat.mitigations)
    )
    if not rows:
        return ThreatStatus(threat, Status.NONE, "no mitigation is named", rows)
    found = {row.status for row in rows}
    proven = sum(row.status is Status.PROVEN for row in rows)
    rest = "; ".join(row.why for row in rows if row.status is not Status.PROVEN)
    if found == {Status.PROVEN}:
        why = "; ".join(row.why for row in rows)
        return ThreatStatus(threat, Status.PROVEN, why, rows)
    if proven:
        return ThreatStatus(threat, Status.DEGRADED, f"{proven} of {len(rows)} proven; {rest}", rows)
    worst = next(
        status for status in (Status.BROKEN, Status.STALE, Status.ASSERTED, Status.NONE) if status in found
    )
    return ThreatStatus(threat, worst, rest, rows)


def _newest(facts: list[Evidence]) -> list[Evidence]:
    """The newest of each source and set of threats."""
    last: dict[tuple[EvidenceKind, tuple[str, ...]], int] = {}
    for fact in facts:
        place = (fact.kind, fact.threats)
        last[place] = max(last.get(place, 0), fact.at)
    return [fact for fact in facts if fact.at == last[(fact.kind, fact.threats)]]


def _made_good(failure: Evidence, newest: list[Evidence]) -> bool:
    """A failure doesn't get better with age. A later success that was measured, and that speaks of no less,
    takes back one that was measured."""
    return failure.kind in _MEASURED and any(
        fact.passed
        and fact.kind in _MEASURED
        and fact.at > failure.at
        and (not fact.threats or (failure.threats and set(failure.threats) <= set(fact.threats)))
        for fact in newest
    )


def _old(fact: Evidence, now: int, stale_days: int) -> bool:
    if fact.expires and now >= fact.expires:
        return True
    return fact.kind is not EvidenceKind.ATTESTATION and now - fact.at > stale_days * _DAY_US


def _status(control: str, status: Status, how: str, facts: list[Evidence]) -> ControlStatus:
    shown = ", ".join(f"{fact.kind} {fact.id}" for fact in facts)
    detail = next((f" ({fact.detail})" for fact in facts if fact.detail), "")
    return ControlStatus(control, status, f"{control} {how} {shown}{detail}", tuple(facts))
