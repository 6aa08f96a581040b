"""The official Python SDK works unchanged: chat, streams, tools, typed errors."""

import json
from typing import Any

import openai
import pytest

ASK: Any = [{"role": "user", "content": "Which lamp is good for reading?"}]
TELL: Any = [{"role": "user", "content": "Make a note about lamps, please."}]
NOTE: Any = {
    "type": "function",
    "function": {
        "name": "note",
        "description": "Tool that can read.",
        "parameters": {
            "type": "object",
            "properties": {"about": {"type": "string"}},
            "required": ["about"],
            "additionalProperties": False,
        },
    },
}


def test_chat(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("A warm one, with a shade."))
    got = gateway.client().chat.completions.with_raw_response.create(model="default", messages=ASK)
    answer = got.parse()
    assert answer.choices[0].message.content == "A warm one, with a shade."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 16
    assert gateway.record(got.headers["x-ringwall-decision"]).event["type"] == "decision"
    assert model_server.received[0]["model"] == "m-1"


def test_stream_gives_the_same_text(gateway: Any, model_server: Any, said: Any) -> None:
    text = "A warm one. " * 40
    model_server.says(said(text))
    chunks = list(
        gateway.client().chat.completions.create(
            model="default", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 16
    assert len({c.id for c in chunks}) == 1


def test_no_usage_chunk_unless_asked(gateway: Any) -> None:
    chunks = list(gateway.client().chat.completions.create(model="default", messages=ASK, stream=True))
    assert all(c.choices for c in chunks)
    assert all(c.usage is None for c in chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_the_client_runs(gateway: Any, model_server: Any, said: Any, stream: bool) -> None:
    client = gateway.client()
    model_server.says(said("", ("note", '{"about": "lamps"}')), said("Noted."))
    if stream:
        chunks = list(
            client.chat.completions.create(model="default", messages=TELL, tools=[NOTE], stream=True)
        )
        deltas = [c.choices[0].delta for c in chunks]
        calls = [call for delta in deltas for call in delta.tool_calls or ()]
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        name, arguments, ref = calls[0].function.name, calls[0].function.arguments, calls[0].id
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": ref, "type": "function", "function": {"name": name, "arguments": arguments}}
            ],
        }
    else:
        answer = client.chat.completions.create(model="default", messages=TELL, tools=[NOTE])
        assert answer.choices[0].finish_reason == "tool_calls"
        message = answer.choices[0].message
        name, arguments, ref = (
            message.tool_calls[0].function.name,
            message.tool_calls[0].function.arguments,
            message.tool_calls[0].id,
        )
    assert (name, json.loads(arguments)) == ("note", {"about": "lamps"})
    history = [*TELL, message, {"role": "tool", "tool_call_id": ref, "content": "It is written down."}]
    final = client.chat.completions.create(model="default", messages=history, tools=[NOTE])
    assert final.choices[0].message.content == "Noted."
    assert "It is written down." in model_server.seen


def test_a_message_dumped_whole_can_be_sent_back(gateway: Any) -> None:
    """``model_dump()`` has every field of the SDK's type, most of them null."""
    client = gateway.client()
    first = client.chat.completions.create(model="default", messages=ASK)
    history = [*ASK, first.choices[0].message.model_dump(), {"role": "user", "content": "Thanks!"}]
    assert client.chat.completions.create(model="default", messages=history).choices[0].message.content


def test_models(gateway: Any) -> None:
    client = gateway.client()
    assert [model.id for model in client.models.list()] == ["default"]
    assert client.models.retrieve("default").owned_by == "ringwall"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("unheard-of")


def ask(client: openai.OpenAI, text: str = "Hello there", **more: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "default", "messages": [{"role": "user", "content": text}], **more}
    )


@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_typed(gateway: Any, stream: bool) -> None:
    client = gateway.client()
    with pytest.raises(openai.AuthenticationError) as unknown:
        ask(gateway.client("no-such-key"), stream=stream)
    assert unknown.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError) as role:
        ask(gateway.client("eddy"), stream=stream)
    assert role.value.code == "interface.identity"
    with pytest.raises(openai.NotFoundError) as model:
        ask(client, model="unheard-of", stream=stream)
    assert model.value.param == "model"
    with pytest.raises(openai.BadRequestError) as empty:
        ask(client, messages=[], stream=stream)
    assert empty.value.param == "messages"
    for error in (unknown, role, model, empty):
        assert error.value.response.headers["x-ringwall-decision"].startswith("dec_")
        assert "Traceback" not in error.value.response.text


@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_upstream_is_a_server_error(
    gateway: Any, model_server: Any, behave: Any, stream: bool
) -> None:
    model_server.says(behave.status(500))
    with pytest.raises(openai.InternalServerError) as failed:
        ask(gateway.client(), stream=stream)
    assert failed.value.status_code == 502
    assert "boom-of-the-provider" not in failed.value.response.text
    turn = failed.value.response.headers["x-ringwall-turn"]
    failures = [event for event in gateway.turn(turn) if event["type"] == "upstream.failed"]
    assert len(failures) == 1  # once, not once for each layer that saw it


@pytest.mark.parametrize(
    ("how", "status"), [("no_json", 502), ("no_choices", 502), ("status_429", 503), ("hang_up", 502)]
)
def test_upstream_failures(gateway: Any, model_server: Any, behave: Any, how: str, status: int) -> None:
    wrong = behave.status(429) if how == "status_429" else getattr(behave, how)
    model_server.says(wrong, wrong)  # twice: a connection that breaks is tried once more
    got = gateway.ask("Hello")
    assert got.status_code == status
    assert got.json()["error"]["code"] == "upstream_failed"
    assert any(event["type"] == "upstream.failed" for event in gateway.turn(got.headers["x-ringwall-turn"]))


async def test_async_client(gateway: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("One."), said("Two, in pieces."))
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.keys["casey"], max_retries=0, timeout=60
    ) as client:
        answer = await client.chat.completions.create(model="default", messages=ASK)
        assert answer.choices[0].message.content == "One."
        stream = await client.chat.completions.create(model="default", messages=ASK, stream=True)
        assert "".join([c.choices[0].delta.content or "" async for c in stream]) == "Two, in pieces."


def test_rate_limit_tells_when_to_come_back(start: Any) -> None:
    gateway = start(interface={"quotas": {"requests": "2/hour"}})
    client = gateway.client()
    ask(client)
    ask(client)
    with pytest.raises(openai.RateLimitError) as limited:
        ask(client)
    assert 1 <= int(limited.value.response.headers["retry-after"]) <= 3700
    assert limited.value.code == "interface.quota"
    ask(gateway.client("robin"))  # another person's quota is another


def test_a_body_of_a_few_hundred_kilobytes_passes(gateway: Any, model_server: Any) -> None:
    """Bodies are bounded by ``body_bytes`` alone, however the network cuts them."""
    for size in (20_000, 40_000, 90_000, 300_000):
        got = gateway.ask("lamp " * (size // 5))
        assert got.status_code == 200, got.text
