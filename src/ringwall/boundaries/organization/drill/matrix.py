"""The scenario-by-control matrix: what each control would have stopped alone; how deep the defence is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringwall.core import Action

from .derive import alone, everyone, nobody, reached, spoken_in
from .observation import Observation
from .scenario import Kind, Scenario


class Cell(StrEnum):
    """What a control did in a scenario."""

    STOPS = "stops"
    """It alone would have kept the attack from its goal (or the benign user from theirs)."""
    REACTS = "reacts"
    """It saw something, and that alone would not have changed the outcome."""
    QUIET = "quiet"
    """It looked and saw nothing."""
    ABSENT = "absent"
    """Nothing of the scenario passed it."""


@dataclass(frozen=True, slots=True)
class Entry:
    cell: Cell
    action: Action = Action.ALLOW
    """The strongest that it said."""
    enforced: bool = True
    """False: the workload has it in monitor mode, so its stop is not counted in the depth."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario of the counterfactual run."""

    scenario: Scenario
    cells: Mapping[str, Entry]
    """By control."""
    open_reached: bool
    """Whether the goal was reached with nothing enforced. If an attack's was not, something that is no
    control stands in its way: it is stopped by construction, or the scenario does not work."""
    derived_reached: bool
    """Whether it is expected to be reached with everything enforced."""

    @property
    def stops(self) -> tuple[str, ...]:
        """Controls that each, alone, stop it, as the workload has them."""
        return tuple(
            name for name, entry in self.cells.items() if entry.cell is Cell.STOPS and entry.enforced
        )

    @property
    def depth(self) -> int:
        return len(self.stops)

    @property
    def by_construction(self) -> bool:
        return self.scenario.kind is Kind.ATTACK and not self.open_reached


def row(scenario: Scenario, observations: Sequence[Observation], controls: Iterable[str]) -> Row:
    """The row of a scenario out of its counterfactual run."""
    open_reached = reached(scenario, observations, nobody)
    said = [spoken_in(recorded) for one in observations for recorded in one.decisions]
    cells = {}
    for control in controls:
        mine = [by_control[control] for by_control in said if control in by_control]
        action = max((spoken.action for spoken in mine), default=Action.ALLOW)
        enforced = all(spoken.enforced for spoken in mine)
        if not any(spoken.evaluated for spoken in mine):
            cell = Cell.ABSENT
        elif open_reached and not reached(scenario, observations, alone(control)):
            cell = Cell.STOPS
        else:
            cell = Cell.REACTS if action > Action.ALLOW else Cell.QUIET
        cells[control] = Entry(cell, action, enforced)
    return Row(scenario, cells, open_reached, reached(scenario, observations, everyone))


def single_points(rows: Iterable[Row]) -> dict[str, dict[str, tuple[str, ...]]]:
    """By threat: each control that, for some attack, is the only one in the way, with those attacks."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in rows:
        if one.scenario.kind is not Kind.ATTACK or one.by_construction or one.depth != 1:
            continue
        (control,) = one.stops
        for threat in one.scenario.threats:
            by_control = found.setdefault(threat, {})
            by_control[control] = (*by_control.get(control, ()), one.scenario.id)
    return dict(sorted(found.items()))
