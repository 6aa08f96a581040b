"""Limits on calls and cost: what is counted, for whom, for how long, and that nobody overshoots."""

import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ringwall.boundaries.application.breaker import BreakerControl
from ringwall.boundaries.application.breaker_settings import BreakerSettings
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.core import USER, Action, Crossing, CrossingKind, Part, PartKind, Principal
from ringwall.storage.database import Database
from ringwall.storage.shared_counters import Claim, SharedCounters

NUMBER = {"type": "object", "properties": {"to": {"type": "string"}, "amount": {"type": "number"}}}
TEXT = {"type": "object", "properties": {"to": {"type": "string"}, "text": {"type": "string"}}}
TOOLS: dict[str, Any] = {
    "look": {"effect": "read", "parameters": TEXT},
    "send": {"effect": "send", "parameters": TEXT, "target": ["to"], "cost": 0.5},
    "pay": {"effect": "pay", "parameters": NUMBER, "target": ["to"], "cost": "amount"},
}


class Bench:
    """A breaker over a database, with a clock of its own."""

    def __init__(self, database: Database, **limits: Any) -> None:
        section = ApplicationSection.model_validate({"tools": TOOLS, "breakers": limits})
        self.now = 1_000_000.0
        registry = ToolRegistry.of(section.tools)
        counters = SharedCounters(database, clock=lambda: self.now)
        self.switches = ToolSwitches(database)
        self.breakers = Breakers(section.breakers, registry, counters)
        self.control = BreakerControl(section.breakers.calls_per_turn, self.breakers, self.switches, registry)
        self._asked = 0

    def ask(
        self, tool: str = "look", *, made: bool | None = True, undone: bool = False, **given: Any
    ) -> set[str]:
        """The rules that stop a call, each of a turn of its own; ``made``: how it ended, None: not told."""
        self._asked += 1
        turn = given.pop("turn", f"turn{self._asked}")
        part = call(tool, given.pop("arguments", {"text": f"{self._asked:x}" * 3}), given.pop("ref", "c"))
        verdict = self.control.inspect(crossing(part, turn, **given))
        rules = {finding.rule for finding in verdict.findings}
        if not rules and made:
            self.breakers.made(turn, part, undone=undone)
        elif not rules and made is not None:
            self.breakers.refused(turn, part)
        return rules


def call(tool: str, arguments: dict[str, Any], ref: str = "c") -> Part:
    import json

    text = json.dumps(arguments, sort_keys=True)
    return Part(PartKind.TOOL_CALL, text, USER, "assistant", tool, arguments, ref)


def crossing(
    part: Part, turn: str, *, session: str = "s1", by: str = "casey", tenant: str = "t", **context: Any
) -> Crossing:
    principal = Principal(by, tenant, credential="key")
    facts = {"turn": turn, "turn_calls": 0, **context}
    return Crossing(CrossingKind.TOOL_CALL, principal, (part,), "assistant", session, context=facts)


@pytest.fixture
def bench(database: Database) -> Callable[..., Bench]:
    return lambda **limits: Bench(database, **limits)


def test_calls_of_a_turn_are_counted(bench: Callable[..., Bench]) -> None:
    made = bench(calls_per_turn=3)
    for calls, stopped in ((0, set()), (2, set()), (3, {"calls"}), (9, {"calls"})):
        assert made.ask(turn_calls=calls) == stopped
    parts = tuple(call("look", {"text": str(number)}, f"c{number}") for number in range(5))
    whole = replace(crossing(parts[0], "t"), parts=parts)
    assert [finding.part for finding in made.control.inspect(whole).findings] == [3, 4]


@pytest.mark.parametrize(
    ("scope", "others"),
    [
        ("session", {"session": "s2"}),
        ("principal", {"by": "morgan"}),
        ("tenant", {"tenant": "u"}),
    ],
)
def test_a_limit_is_its_scopes_own_and_ends_with_its_window(
    bench: Callable[..., Bench], scope: str, others: dict[str, str]
) -> None:
    made = bench(calls={"session": None, "principal": None, scope: "3/min"})
    assert [made.ask() for _ in range(4)] == [set(), set(), set(), {scope}]
    assert made.ask(**others) == set()
    narrower = {"session": "s3"} if scope != "session" else {"by": "else"}
    assert made.ask(**narrower) == {scope}, "what is narrower or elsewhere gives no new budget"
    made.now += 62
    assert made.ask() == set()


def test_tools_and_effects_have_limits_of_their_own(bench: Callable[..., Bench]) -> None:
    made = bench(tools={"send": "2/day"}, effects={"pay": {"session": "1/hour"}})
    assert [made.ask("send") for _ in range(3)] == [set(), set(), {"tool"}]
    assert made.ask("send", by="morgan") == set(), "a bare rate is for each principal"
    paid = {"to": "a", "amount": 1}
    assert [made.ask("pay", arguments=paid) for _ in range(2)] == [set(), {"effect"}]
    assert made.ask("pay", arguments=paid, session="s2") == set()
    assert made.ask() == set()


