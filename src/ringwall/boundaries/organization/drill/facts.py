"""A drill as evidence: for each control and threat, whether it was seen to do what it declares."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..evidence import Evidence, EvidenceKind, evidence
from .matrix import Cell, Row
from .result import Check, DrillResult


@dataclass(frozen=True, slots=True)
class _Finding:
    passed: bool
    detail: str


def facts(result: DrillResult, *, at: int, by: str = "drill") -> list[Evidence]:
    """One fact for every control and threat that the drill speaks about. ``at``: microseconds, UTC.

    There is one where the control alone stops an attack on that threat. It passes when every run of those
    attacks with this control out or broken ended as derived. Where it stops nothing there is no fact: that
    is no failure, and no proof either.
    """
    return [
        evidence(
            EvidenceKind.DRILL,
            control.id,
            passed=found.passed,
            detail=found.detail,
            threats=(threat,),
            at=at,
            by=by,
        )
        for control in result.controls
        for threat, found in _by_threat(result, control.id)
    ]


def _by_threat(result: DrillResult, control: str) -> Iterator[tuple[str, _Finding]]:
    checks = [check for check in result.checks if check.control == control]
    threats = sorted({threat for row in result.measured for threat in row.scenario.threats})
    for threat in threats:
        rows = [row for row in result.measured if threat in row.scenario.threats]
        stopped = [row for row in rows if _stops(row, control)]
        if stopped:
            yield threat, _finding(control, stopped, checks)


def _stops(row: Row, control: str) -> bool:
    entry = row.cells[control]
    return entry.cell is Cell.STOPS and entry.enforced


def _finding(control: str, stopped: list[Row], checks: Iterable[Check]) -> _Finding:
    names = {row.scenario.id for row in stopped}
    wrong = [check for check in checks if check.scenario in names and not check.agrees]
    attacks = f"{len(stopped)} attack" + ("s" if len(stopped) > 1 else "")
    if wrong:
        first = wrong[0]
        what = "reached its goal" if first.happened else "was stopped"
        return _Finding(
            False, f"{control}: {first.scenario} {what} {first.experiment}, against what was derived."
        )
    return _Finding(True, f"{control} alone stops {attacks}; taken out and broken, all ended as derived.")
