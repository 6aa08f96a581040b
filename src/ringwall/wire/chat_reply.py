"""OpenAI Chat Completions replies: whole, and as server-sent events."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

REFUSAL = "I cannot fulfill your request: it was stopped by the policy of this application."
DONE = b"data: [DONE]\n\n"
PULSE = b": waiting for a person\n\n"
"""A comment of the stream, which clients skip: it keeps the connection from looking dead."""


def completion(
    turn: str,
    model: str,
    message: Mapping[str, Any],
    finish: str,
    usage: Mapping[str, int],
    extension: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A ``chat.completion`` object; ``extension`` is what it holds as ``ringwall``."""
    return {
        **({"ringwall": extension} if extension else {}),
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


def closing_chunk(
    turn: str, model: str, usage: Mapping[str, int] | None, extension: Mapping[str, Any] | None
) -> bytes:
    """The closing event of a stream whose client asked for usage, or for the extension ``ringwall``."""
    more: dict[str, Any] = {"usage": total(usage)} if usage is not None else {}
    if extension:
        more["ringwall"] = extension
    return event({**_frame(turn, model), "choices": [], **more})


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