def test_the_same_call_again_and_again_is_stopped_until_the_window_is_over(database: Database) -> None:
    made, elsewhere = Bench(database), Bench(Database(database.path))
    same = {"arguments": {"text": "x"}}
    assert made.ask(**same) == set()
    assert elsewhere.ask(**same) == set()
    for one in (made, elsewhere, Bench(database)):
        assert one.ask(**same) == {"repeats"}, "across processes and restarts"
        assert one.ask(**same, session="s2", made=False) == set()
    assert made.ask(arguments={"text": "y"}) == set()
    made.now += 306
    assert made.ask(**same) == set()


def test_a_call_asked_about_twice_counts_once_but_ids_are_the_models_and_prove_nothing(
    bench: Callable[..., Bench],
) -> None:
    made = bench()
    same: dict[str, Any] = {"arguments": {"text": "x"}, "turn": "t"}
    assert [made.ask(**same, made=None) for _ in range(5)] == [set()] * 5
    assert made.ask(**same, turn_calls=1) == set()
    assert made.ask(**same, turn_calls=2) == {"repeats"}


def test_calls_that_differ_in_digits_or_blanks_only_are_a_loop_where_they_act(
    bench: Callable[..., Bench],
) -> None:
    made = bench(similar_calls=3)
    mails = [{"to": "a@x.example", "text": f"reminder{' ' * n} no. {n}"} for n in range(4)]
    assert [made.ask("send", arguments=mail) for mail in mails] == [set(), set(), set(), {"similar"}]
    assert made.ask("send", arguments={"to": "b@x.example", "text": "reminder no. 7"}) == set()
    orders = [{"text": f"order {n}"} for n in range(10)]
    assert [made.ask("look", arguments=order) for order in orders] == [set()] * 10, "looking on is no loop"
    rooms = [{"to": f"room{n}@x.example", "text": "hello"} for n in range(10)]
    assert [made.ask("send", arguments=room) for room in rooms] == [set()] * 10, "nor are other targets"


def test_a_refused_call_uses_nothing_up_and_refused_calls_are_bounded(bench: Callable[..., Bench]) -> None:
    made = bench(calls={"session": "2/hour"}, refused_calls="5/hour", identical_calls=1)
    for _ in range(5):
        assert made.ask(arguments={"text": "x"}, made=False) == set()
    assert made.ask(arguments={"text": "x"}) == {"refused"}
    assert made.ask(arguments={"text": "x"}, session="s2") == set()
    made.now += 3700
    assert made.ask(arguments={"text": "x"}) == set()


def test_cost_is_taken_before_and_given_back_when_the_call_failed(bench: Callable[..., Bench]) -> None:
    made = bench(cost={"principal": "10/day"})
    pay = lambda amount, **more: made.ask("pay", arguments={"to": "a", "amount": amount}, **more)  # noqa: E731
    assert pay(6) == set()
    assert pay(5) == {"cost"}
    assert pay(4, undone=True) == set()
    assert pay(4, made=False) == set()
    assert pay(3.9) == set()
    assert pay(0.1001) == {"cost"}
    assert made.ask("send") == {"cost"}, "a fixed cost, in the same purse"
    assert pay(0.1) == set()
    assert pay(0) == set()


@pytest.mark.parametrize("amount", [-1, "5", None, True, float("nan"), float("inf"), 1e13, [5], 10**400])
def test_a_cost_that_cannot_be_believed_stops_the_call(bench: Callable[..., Bench], amount: Any) -> None:
    made = bench(cost={"principal": "10/day"})
    part = Part(PartKind.TOOL_CALL, "{}", USER, "assistant", "pay", {"to": "a", "amount": amount}, "c")
    verdict = made.control.inspect(crossing(part, "t"))
    assert verdict.action is Action.BLOCK
    assert [finding.rule for finding in verdict.findings] == ["cost-unknown"]


def test_a_call_that_was_handed_out_is_counted_once_and_not_made_on_and_on(
    bench: Callable[..., Bench],
) -> None:
    made = bench(calls={"session": "2/hour"}, cost={"session": "1/hour"})
    mail = {"arguments": {"to": "a", "text": "x"}}
    for _ in range(2):
        assert made.ask("send", **mail) == set()
        assert made.ask("send", **mail, handed_out=True) == set()
    assert made.ask("send", **mail, handed_out=True) == {"repeats"}
    assert made.ask("send", **mail) == {"session", "cost", "repeats"}


