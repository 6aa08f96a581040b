"""``ringwall contain tool``, and what it does to gateways in other processes."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

LOOK = json.dumps({"order_id": "B-1234"})


def answer(*calls: tuple[str, str]) -> dict[str, Any]:
    made = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(calls)
    ]
    return {
        "role": "assistant",
        "content": None if made else "Done.",
        **({"tool_calls": made} if made else {}),
    }


@pytest.fixture
def here(served_path: Callable[..., Path], model_server: Any, tmp_path: Path) -> tuple[Any, ...]:
    path = served_path(tmp_path / "shop", {})
    return ("--workload", path, "--data-dir", tmp_path / "data")


def test_a_switch_stops_the_next_call_in_every_gateway(
    start: Any, up: Any, command: Any, model_server: Any
) -> None:
    """Two gateways on one data directory: one of this process, one of its own."""
    mine = start()
    other = up(mine.path, mine.data_dir)
    here = ("--workload", mine.path, "--data-dir", mine.data_dir)
    numbers = itertools.count()

    def ask(base_url: str) -> tuple[list[str], str]:
        """The tools that the model was offered, and what its call gave it."""
        model_server.reset()
        model_server.says(answer(("lookup_order", LOOK)), answer())
        question = {"role": "user", "content": f"Where is order {next(numbers)}?"}
        headers = {"authorization": f"Bearer {mine.keys['avery']}"}
        body = {"model": "default", "messages": [question]}
        got = httpx.post(f"{base_url}/chat/completions", json=body, headers=headers, timeout=60)
        assert got.status_code == 200, got.text
        first, last = model_server.received[0], model_server.received[-1]
        results = [one["content"] for one in last["messages"] if one["role"] == "tool"]
        return [tool["function"]["name"] for tool in first.get("tools", ())], results[0]

    places = (f"{mine.url}/v1", other.line["base_url"])
    for target in (("lookup_order",), ("--effect", "read"), ("--everything",)):
        for place in places:
            offered, result = ask(place)
            assert "lookup_order" in offered
            assert "Order B-1234" in result
        thrown = command("contain", "tool", "off", *target, "--reason", "incident 7", "--by", "olga", *here)
        assert thrown.code == 0, thrown.err
        for place in places:
            offered, result = ask(place)
            assert "lookup_order" not in offered
            assert "switched off for now; go on without it" in result
        assert command("contain", "tool", "on", *target, *here).code == 0


def test_the_command_is_clear_and_leaves_a_trace(here: tuple[Any, ...], command: Any) -> None:
    thrown = command("contain", "tool", "off", "pay_out", "--reason", "odd refunds", "--json", *here)
    assert thrown.code == 0, thrown.err
    assert (thrown.json["target"], thrown.json["reason"]) == ("pay_out", "odd refunds")
    assert (
        command("contain", "tool", "off", "--server", "git", "--reason", "x", *here).out == "git__* is off.\n"
    )
    listed = command("contain", "tool", "list", "--json", *here).json
    assert [(one["target"], one["by"]) for one in listed] == [
        ("git__*", "command line"),
        ("pay_out", "command line"),
    ]
    assert "odd refunds" in command("contain", "tool", "list", *here).out
    again = command("contain", "tool", "on", "pay_out", *here)
    assert (again.code, again.out) == (0, "pay_out is on. Still off: git__*.\n")
    twice = command("contain", "tool", "on", "pay_out", "--json", *here)
    assert (twice.code, twice.json["lifted"], twice.json["still_off"]) == (1, False, ["git__*"])
    for mistake in (("pay_uot",), (), ("pay_out", "--everything"), ("--effect", "spend")):
        wrong = command("contain", "tool", "off", *mistake, "--reason", "x", *here)
        assert wrong.code == 2, mistake
    assert "Its tools: lookup_order" in command("contain", "tool", "off", "x", "--reason", "x", *here).err
    assert command("contain", "tool", "off", "pay_out", *here).code == 2, "without a reason"


def test_who_and_why_are_on_the_ledger(here: tuple[Any, ...], command: Any) -> None:
    from ringwall.workload.plant import Plant

    command("contain", "tool", "off", "--effect", "pay", "--reason", "odd refunds", "--by", "olga", *here)
    command("contain", "tool", "on", "--effect", "pay", "--by", "olaf", *here)
    plant = Plant(here[-1])
    try:
        off, on = (plant.ledger.latest(1, type=kind)[0] for kind in ("tool.off", "tool.on"))
    finally:
        plant.close()
    assert (off.event["target"], off.event["subject"]) == ("effect:pay", "olga")
    assert off.body is not None
    assert off.body["reason"] == "odd refunds"
    assert (on.event["target"], on.event["subject"]) == ("effect:pay", "olaf")
