"""OpenAI Chat Completions replies: whole, and as server-sent events."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

REFUSAL = "I cannot fulfill your request: it was stopped by the policy of this application."
DONE = b"data: [DONE]\n\n"


def completion(
    turn: str, model: str, message: Mapping[str, Any], finish: str, usage: Mapping[str, int]
) -> dict[str, Any]:
    """A ``chat.completion`` object."""
    return {
        "id": f"chatcmpl-{turn}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": dict(message), "logprobs": None, "finish_reason": finish}],
        "usage": total(usage),
    }


def chunk(turn: str, model: str, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    """One ``chat.completion.chunk`` as an event."""
    return event({**_frame(turn, model), "choices": [_choice(delta, finish)]})


def usage_chunk(turn: str, model: str, usage: Mapping[str, int]) -> bytes:
    """The closing event of a stream whose client asked for usage."""
    return event({**_frame(turn, model), "choices": [], "usage": total(usage)})


def event(data: Mapping[str, Any]) -> bytes:
    """A server-sent event with a JSON object."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


def total(usage: Mapping[str, int]) -> dict[str, int]:
    """Usage with its sum."""
    prompt, reply = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def _frame(turn: str, model: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{turn}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
    }


def _choice(delta: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
