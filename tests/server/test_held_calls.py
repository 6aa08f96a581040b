"""Held calls on their way through a turn, seen by the official SDK: waited for, amended, refused, traced."""

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest

from ringwall.boundaries.application.holds import Holds
from ringwall.core import Principal
from ringwall.server import chat_endpoint

MORGAN = Principal("morgan", "default", frozenset({"manager"}), credential="key_m")
PAY = ("pay_out", '{"order_id": "B-2041", "amount": 40}')
MAIL = ("send_email", '{"to": "stranger@outside.example", "body": "Hello."}')
TRACE = {"x-ringwall-trace": "1"}
OFTEN = {"identical_calls": 100}
"""These tests make the same calls in the same conversation."""


@pytest.fixture(scope="module")
def _waiting(serve: Any) -> Any:
    return serve(application={"holds": {"wait_s": 20}, "breakers": OFTEN})


@pytest.fixture(scope="module")
def _ending(serve: Any) -> Any:
    return serve(application={"refusals": "end_turn", "breakers": OFTEN})


@pytest.fixture
def slow(_waiting: Any, model_server: Any) -> Any:
    return _waiting


@pytest.fixture
def strict(_ending: Any, model_server: Any) -> Any:
    return _ending


def holds_of(gateway: Any) -> Holds:
    holds: Holds = gateway.live.site.application().holds
    return holds


def paid(gateway: Any) -> list[str]:
    log = gateway.path.parent / "paid.log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def declared(gateway: Any, name: str) -> dict[str, Any]:
    manifest = gateway.live.site.application().registry.get(name)
    assert manifest is not None
    found: dict[str, Any] = manifest.openai()
    return found


class Deciding:
    """Somebody who decides about the next hold, in a thread of their own."""

    def __init__(self, gateway: Any, decide: Callable[[Holds, str], Any]) -> None:
        self._thread = threading.Thread(target=self._run, args=(gateway, decide))
        self.problem: BaseException | None = None

    def _run(self, gateway: Any, decide: Callable[[Holds, str], Any]) -> None:
        try:
            holds = holds_of(gateway)
            hold = gateway.until(holds.pending)[0]
            decide(holds, hold.id)
        except BaseException as problem:  # noqa: BLE001 - shown by the test
            self.problem = problem

    def __enter__(self) -> "Deciding":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
        assert self.problem is None, self.problem


