"""Limits and switches through the listener: what model and user are told, and what really happened."""

import json
from typing import Any

import pytest

from ringwall.core import Principal
from ringwall.workload.kill_switch import switch_off, switch_on

MORGAN = Principal("morgan", roles=frozenset({"manager"}), credential="key")
DONE = {"role": "assistant", "content": "Done."}


def calls(tool: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    made = [{"id": "call_1", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": made}


def told(model_server: Any) -> str:
    """What the last call gave the model."""
    results = [one["content"] for one in model_server.received[-1]["messages"] if one["role"] == "tool"]
    return str(results[-1])


@pytest.fixture(scope="module")
def shop(serve: Any) -> Any:
    tools = {"lookup_order": {"cost": 3}}
    limits = {"cost": {"session": "7/hour"}, "tools": {"note": {"session": "1/hour"}}}
    return serve(application={"tools": tools, "breakers": limits})


def ask(shop: Any, model_server: Any, session: str, *answers: dict[str, Any]) -> Any:
    model_server.says(*answers)
    return shop.ask("Go on.", "avery", session=session)


def test_cost_is_bounded_and_the_model_is_told_what_to_do(shop: Any, model_server: Any) -> None:
    orders = [calls("lookup_order", order_id=f"B-000{number}") for number in range(3)]
    got = ask(shop, model_server, "cost", *orders, DONE)
    assert got.json()["choices"][0]["message"]["content"] == "Done."
    assert "the call would cost more than is left" in told(model_server)
    assert "in about 61 min" in told(model_server)
    rules = [
        rule
        for event in shop.turn(got.headers["x-ringwall-turn"])
        for line in event.get("lines", ())
        if line["control"] == "application.breaker"
        for rule in line["rules"]
    ]
    assert rules == ["cost"]
    ask(shop, model_server, "another", orders[0], DONE)
    assert "Order B-0000" in told(model_server)


def test_calls_for_the_client_count_when_they_are_handed_out(shop: Any, model_server: Any) -> None:
    first = ask(shop, model_server, "client", calls("note", about="a"))
    assert first.json()["choices"][0]["finish_reason"] == "tool_calls"
    again = ask(shop, model_server, "client", calls("note", about="b"), DONE)
    assert again.json()["choices"][0]["finish_reason"] == "stop"
    assert "called as often as it may be" in told(model_server)


def test_a_refused_call_uses_nothing_up(shop: Any, model_server: Any) -> None:
    """Orders are of the form B-0000: the first two are refused by their schema."""
    wrong = [calls("lookup_order", order_id="x"), calls("lookup_order", order_id="y")]
    right = [calls("lookup_order", order_id="B-0001"), calls("lookup_order", order_id="B-0002")]
    ask(shop, model_server, "refused", *wrong, *right, DONE)
    assert "Order B-0002" in told(model_server)


def test_an_approved_call_is_not_made_after_its_tool_was_switched_off(shop: Any, model_server: Any) -> None:
    pay = calls("pay_out", order_id="B-0001", amount=5)
    held = ask(shop, model_server, "held", pay, DONE).headers["x-ringwall-holds"]
    shop.live.site.application().holds.approve(held, MORGAN)
    switch_off(shop.plant, "pay_out", reason="incident 7", by="olga")
    try:
        ask(shop, model_server, "held", pay, DONE)
        assert "this tool is switched off for now" in told(model_server)
    finally:
        switch_on(shop.plant, "pay_out", by="olga")
    assert not (shop.path.parent / "paid.log").exists()