def test_calls_of_a_whole_chain_are_counted_together(bench: Callable[..., Bench]) -> None:
    made = bench(chain={"calls": 3})
    facts = {"id": "chn_1", "depth": 2, "caller": "planner"}
    places = [{"session": f"s{n}", "by": f"agent{n}"} for n in range(4)]
    assert [made.ask(chain=facts, **place) for place in places] == [set(), set(), set(), {"chain"}]
    assert made.ask(chain={**facts, "id": "chn_2"}) == set()


def test_what_model_and_user_are_told_says_what_to_do_and_no_limit(bench: Callable[..., Bench]) -> None:
    made = bench(calls={"session": "1/hour"})
    made.ask()
    (reason,) = made.control.inspect(crossing(call("look", {"text": "q"}), "t")).reasons
    assert reason.startswith("The call was stopped: this conversation has made as many tool calls")
    assert "answer with what you have. Possible again in about 61 min." in reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"breakers": {"tools": {"sned": "1/day"}}},
        {"breakers": {"effects": {"spend": "1/day"}}},
        {"breakers": {"calls": {"session": "often"}}},
        {"tools": {"pay": {**TOOLS["pay"], "cost": "amuont"}}},
        {"tools": {"pay": {**TOOLS["pay"], "cost": "to"}}},
        {"tools": {"pay": {**TOOLS["pay"], "cost": -1}}},
        {"tools": {"pay": {**TOOLS["pay"], "cost": float("nan")}}},
    ],
)
def test_a_limit_that_would_limit_nothing_is_a_mistake_in_the_file(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ApplicationSection.model_validate({"tools": TOOLS, **wrong})


def test_tools_of_mcp_servers_may_be_limited_before_they_are_known() -> None:
    section = ApplicationSection.model_validate({"breakers": {"tools": {"git__commit": "5/hour"}}})
    assert str(section.breakers.tools["git__commit"]) == "5/hour"
    assert BreakerSettings.model_validate(section.breakers.model_dump()) == section.breakers


LIMIT = 40


def test_threads_never_overshoot_together(database: Database) -> None:
    counters = SharedCounters(database)
    won: list[int] = []
    threads = [threading.Thread(target=_take, args=(counters, won)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == LIMIT


def _take(counters: SharedCounters, won: list[int]) -> None:
    for number in range(20):
        claims = [Claim("shared", 1, LIMIT, 3600), Claim(f"own {number}", 1, 1000, 3600)]
        if not counters.take(claims).exceeded:
            won.append(number)


def _other_process(path: Path, begin: Any, out: Any) -> None:
    won: list[int] = []
    counters = SharedCounters(Database(path))
    begin.wait(20)
    _take(counters, won)
    _take(counters, won)
    out.put(len(won))


def test_two_processes_never_overshoot_together(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    begin, out = spawn.Barrier(2), spawn.Queue()
    path = tmp_path / "state.db"
    SharedCounters(Database(path))
    both = [spawn.Process(target=_other_process, args=(path, begin, out)) for _ in range(2)]
    for process in both:
        process.start()
    won = [out.get(timeout=60) for _ in both]
    for process in both:
        process.join(30)
    assert sum(won) == LIMIT


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 6), st.sampled_from(["keep", "back", "add"])),
        max_size=40,
    )
)
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[int, int, str]]) -> None:
    """Against a model that remembers every moment."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        now, window, limit = [100.0], 60, 10
        counters = SharedCounters(Database(Path(folder) / "x.db"), clock=lambda: now[0])
        kept: list[tuple[float, int]] = []
        for wait, amount, end in steps:
            now[0] += wait
            granted = counters.take([Claim("k", amount, limit, window)])
            really = sum(one for at, one in kept if now[0] - at < window)
            if granted.exceeded:
                assert counters.retry_after(Claim("k", amount, limit, window)) > 0
                continue
            assert really + amount <= limit
            if end == "back":
                counters.give_back(granted.taken)
            else:
                kept.append((now[0], amount))


def test_a_wait_is_long_enough(database: Database) -> None:
    now = [50.0]
    counters = SharedCounters(database, clock=lambda: now[0])
    claim = Claim("k", 4, 10, 60)
    for _ in range(2):
        assert not counters.take([claim]).exceeded
        now[0] += 7
    wait = counters.retry_after(claim)
    assert 0 < wait <= 61
    now[0] += wait
    assert not counters.take([claim]).exceeded
    assert counters.retry_after(Claim("k", 11, 10, 60)) == float("inf")


def test_the_table_keeps_no_names_and_forgets_what_is_over(database: Database) -> None:
    now = [0.0]
    counters = SharedCounters(database, clock=lambda: now[0])
    for number in range(1030):
        counters.take([Claim(f"secret-subject {number}", 1, 10, 60)])
        now[0] += 1
    rows = database.all("SELECT key FROM shared_use")
    assert len(rows) < 200
    assert not any(b"secret" in row["key"] for row in rows)
