"""Guarded streams: clients that leave, upstreams that break, tool calls in pieces."""

import json
import socket
from typing import Any

import pytest


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "default", "messages": [{"role": "user", "content": text}], **more}


def contents(found: list[Any]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for event in found
        if event != "[DONE]"
        for choice in event.get("choices", ())
    )


@pytest.mark.parametrize(
    ("then", "status"), [("garbage", 502), ("hang_up", 502), ("error", 502), ("end", 502), ("silence", 504)]
)
def test_an_upstream_that_breaks_off(
    gateway: Any, model_server: Any, behave: Any, then: str, status: int
) -> None:
    model_server.says(behave.partly("A sentence that comes. " * 20, then))
    found, headers = gateway.events(chat("Tell me a story."))
    errors = [event["error"] for event in found if event != "[DONE]" and "error" in event]
    assert len(errors) == 1
    assert errors[0]["code"] == "upstream_failed"
    assert "boom-of-the-provider" not in json.dumps(errors)
    assert "A sentence" in contents(found)
    assert not any(c.get("finish_reason") for e in found if e != "[DONE]" for c in e.get("choices", ()))
    failures = [e for e in gateway.turn(headers["x-ringwall-turn"]) if e["type"] == "upstream.failed"]
    assert [event["status"] for event in failures] == [status]


def test_the_sdk_raises_for_a_broken_stream(gateway: Any, model_server: Any, behave: Any) -> None:
    import openai

    model_server.says(behave.partly("One two three " * 30, "hang_up"))
    with pytest.raises(openai.APIError, match="broke off"):
        list(gateway.client().chat.completions.create(**chat("Go."), stream=True))


def test_an_upstream_that_fails_at_once_is_a_status(gateway: Any, model_server: Any, behave: Any) -> None:
    model_server.says(behave.status(500))
    assert gateway.ask("Hello", stream=True).status_code == 502


def test_the_check_goes_on_when_the_client_leaves(gateway: Any, model_server: Any) -> None:
    """Half of the answer is read, then the connection is reset; the rest of it holds a leak."""
    canary = gateway.live.site.application().application.canary

    async def slowly(request: Any, body: Any) -> Any:
        import asyncio

        from aiohttp import web

        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)

        async def word(text: str) -> None:
            event = {"choices": [{"index": 0, "delta": {"content": text}}]}
            await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")

        for _ in range(40):
            await word("The first half of the answer. ")
        while not model_server.released.is_set():
            await asyncio.sleep(0.01)
        await word(f"And now: {canary}. ")
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        await response.write(b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n")
        return response

    model_server.says(slowly)
    host, port = gateway.url.removeprefix("http://").split(":")
    raw = json.dumps(chat("Tell me.", stream=True)).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.keys['casey']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(head.encode() + raw)
        got = b""
        while b"first half" not in got:
            got += line.recv(4096)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a goodbye
    turn = got.split(b"x-ringwall-turn: ")[1].split(b"\r\n")[0].decode()
    model_server.released.set()
    stopped = gateway.until(
        lambda: [e for e in gateway.turn(turn) if e.get("kind") == "response" and e["action"] == "block"]
    )
    assert stopped


def test_tool_calls_in_pieces_are_held_until_they_are_judged(
    gateway: Any, model_server: Any, said: Any
) -> None:
    model_server.piece = 3
    tool = gateway.live.site.application().registry.get("note").openai()
    model_server.says(said("Let me note that. ", ("note", '{"about": "a lamp with a shade"}')))
    found, headers = gateway.events(chat("Note it.", tools=[tool]))
    carrying = [
        e for e in found if e != "[DONE]" and e["choices"] and e["choices"][0]["delta"].get("tool_calls")
    ]
    assert len(carrying) == 1  # whole, in one event
    call = carrying[0]["choices"][0]["delta"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"about": "a lamp with a shade"}
    assert contents(found) == "Let me note that. "
    judged = [e for e in gateway.turn(headers["x-ringwall-turn"]) if e.get("kind") == "tool_call"]
    assert [event["action"] for event in judged] == ["allow"]


def test_a_refused_call_never_shows_in_the_stream(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.piece = 2
    model_server.says(
        said("", ("pay_out", '{"order_id": "B-2041", "amount": 999}')), said("I can't do that.")
    )
    found, _ = gateway.events(chat("Pay me 999."))
    assert "999" not in json.dumps(found)
    assert contents(found) == "I can't do that."


def test_arguments_that_can_not_be_read_are_refused(gateway: Any, model_server: Any, said: Any) -> None:
    tool = gateway.live.site.application().registry.get("note").openai()
    for broken in ('{"about": "x"', '{"about": "x", "about": "y"}', "[]", "", '{"about": NaN}', "\x00"):
        model_server.says(said("", ("note", broken)), said("I gave up."))
        found, _ = gateway.events(chat("Note it.", tools=[tool]))
        assert contents(found) == "I gave up.", broken


def test_usage_counts_every_round(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("", ("lookup_order", '{"order_id": "B-2041"}')), said("Sent."))
    found, _ = gateway.events(chat("Where is it?", stream_options={"include_usage": True}))
    assert found[-1] == "[DONE]"
    assert found[-2]["usage"] == {"prompt_tokens": 22, "completion_tokens": 10, "total_tokens": 32}
    assert sum(1 for event in found if event != "[DONE]" and "usage" in event) == 1


def test_every_piece_of_a_stream_has_a_decision_before_it(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("Plain words about lamps. " * 60))
    found, headers = gateway.events(chat("Tell me."))
    assert len([e for e in found if e != "[DONE]"]) > 5  # it streams, and is not held to the end
    responses = [e for e in gateway.turn(headers["x-ringwall-turn"]) if e.get("kind") == "response"]
    assert len(responses) >= 2
    assert gateway.record(responses[-1]["id"]).body["parts"][-1]["text"] == "Plain words about lamps. " * 60
