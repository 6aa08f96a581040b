"""The drill itself: counterfactual run, matrix, then everything for real; derived held against happened."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from ringwall.core import Declaration

from .client import DrillClient
from .derive import reached
from .matrix import Row, row
from .observation import Observation
from .plan import Experiment, experiments
from .result import Check, DrillResult, Skipped, outcome
from .scenario import Kind, Scenario
from .target import Fault, Setup, Start

QUICK_BENIGN = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a drill stands. ``experiment`` is the set-up that runs now."""

    experiment: str
    done: int
    """Scenario runs finished."""
    total: int
    """Scenario runs in all, as far as known now."""


async def drill(
    start: Start,
    scenarios: Sequence[Scenario],
    *,
    quick: bool = False,
    deadline_s: float = 0.05,
    progress: Callable[[Progress], None] | None = None,
) -> DrillResult:
    """Run the whole drill against gateways that ``start`` gives. Scenarios run one after the other, each from
    a fresh state.

    ``quick``: one attack for each risk, a few innocent uses, and only one kind of fault.
    ``deadline_s``: how long a control that hangs on purpose is waited for.
    """
    return await _Drill(start, _chosen(scenarios) if quick else list(scenarios), deadline_s, progress).run(
        (Fault.RAISE,) if quick else tuple(Fault)
    )


def _chosen(scenarios: Sequence[Scenario]) -> list[Scenario]:
    attacks: dict[str, Scenario] = {}
    for one in scenarios:
        if one.kind is Kind.ATTACK:
            attacks.setdefault(one.threats[0], one)
    benign = [one for one in scenarios if one.kind is Kind.BENIGN]
    return [*attacks.values(), *benign[:QUICK_BENIGN]]


class _Drill:
    def __init__(
        self,
        start: Start,
        scenarios: Sequence[Scenario],
        deadline_s: float,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._start = start
        self._scenarios = list(scenarios)
        self._deadline_s = deadline_s
        self._progress = progress or (lambda _: None)
        self._scripts = {one.id: tuple(one.model) for one in scenarios}
        self._records: dict[str, tuple[Observation, ...]] = {}
        self._controls: tuple[Declaration, ...] = ()
        self._skipped: list[Skipped] = []
        self._done = 0
        self._total = len(self._scenarios)
        self._requests = 0

    async def run(self, faults: Sequence[Fault]) -> DrillResult:
        started, begun = datetime.now(UTC), time.perf_counter()
        rows = await self._counterfactual()
        planned = list(experiments(rows, self._controls, faults=faults))
        self._total = self._done + sum(len(one.rows) for one in planned)
        checks = [check for one in planned for check in await self._experiment(one)]
        return DrillResult(
            controls=self._controls,
            rows=tuple(rows),
            checks=tuple(checks),
            skipped=tuple(self._skipped),
            started=started.isoformat(timespec="seconds"),
            seconds=time.perf_counter() - begun,
            requests=self._requests,
        )

    async def _counterfactual(self) -> list[Row]:
        """Every control speaks, nothing is carried out."""
        setup = Setup(exhaustive=True, enforce=False, deadline_s=self._deadline_s, scripts=self._scripts)
        runnable = []
        async with self._start(setup) as target, aiohttp.ClientSession() as session:
            client = DrillClient(target, session)
            self._controls = tuple(target.controls)
            for scenario in self._scenarios:
                if missing := client.missing(scenario):
                    self._skipped.append(
                        Skipped(scenario.id, f"the workload has no starter key for {missing}")
                    )
                    self._note("counterfactual")
                    continue
                self._records[scenario.id] = await self._one(client, scenario, "counterfactual")
                runnable.append(scenario)
        names = [control.id for control in self._controls]
        return [row(scenario, self._records[scenario.id], names) for scenario in runnable]

    async def _experiment(self, one: Experiment) -> list[Check]:
        checks = []
        async with self._start(self._setup(one)) as target, aiohttp.ClientSession() as session:
            client = DrillClient(target, session)
            for current in one.rows:
                scenario = current.scenario
                happened, told = outcome(scenario, await self._one(client, scenario, one.name))
                derived = reached(scenario, self._records[scenario.id], one.voice)
                fault = str(one.fault or "")
                checks.append(
                    Check(one.name, one.control, fault, scenario.id, scenario.kind, derived, happened, told)
                )
        return checks

    def _setup(self, one: Experiment) -> Setup:
        knocked_out = frozenset({one.control} if one.control and one.fault is None else ())
        broken = {one.control: one.fault} if one.fault is not None else {}
        return Setup(knocked_out, broken, deadline_s=self._deadline_s, scripts=self._scripts)

    async def _one(self, client: DrillClient, scenario: Scenario, experiment: str) -> tuple[Observation, ...]:
        observations = await client.run(scenario)
        self._requests += len(observations)
        self._note(experiment)
        return observations

    def _note(self, experiment: str) -> None:
        self._done += 1
        self._progress(Progress(experiment, self._done, self._total))
