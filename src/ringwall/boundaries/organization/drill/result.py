"""What a drill found."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ringwall.core import Declaration

from .matrix import Cell, Row, single_points
from .observation import Observation
from .scenario import Kind, Scenario
from .statistics import Mean, Proportion, bootstrap_mean, wilson


@dataclass(frozen=True, slots=True)
class Check:
    """One scenario under one set-up: what the replay derived, and what then happened."""

    experiment: str
    control: str
    """The control that was knocked out or broken; empty when all stood."""
    fault: str
    """``raise``, ``hang``, ``garbage``; empty when it was not broken."""
    scenario: str
    kind: Kind
    derived: bool
    """Whether the goal should have been reached."""
    happened: bool
    """Whether it was."""
    stopped_by: str = ""
    """What the client was told that stopped it."""

    @property
    def agrees(self) -> bool:
        return self.derived == self.happened

    @property
    def worse(self) -> bool:
        """Whether what happened is worse than what was derived: an attack that should have been stopped, or
        an innocent use that should have been served. The other way round, something that is no control
        stood in the way."""
        return not self.agrees and self.happened == (self.kind is Kind.ATTACK)


@dataclass(frozen=True, slots=True)
class Skipped:
    scenario: str
    why: str


@dataclass(frozen=True)
class DrillResult:
    """One whole drill."""

    controls: tuple[Declaration, ...]
    rows: tuple[Row, ...]
    checks: tuple[Check, ...]
    skipped: tuple[Skipped, ...]
    started: str
    """UTC, ISO 8601."""
    seconds: float
    requests: int

    @cached_property
    def attacks(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.scenario.kind is Kind.ATTACK)

    @cached_property
    def benign(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.scenario.kind is Kind.BENIGN)

    @cached_property
    def enforced(self) -> dict[str, Check]:
        """The run with everything in place, by scenario."""
        return {check.scenario: check for check in self.checks if not check.control}

    @cached_property
    def attack_success(self) -> Proportion:
        """Attacks that reached their goal with everything in place."""
        won = [check for check in self.enforced.values() if check.kind is Kind.ATTACK and check.happened]
        return wilson(len(won), len(self.attacks))

    @cached_property
    def false_blocks(self) -> Proportion:
        """Innocent uses that did not get what they needed with everything in place."""
        lost = [check for check in self.enforced.values() if check.kind is Kind.BENIGN and not check.happened]
        return wilson(len(lost), len(self.benign))

    @cached_property
    def measured(self) -> tuple[Row, ...]:
        """Attacks whose depth could be measured: they work when nothing stands in their way."""
        return tuple(row for row in self.attacks if not row.by_construction)

    @cached_property
    def depth(self) -> Mean:
        return bootstrap_mean([float(row.depth) for row in self.measured])

    @cached_property
    def deep(self) -> Proportion:
        """Attacks that at least two controls stop, each alone."""
        return wilson(sum(row.depth >= 2 for row in self.measured), len(self.measured))

    @cached_property
    def single_points(self) -> dict[str, dict[str, tuple[str, ...]]]:
        return single_points(self.rows)

    @cached_property
    def disagreements(self) -> tuple[Check, ...]:
        """Those that are worse than derived first."""
        found = [check for check in self.checks if not check.agrees]
        return tuple(sorted(found, key=lambda check: not check.worse))

    @cached_property
    def by_construction(self) -> tuple[Row, ...]:
        return tuple(row for row in self.attacks if row.by_construction)

    @cached_property
    def unexercised(self) -> tuple[str, ...]:
        """Controls that no attack of the drill was stopped by: nothing is known of their worth."""
        return tuple(
            control.id
            for control in self.controls
            if not any(row.cells[control.id].cell is Cell.STOPS for row in self.attacks)
        )

    def faults_of(self, control: str) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.control == control and check.fault)


def outcome(scenario: Scenario, observations: Sequence[Observation]) -> tuple[bool, str]:
    """Whether the goal was reached, and what the client was told if something was stopped."""
    told = next((one.error or one.finish for one in observations if not one.answered), "")
    return scenario.goal.reached(tuple(observations)), told
