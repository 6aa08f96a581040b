"""The rules of the replay, one by one, on records made by hand."""

import json
from typing import Any

from ringwall.boundaries.organization.drill import Call, Observation, Recorded
from ringwall.boundaries.organization.drill.derive import alone, broken, everyone, nobody, reached, without
from ringwall.boundaries.organization.drill.scenario import Scenario
from ringwall.core import Boundary, CrossingKind, Declaration, FailMode


def said(control: str, action: str, *edits: tuple[int, int, int, str], **more: Any) -> dict[str, Any]:
    return {"control": control, "action": action, "edits": edits, "mode": "enforce", **more}


def record(kind: str, text: str, *voices: dict[str, Any], name: str = "", ref: str = "") -> Recorded:
    lines = [
        {
            "control": voice["control"],
            "action": voice["action"],
            "mode": voice["mode"],
            "status": voice.get("status", "evaluated"),
        }
        for voice in voices
    ]
    keys = ("part", "start", "end", "replacement")
    verdicts = {
        voice["control"]: {
            "edits": [{**dict(zip(keys, edit, strict=True)), "drop": False} for edit in voice["edits"]]
        }
        for voice in voices
    }
    parts = [{"kind": "text", "text": text, "name": name, "ref": ref}]
    return Recorded({"kind": kind, "lines": lines}, {"parts": parts, "verdicts": verdicts})


def scenario(goal: dict[str, Any], *model: dict[str, Any], steps: int = 1) -> Scenario:
    chat = {"chat": {"messages": [{"role": "user", "content": "x"}]}}
    return Scenario.model_validate(
        {
            "id": "test",
            "title": "t",
            "threats": ["LLM01@2025"],
            "steps": [chat] * steps,
            "model": list(model),
            "goal": goal,
        }
    )


def seen(*records: Recorded, **facts: Any) -> Observation:
    return Observation(0, 200, decisions=records, **facts)


SAYS = scenario({"says": {"text": "EVIL"}}, {"when": ["carrier"], "say": "EVIL"})
PAYS = scenario({"calls": {"tool": "pay"}}, {"call": "read"}, {"when": ["carrier"], "call": "pay"})


def test_a_blocked_request_ends_the_turn() -> None:
    one = seen(record("request", "carrier", said("a", "block")), content="EVIL")
    assert reached(SAYS, [one], nobody)
    assert not reached(SAYS, [one], alone("a"))


def test_an_annotation_changes_nothing() -> None:
    assert reached(
        SAYS, [seen(record("request", "carrier", said("a", "annotate")), content="EVIL")], alone("a")
    )


def test_an_edit_stops_only_if_it_takes_the_carrier() -> None:
    hit = seen(record("request", "a carrier b", said("a", "transform", (0, 2, 5, "#"))), content="EVIL")
    miss = seen(record("request", "a carrier b", said("a", "transform", (0, 0, 1, "#"))), content="EVIL")
    assert not reached(SAYS, [hit], alone("a"))
    assert reached(SAYS, [miss], alone("a"))


def test_two_edits_may_stop_together_what_neither_stops_alone() -> None:
    goal = scenario({"says": {"regex": "E.*L"}})
    voices = (said("a", "transform", (0, 0, 1, "_")), said("b", "transform", (0, 6, 7, "_")))
    one = seen(record("response", "E--E--L", *voices), content="E--E--L")
    assert reached(goal, [one], alone("a"))
    assert not reached(goal, [one], alone("b")), "the only L is gone"
    assert not reached(goal, [one], everyone)
    assert reached(goal, [one], without("b"))


def test_an_edit_of_the_answer_is_what_the_client_gets() -> None:
    one = seen(record("response", "so EVIL", said("a", "transform", (0, 3, 7, "-"))), content="so EVIL")
    assert not reached(SAYS, [one], alone("a"))


def test_a_withheld_answer_takes_the_calls_for_the_client_and_not_those_already_made() -> None:
    made = seen(record("response", "", said("a", "block")), calls=(Call("pay"),))
    handed = seen(record("response", "", said("a", "block")), calls=(Call("pay", executed=False),))
    assert reached(PAYS, [made], alone("a"))
    assert not reached(PAYS, [handed], alone("a"))


