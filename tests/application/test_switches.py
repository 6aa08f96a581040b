"""Kill switches: what they name, that nobody sees an old state, that nothing starts after one was thrown."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.breaker import BreakerControl
from ringwall.boundaries.application.breaker_settings import BreakerSettings
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.execute import ToolRunner
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.settings import Effect, ToolSettings
from ringwall.boundaries.application.switches import ToolSwitches, effect_target
from ringwall.core import USER, Action, Crossing, CrossingKind, DataError, Part, PartKind, Principal, new_id
from ringwall.storage.database import Database
from ringwall.storage.shared_counters import SharedCounters

CASEY = Principal("casey", credential="key")


@pytest.mark.parametrize(
    ("target", "stopped"),
    [
        ("note", {"note"}),
        ("effect:write", {"note", "git__commit"}),
        ("git__*", {"git__commit", "git__log__all"}),
        ("git__log__*", {"git__log__all"}),
        ("*", {"note", "notes", "git__commit", "git__log__all", "gitter__log", "git"}),
    ],
)
def test_a_switch_names_exactly_what_it_says(database: Database, target: str, stopped: set[str]) -> None:
    switches = ToolSwitches(database)
    switches.disable(target, reason="incident 7", by="olga")
    tools = {
        "note": Effect.WRITE, "notes": Effect.READ, "git__commit": Effect.WRITE, "git__log__all": Effect.READ,
        "gitter__log": None, "git": Effect.READ,
    }  # fmt: skip
    assert {name for name, effect in tools.items() if switches.off(name, effect)} == stopped
    assert switches.enable(target)
    assert not switches.enable(target)
    assert not any(switches.off(name, effect) for name, effect in tools.items())


def test_the_narrowest_switch_speaks_and_a_tool_stays_off_while_another_names_it(database: Database) -> None:
    switches = ToolSwitches(database)
    for target in ("*", effect_target("write"), "git__*", "git__commit"):
        switches.disable(target, reason=target, by="olga")
    left = ["git__commit", "git__*", "effect:write", "*"]
    for target in left:
        thrown = switches.off("git__commit", Effect.WRITE)
        assert thrown is not None
        assert (thrown.target, thrown.reason, thrown.by) == (target, target, "olga")
        switches.enable(target)
    assert switches.off("git__commit", Effect.WRITE) is None


@pytest.mark.parametrize(
    "target", ["", "no*te", "n*", "*__x", "effect:spend", "effect:", "a b", "x" * 200, "\ud800", "a\0", "**"]
)
def test_a_switch_that_names_nothing_is_refused(database: Database, target: str) -> None:
    switches = ToolSwitches(database)
    with pytest.raises(DataError):
        switches.disable(target, reason="r", by="b")
    assert switches.list() == []


@pytest.mark.parametrize(("reason", "by"), [("", "b"), ("  ", "b"), ("r", ""), ("r" * 1001, "b")])
def test_a_switch_has_a_reason_and_a_hand(database: Database, reason: str, by: str) -> None:
    with pytest.raises(DataError):
        ToolSwitches(database).disable("note", reason=reason, by=by)


@pytest.mark.parametrize("name", ["", "\ud800", "__" * 5000, "a__" * 30, "x" * 100_000, "'; DROP TABLE x"])
def test_hostile_names_are_only_names(database: Database, name: str) -> None:
    switches = ToolSwitches(database)
    assert switches.off(name) is None
    assert not switches.enable(name)
    switches.disable("*", reason="r", by="b")
    assert switches.off(name) is not None


def test_a_switched_off_tool_is_neither_offered_nor_called_in_any_process(database: Database) -> None:
    registry = ToolRegistry.of({"note": ToolSettings(effect=Effect.WRITE), "look": ToolSettings()})
    breakers = Breakers(BreakerSettings(), registry, SharedCounters(database))
    control = BreakerControl(8, breakers, ToolSwitches(database), registry)

    def ask(kind: PartKind, crossing: CrossingKind) -> tuple[Action, list[int]]:
        parts = tuple(
            Part(kind, f'{{"name": "{new_id("x")}"}}', USER, name=name, ref=name) for name in ("look", "note")
        )
        verdict = control.inspect(Crossing(crossing, CASEY, parts, "a", "s"))
        assert {finding.rule for finding in verdict.findings} <= {"switched-off"}
        return verdict.action, [finding.part for finding in verdict.findings]

    for switches in (ToolSwitches(Database(database.path)), ToolSwitches(database)):
        for target in ("note", "effect:write"):
            switches.disable(target, reason="incident 7", by="olga")
            assert ask(PartKind.TOOL_OFFER, CrossingKind.TOOL_OFFER) == (Action.TRANSFORM, [1])
            assert ask(PartKind.TOOL_CALL, CrossingKind.TOOL_CALL) == (Action.BLOCK, [1])
            switches.enable(target)
            assert ask(PartKind.TOOL_OFFER, CrossingKind.TOOL_OFFER) == (Action.ALLOW, [])


async def test_no_call_begins_after_a_switch_was_thrown(database: Database, tmp_path: Path) -> None:
    """Whatever was decided before: the runner asks once more."""
    (tmp_path / "t.py").write_text("def act():\n    return 'done'\n")
    tool: dict[str, Any] = {"effect": "pay", "run": {"python": "t.py:act"}}
    registry = ToolRegistry.of({"act": ToolSettings.model_validate(tool)})
    switches = ToolSwitches(database)
    runner = ToolRunner(registry, tmp_path, switches=switches)
    for target in ("act", "effect:pay", "*"):
        ToolSwitches(Database(database.path)).disable(target, reason="r", by="b")
        outcome = await runner.run("act", {}, CASEY)
        assert (outcome.failed, outcome.unsure) == (True, False)
        assert outcome.text == "Not done: this tool is switched off for now."
        switches.enable(target)
        assert (await runner.run("act", {}, CASEY)).text == "done"
    await asyncio.to_thread(runner.close)
