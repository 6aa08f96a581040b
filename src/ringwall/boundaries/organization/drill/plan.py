"""Which scenarios are run again when a control is knocked out or broken.

All of them under every set-up would take minutes and say little: a control that a scenario never met can't
change its outcome. So the attacks that the control stops are run again, and a few innocent uses that pass it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringwall.core import Declaration

from .derive import Voice, broken, everyone, without
from .matrix import Cell, Row
from .scenario import Kind
from .target import Fault

BENIGN_KNOCKED_OUT = 5
BENIGN_BROKEN = 2
ATTACKS_BROKEN = 6


@dataclass(frozen=True, slots=True)
class Experiment:
    """One set-up, the scenarios to run under it, and how the record is to be replayed to predict them."""

    name: str
    """``enforced``, ``without <control>``, ``<control> raise``…"""
    rows: tuple[Row, ...]
    voice: Voice
    control: str = ""
    fault: Fault | None = None


def experiments(
    rows: Sequence[Row], controls: Sequence[Declaration], *, faults: Sequence[Fault] = tuple(Fault)
) -> Iterator[Experiment]:
    """In the order in which they are run: all enforced, each control out, each control broken."""
    yield Experiment("enforced", tuple(rows), everyone)
    for control in controls:
        again = (*_attacks(rows, control.id), *_benign(rows, control.id, BENIGN_KNOCKED_OUT))
        if again:
            yield Experiment(f"without {control.id}", again, without(control.id), control.id)
    for control in controls:
        attacks = _shallow_first(_attacks(rows, control.id))[:ATTACKS_BROKEN]
        again = (*attacks, *_benign(rows, control.id, BENIGN_BROKEN))
        if again:
            for fault in faults:
                yield Experiment(f"{control.id} {fault}", again, broken(control), control.id, fault)


def _attacks(rows: Sequence[Row], control: str) -> tuple[Row, ...]:
    return tuple(
        row for row in rows if row.scenario.kind is Kind.ATTACK and row.cells[control].cell is Cell.STOPS
    )


def _shallow_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.depth)


def _benign(rows: Sequence[Row], control: str, limit: int) -> tuple[Row, ...]:
    """Innocent uses that pass the control, those with few requests first."""
    passing = [
        row for row in rows if row.scenario.kind is Kind.BENIGN and row.cells[control].cell is not Cell.ABSENT
    ]
    return tuple(sorted(passing, key=lambda row: sum(step.times for step in row.scenario.steps))[:limit])