def test_a_stopped_call_takes_away_what_its_result_would_have_brought() -> None:
    one = seen(
        record("tool_call", "{}", said("a", "hold"), name="read", ref="c1"),
        record("tool_result", "carrier", said("b", "allow"), name="read", ref="c1"),
        record("tool_call", "{}", said("b", "allow"), name="pay", ref="c2"),
        calls=(Call("read"), Call("pay")),
    )
    assert reached(PAYS, [one], nobody)
    assert not reached(PAYS, [one], alone("a"))


def test_only_the_call_with_these_arguments_is_stopped() -> None:
    goal = scenario({"calls": {"tool": "pay", "arguments": {"n": 2}}})
    calls = (Call("pay", {"n": 1}), Call("pay", {"n": 2}))
    first = seen(
        record("tool_call", json.dumps({"n": 1}), said("a", "block"), name="pay", ref="1"), calls=calls
    )
    second = seen(
        record("tool_call", json.dumps({"n": 2}), said("a", "block"), name="pay", ref="2"), calls=calls
    )
    assert reached(goal, [first], alone("a"))
    assert not reached(goal, [second], alone("a"))


def test_a_loop_is_stopped_when_too_few_calls_are_left() -> None:
    goal = scenario({"calls": {"tool": "read", "times": 3}})
    records = [
        record("tool_call", "{}", said("a", "block" if n == 2 else "allow"), name="read", ref=str(n))
        for n in range(3)
    ]
    one = seen(*records, calls=(Call("read"),) * 3)
    assert reached(goal, [one], nobody)
    assert not reached(goal, [one], alone("a"))


def test_a_withheld_retrieval_stops_only_if_the_carrier_was_in_it() -> None:
    inside = seen(record("retrieval", "the carrier", said("a", "block")), content="EVIL")
    outside = seen(record("retrieval", "other", said("a", "block")), content="EVIL")
    assert not reached(SAYS, [inside], alone("a"))
    assert reached(SAYS, [outside], alone("a"))


def test_a_quarantined_document_is_gone_in_later_turns() -> None:
    stored = seen(record("contribution", "carrier", said("a", "hold")), stored="doc")
    later = seen(record("retrieval", "carrier", said("b", "allow")), content="EVIL")
    assert not reached(SAYS, [stored, later], alone("a"))
    assert reached(SAYS, [stored, later], alone("b"))
    assert not reached(scenario({"stores": "doc"}), [stored], alone("a"))


def test_a_flood_is_stopped_when_enough_of_it_is() -> None:
    goal = scenario({"serves": 1})
    turns = [seen(record("request", "", said("a", "allow" if n < 2 else "block"))) for n in range(4)]
    assert reached(goal, turns, alone("a"))
    assert not reached(scenario({"serves": 2}), turns, alone("a"))


def test_monitor_mode_speaks_alone_and_counts_for_nothing() -> None:
    one = seen(record("request", "carrier", said("a", "block", mode="monitor")), content="EVIL")
    assert not reached(SAYS, [one], alone("a"))
    assert reached(SAYS, [one], everyone)


def declaration(fail: FailMode, fallback: str = "") -> Declaration:
    kinds = frozenset({CrossingKind.REQUEST})
    return Declaration("a", Boundary.INTERFACE, "s", kinds, frozenset(), (), fail=fail, fallback=fallback)


def test_a_broken_control_is_treated_as_it_declares() -> None:
    passing = seen(record("request", "carrier", said("a", "allow")), content="EVIL")
    assert not reached(SAYS, [passing], broken(declaration(FailMode.CLOSED)))
    stopping = seen(record("request", "carrier", said("a", "block")), content="EVIL")
    assert reached(SAYS, [stopping], broken(declaration(FailMode.OPEN)))
    both = seen(record("request", "carrier", said("a", "block"), said("b", "allow")), content="EVIL")
    assert reached(SAYS, [both], broken(declaration(FailMode.DEGRADE, "b")))
    assert not reached(SAYS, [stopping], broken(declaration(FailMode.DEGRADE, "b"))), "no fallback: blocked"


def test_a_record_without_a_body_is_no_reason_to_fail() -> None:
    bare = Recorded({"kind": "request", "lines": []})
    assert reached(SAYS, [seen(bare, content="EVIL")], everyone)