def answer(
    gateway: Any, *, stream: bool, subject: str = "avery", **more: Any
) -> tuple[str, list[Any], str, Any]:
    """Text, calls, finish reason and trace, as the SDK has them."""
    more = {"model": "default", "messages": [{"role": "user", "content": "Do it."}], **more}
    client = gateway.client(subject)
    if not stream:
        got = client.chat.completions.create(extra_headers=TRACE, **more)
        choice = got.choices[0]
        made = [
            (call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()
        ]
        return choice.message.content or "", made, choice.finish_reason, got.model_extra["ringwall"]
    with client.chat.completions.stream(extra_headers=TRACE, **more) as events:
        trace = None
        for event in events:
            if event.type == "chunk" and event.chunk.model_extra:
                trace = event.chunk.model_extra.get("ringwall", trace)
        choice = events.get_final_completion().choices[0]
    made = [
        (call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()
    ]
    return choice.message.content or "", made, choice.finish_reason, trace


@pytest.mark.parametrize("stream", [False, True])
def test_a_held_call_waits_and_runs(slow: Any, model_server: Any, said: Any, stream: bool) -> None:
    before = paid(slow)
    model_server.says(said("", PAY), said("It is paid."))
    with Deciding(slow, lambda holds, hold: holds.approve(hold, MORGAN)):
        text, _, finish, trace = answer(slow, stream=stream)
    assert (text, finish) == ("It is paid.", "stop")
    assert paid(slow) == [*before, "B-2041 40"]
    assert [call["fate"] for call in trace["calls"]] == ["run"]
    events = [event.get("type") for event in slow.turn(trace["turn"])]
    assert "tool.called" in events


@pytest.mark.parametrize("stream", [False, True])
def test_a_person_amends_and_the_model_is_told(slow: Any, model_server: Any, said: Any, stream: bool) -> None:
    before = paid(slow)
    model_server.says(said("", PAY), said("Paid, less than asked for."))
    with Deciding(slow, lambda holds, hold: holds.amend(hold, MORGAN, '{"order_id": "B-2041", "amount": 4}')):
        _, _, _, trace = answer(slow, stream=stream)
    assert paid(slow) == [*before, "B-2041 4"]
    told = model_server.received[-1]["messages"][-1]["content"]
    assert told.startswith("[A person changed this call")
    assert '"amount":4' in told
    assert "Paid 4 for B-2041" in told
    assert trace["calls"][0]["changed_by_person"] is True


def test_an_amended_call_is_judged_anew(slow: Any, model_server: Any, said: Any) -> None:
    """A schema that it does not fit stops it at once; a policy that forbids it, when it is made."""
    holds = holds_of(slow)

    def decide(holds: Holds, hold: str) -> None:
        with pytest.raises(Exception, match="can't be amended"):
            holds.amend(hold, MORGAN, '{"order_id": "B-2041", "amount": 999999}')
        with pytest.raises(Exception, match="can't be amended"):
            holds.amend(hold, MORGAN, '{"order_id": "B-2041", "amount": 1, "amount": 2}')
        holds.amend(hold, MORGAN, '{"to": "http://169.254.169.254/latest", "body": "x"}')

    model_server.says(said("", MAIL), said("It could not be sent."))
    with Deciding(slow, decide):
        _, made, _, trace = answer(slow, stream=False, tools=[declared(slow, "send_email")])
    assert holds.pending() == []
    assert made == []
    assert trace["calls"][0]["fate"] == "refused"
    assert "Denied by policy" in model_server.received[-1]["messages"][-1]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_gets_the_amended_call(slow: Any, model_server: Any, said: Any, stream: bool) -> None:
    model_server.says(said("I write to them.", MAIL))
    better = '{"body": "Hello, kindly.", "to": "help@brightlamp.example"}'
    with Deciding(slow, lambda holds, hold: holds.amend(hold, MORGAN, better)):
        text, made, finish, trace = answer(slow, stream=stream, tools=[declared(slow, "send_email")])
    assert [(name, json.loads(arguments)) for _, name, arguments in made] == [
        ("send_email", json.loads(better))
    ]
    assert finish == "tool_calls"
    assert "A person changed the call of send_email" in text
    assert trace["calls"][0]["fate"] == "released"


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_told_and_not_asked_again(slow: Any, model_server: Any, said: Any, stream: bool) -> None:
    before = paid(slow)
    pay = (
        "pay_out",
        '{"order_id": "B-3333", "amount": 7}' if stream else '{"order_id": "B-3334", "amount": 7}',
    )
    model_server.says(said("", pay), said("", pay), said("It was refused."))
    with Deciding(slow, lambda holds, hold: holds.refuse(hold, MORGAN)):
        text, _, _, trace = answer(slow, stream=stream)
    assert text == "It was refused."
    assert paid(slow) == before
    assert [call["reason"] for call in trace["calls"]] == ["A person refused it."] * 2
    results = [m for m in model_server.received[-1]["messages"] if m["role"] == "tool"]
    assert all("a person refused this call" in result["content"] for result in results)


@pytest.mark.parametrize("stream", [False, True])
def test_refusals_can_end_the_turn(strict: Any, model_server: Any, said: Any, stream: bool) -> None:
    before = paid(strict)
    look = ("lookup_order", '{"order_id": "B-2041"}')
    model_server.says(said("I look.", look, PAY), said("Never asked for."))
    text, made, finish, trace = answer(strict, stream=stream)
    assert finish == "stop"
    assert made == []
    assert paid(strict) == before
    assert len(model_server.received) == 1
    assert text.startswith("I look.\n\nThis stops here")
    assert "pay_out: It waits for a person (hold_" in text
    assert [call["fate"] for call in trace["calls"]] == ["postponed", "held"]


@pytest.mark.parametrize("stream", [False, True])
def test_allowed_client_calls_beside_refused_ones_leave_a_whole_history(
    gateway: Any, model_server: Any, said: Any, stream: bool
) -> None:
    """The client answers each call that it sees; the model can ask again for those that it does not."""
    note = ("note", '{"about": "lamps"}')
    tools = [declared(gateway, "note"), declared(gateway, "send_email")]
    model_server.says(said("Both.", note, PAY), said("Noted; the payment waits."))
    ask = {"role": "user", "content": "Do both."}
    _, made, finish, trace = answer(gateway, stream=stream, tools=tools, messages=[ask])
    assert [name for _, name, _ in made] == ["note"]
    assert finish == "tool_calls"
    assert [call["fate"] for call in trace["calls"]] == ["released", "held"]
    ref, name, arguments = made[0]
    call = {"id": ref, "type": "function", "function": {"name": name, "arguments": arguments}}
    history = [
        ask,
        {"role": "assistant", "content": "Both.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": ref, "content": "ok"},
    ]
    text, _, finish, _ = answer(gateway, stream=stream, tools=tools, messages=history)
    assert (text, finish) == ("Noted; the payment waits.", "stop")
    sent = model_server.received[-1]["messages"]
    asked = [c["id"] for m in sent if m["role"] == "assistant" for c in m.get("tool_calls") or ()]
    assert asked == [m["tool_call_id"] for m in sent if m["role"] == "tool"]


def test_every_call_of_the_model_has_its_answer(gateway: Any, model_server: Any, said: Any) -> None:
    """Whatever ids the model gives: each call of an assistant message is answered once."""
    look = ("lookup_order", '{"order_id": "B-2041"}')
    twice = said("", look, PAY, ("no_such_tool", "{}"))
    for call in twice["tool_calls"]:
        call["id"] = "same"
    model_server.says(twice, said("Done."))
    text, _, _, trace = answer(gateway, stream=False)
    assert text == "Done."
    sent = model_server.received[-1]["messages"]
    asked = [c["id"] for m in sent if m["role"] == "assistant" for c in m.get("tool_calls") or ()]
    assert len(set(asked)) == 3
    assert sorted(asked) == sorted(m["tool_call_id"] for m in sent if m["role"] == "tool")
    assert [call["fate"] for call in trace["calls"]] == ["run", "held", "refused"]


def test_a_forced_call_that_was_refused_is_not_forced_again(
    gateway: Any, model_server: Any, said: Any
) -> None:
    model_server.says(said("", PAY), said("It waits."))
    forced = {"type": "function", "function": {"name": "pay_out"}}
    answer(gateway, stream=False, tool_choice=forced)
    assert model_server.received[0]["tool_choice"] == forced
    assert model_server.received[1]["tool_choice"] == "auto"


def test_the_trace_is_asked_for(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("", PAY), said("It waits."))
    got = gateway.ask("Pay.", "avery")
    assert "ringwall" not in got.json()
    model_server.says(said("", ("pay_out", '{"order_id": "B-2041", "amount": 1}')), said("I can't."))
    _, _, _, trace = answer(gateway, stream=True, subject="casey")
    told = json.dumps(trace)
    assert trace["calls"][0]["fate"] == "refused"
    assert "ringwall." not in told, "no policy is named"


def test_a_streaming_client_hears_that_somebody_is_awaited(
    slow: Any, model_server: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_endpoint, "PULSE_S", 0.05)
    model_server.says(said("", ("pay_out", '{"order_id": "B-7777", "amount": 7}')), said("Done."))
    body = {"model": "default", "messages": [{"role": "user", "content": "Pay."}], "stream": True}
    headers = {"authorization": f"Bearer {slow.keys['avery']}"}
    lines: list[str] = []
    with httpx.stream(
        "POST", f"{slow.url}/v1/chat/completions", json=body, headers=headers, timeout=60
    ) as got:
        for line in got.iter_lines():
            lines.append(line)
            if line.startswith(": waiting") and lines.count(line) == 2:
                (hold,) = holds_of(slow).pending()
                holds_of(slow).approve(hold.id, MORGAN)
    assert lines.count(": waiting for a person") >= 2
    assert any('"content":"Done."' in line for line in lines)
    assert lines[-2] == "data: [DONE]"


def test_a_call_that_is_asked_for_twice_is_made_once(slow: Any, model_server: Any, said: Any) -> None:
    before = paid(slow)
    pay = ("pay_out", '{"order_id": "B-8888", "amount": 8}')
    model_server.says(said("", pay, pay), said("Done once."))
    with Deciding(slow, lambda holds, hold: holds.approve(hold, MORGAN)):
        _, _, _, trace = answer(slow, stream=False)
    assert paid(slow) == [*before, "B-8888 8"]
    assert [call["fate"] for call in trace["calls"]] == ["run", "refused"]


def test_nobody_decides_in_time(start: Any, model_server: Any, said: Any) -> None:
    gateway = start(application={"holds": {"wait_s": 0.1}})
    model_server.says(said("", PAY), said("It waits."))
    text, _, _, trace = answer(gateway, stream=False)
    assert text == "It waits."
    assert trace["calls"][0]["fate"] == "held"
    assert "this call waits for the approval" in model_server.received[-1]["messages"][-1]["content"]
