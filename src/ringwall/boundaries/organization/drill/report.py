"""A drill's result as JSON, as one HTML page, and as a table for the terminal."""

from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from .matrix import Cell, Row
from .result import Check, DrillResult
from .scenario import Kind
from .statistics import Mean, Proportion

SCHEMA = "ringwall-drill/1"
"""Of the JSON report. Fields are added, never renamed or removed, under the same number."""
_SHOWN = 12


def to_json(result: DrillResult) -> dict[str, Any]:
    """The whole result, as plain values."""
    return {
        "schema": SCHEMA,
        "started": result.started,
        "seconds": round(result.seconds, 3),
        "requests": result.requests,
        "summary": {
            "attacks": len(result.attacks),
            "benign": len(result.benign),
            "attack_success": _proportion(result.attack_success),
            "false_blocks": _proportion(result.false_blocks),
            "depth": _mean(result.depth),
            "at_least_two_layers": _proportion(result.deep),
            "disagreements": len(result.disagreements),
            "worse_than_derived": sum(check.worse for check in result.disagreements),
        },
        "single_points": {
            threat: {control: list(ids) for control, ids in controls.items()}
            for threat, controls in result.single_points.items()
        },
        "controls": [
            {
                "id": control.id,
                "boundary": str(control.boundary),
                "fail": str(control.fail),
                "stops": [row.scenario.id for row in result.attacks if control.id in row.stops],
                "false_alarms": [row.scenario.id for row in result.benign if control.id in row.stops],
                "exercised": control.id not in result.unexercised,
            }
            for control in result.controls
        ],
        "scenarios": [_scenario(row, result.enforced.get(row.scenario.id)) for row in result.rows],
        "checks": [_check(check) for check in result.checks],
        "disagreements": [_check(check) for check in result.disagreements],
        "skipped": [{"scenario": one.scenario, "why": one.why} for one in result.skipped],
    }


def to_html(result: DrillResult) -> str:
    """One page without script and without anything to load."""
    source = resources.files(__package__).joinpath("report.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    met = [
        control
        for control in result.controls
        if any(row.cells[control.id].cell is not Cell.ABSENT for row in result.rows)
    ]
    return environment.from_string(source).render(result=result, controls=met, Cell=Cell)


def summary(result: DrillResult) -> str:
    """For the terminal: what a person wants to know first."""
    lines = [
        f"Drill of {result.started}: {len(result.attacks)} attacks, {len(result.benign)} innocent uses, "
        f"{result.requests} requests in {result.seconds:.0f} s",
        "",
        _table(result),
        "",
        f"attack success    {share(result.attack_success)}",
        f"false blocks      {share(result.false_blocks)}",
        f"depth             {result.depth.value:.1f} controls on average "
        f"(95 % interval {result.depth.low:.1f} to {result.depth.high:.1f})",
        f"two or more       {share(result.deep)}",
    ]
    lines += _section("single points of failure", _points(result))
    lines += _section("attacks that got through", _through(result))
    lines += _section("innocent uses that were stopped", _stopped(result))
    lines += _section(
        "stopped by something that is no control (or the scenario does not work)",
        [row.scenario.id for row in result.by_construction],
    )
    lines += _section("controls that no attack was stopped by", list(result.unexercised))
    worse = [_sentence(check) for check in result.disagreements if check.worse]
    better = [_sentence(check) for check in result.disagreements if not check.worse]
    lines += _section("worse than derived", worse)
    lines += _section("better than derived: something that is no control stood in the way", better)
    lines += _section("skipped", [f"{one.scenario}: {one.why}" for one in result.skipped])
    return "\n".join(lines)


def share(given: Proportion) -> str:
    """``2 of 50 (4.0 %, 95 % interval 1.1 to 13.5 %)``"""
    return (
        f"{given.count} of {given.total} ({given.value:.1%}, "
        f"95 % interval {given.low * 100:.1f} to {given.high * 100:.1f} %)"
    ).replace("%,", " %,", 1)


def _table(result: DrillResult) -> str:
    width = max((len(row.scenario.id) for row in result.attacks), default=10)
    lines = [f"{'attack':{width}}  depth  outcome  stopped alone by"]
    for row in result.attacks:
        check = result.enforced.get(row.scenario.id)
        outcome = "?" if check is None else "THROUGH" if check.happened else "stopped"
        depth = "-" if row.by_construction else str(row.depth)
        lines.append(f"{row.scenario.id:{width}}  {depth:>5}  {outcome:7}  {', '.join(row.stops) or '-'}")
    return "\n".join(lines)


def _section(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"  … and {len(items) - _SHOWN} more: see the report"] if len(items) > _SHOWN else []
    return ["", f"{title}:", *(f"  {item}" for item in items[:_SHOWN]), *more]


def _points(result: DrillResult) -> list[str]:
    return [
        f"{threat}: {control} ({', '.join(ids)})"
        for threat, controls in result.single_points.items()
        for control, ids in controls.items()
    ]


def _through(result: DrillResult) -> list[str]:
    return [
        f"{row.scenario.id}: {row.scenario.goal.describe()}"
        for row in result.attacks
        if (check := result.enforced.get(row.scenario.id)) and check.happened
    ]


def _stopped(result: DrillResult) -> list[str]:
    return [
        f"{check.scenario}: {check.stopped_by or 'it did not get what it needed'}"
        for check in result.enforced.values()
        if check.kind is Kind.BENIGN and not check.happened
    ]


def _sentence(check: Check) -> str:
    words = {True: "reach its goal", False: "be stopped"}
    done = {True: "reached it", False: "was stopped"}
    told = f" ({check.stopped_by})" if check.stopped_by else ""
    happened = done[check.happened] + told
    return f"{check.experiment}: {check.scenario} should {words[check.derived]}, and {happened}"


def _scenario(row: Row, check: Check | None) -> dict[str, Any]:
    return {
        "id": row.scenario.id,
        "title": row.scenario.title,
        "kind": str(row.scenario.kind),
        "threats": list(row.scenario.threats),
        "goal": row.scenario.goal.describe(),
        "depth": row.depth,
        "stops": list(row.stops),
        "by_construction": row.by_construction,
        "goal_reached": check.happened if check else None,
        "stopped_by": check.stopped_by if check else "",
        "cells": {
            control: {"cell": str(entry.cell), "action": str(entry.action), "enforced": entry.enforced}
            for control, entry in row.cells.items()
            if entry.cell is not Cell.ABSENT
        },
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "experiment": check.experiment,
        "control": check.control,
        "fault": check.fault,
        "scenario": check.scenario,
        "kind": str(check.kind),
        "derived": check.derived,
        "happened": check.happened,
        "agrees": check.agrees,
        "worse": check.worse,
        "stopped_by": check.stopped_by,
    }


def _proportion(given: Proportion) -> dict[str, Any]:
    return {
        "count": given.count,
        "total": given.total,
        "value": round(given.value, 6),
        "low": round(given.low, 6),
        "high": round(given.high, 6),
    }


def _mean(given: Mean) -> dict[str, float]:
    return {"value": round(given.value, 4), "low": round(given.low, 4), "high": round(given.high, 4)}
