"""OpenAI Chat Completions requests: strict reading of untrusted JSON into a typed call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import invalid

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_OWN = {"model", "messages", "tools", "stream", "stream_options"}
_ITEMS = {"text", "refusal", "image_url", "input_audio", "file"}
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""Names of tools and ids of their calls reach the model as well: no room for sentences in them."""
_TOOL_FIELDS = ("name", "description", "parameters", "strict")
_KNOWN_PARAMS = {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
    "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store",
    "temperature", "tool_choice", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
}  # fmt: skip
_REFUSED = {"audio", "prediction", "web_search_options", "moderation"}
"""Part of the protocol, yet a way around the boundaries: text or traffic that no adapter shows to a gate."""


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One call of ``POST /v1/chat/completions``, checked for shape but not yet for anything else.

    Messages and tools are rebuilt from the fields that a gate is shown; a field that no control sees does
    not travel.
    """

    model: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    """Everything else of the request: temperature, max_tokens, tool_choice, …"""
    stream: bool = False
    include_usage: bool = False


def read_chat(body: object) -> ChatCall:
    """The call in a parsed JSON body. Raises WireError (400) that names the field."""
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", "body")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("'model' must be a non-empty string.", "model")
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise invalid("'stream' must be true or false.", "stream")
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise invalid("'stream_options' must be an object.", "stream_options")
    params = {key: value for key, value in body.items() if key not in _OWN and value is not None}
    for key in params:
        if key not in _KNOWN_PARAMS:
            raise invalid(f"Unknown field {key[:64]!r}: it would pass unguarded, so it is refused.", key[:64])
    for key in _REFUSED & params.keys():
        raise invalid(f"{key!r} is not supported: what it sends to the model can't be guarded here.", key)
    if "functions" in params or "function_call" in params:
        raise invalid("'functions' is the retired form; send 'tools'.", "functions")
    return ChatCall(
        model=model,
        messages=_messages(body.get("messages")),
        tools=_tools(body.get("tools")),
        params=params,
        stream=stream,
        include_usage=bool(options.get("include_usage")),
    )


def _messages(messages: object) -> tuple[dict[str, Any], ...]:
    if not isinstance(messages, list) or not messages:
        raise invalid("'messages' must be a non-empty list.", "messages")
    return tuple(_message(message, f"messages[{index}]") for index, message in enumerate(messages))


def _message(message: object, at: str) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise invalid(f"'{at}' must be an object.", at)
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid(f"'{at}.role' must be one of {', '.join(sorted(_ROLES))}.", f"{at}.role")
    if message.get("function_call") is not None:
        raise invalid(f"'{at}.function_call' is the retired form; send 'tool_calls'.", f"{at}.function_call")
    content, refusal = message.get("content"), message.get("refusal")
    if content is None and isinstance(refusal, str):
        content = refusal
    read = {"role": role, "content": _content(content, f"{at}.content", optional=role == "assistant")}
    name = message.get("name")
    if name is not None:
        if not isinstance(name, str):
            raise invalid(f"'{at}.name' must be a string.", f"{at}.name")
        read["name"] = name
    if role == "tool":
        ref = message.get("tool_call_id")
        if not isinstance(ref, str) or not _NAME.fullmatch(ref):
            raise invalid(f"'{at}.tool_call_id' must be the id of a tool call.", f"{at}.tool_call_id")
        read["tool_call_id"] = ref
    if message.get("tool_calls") is not None:
        read["tool_calls"] = _tool_calls(message["tool_calls"], f"{at}.tool_calls")
    return read


def _content(content: object, at: str, *, optional: bool) -> str | list[dict[str, Any]] | None:
    if isinstance(content, str) or (content is None and optional):
        return content
    if not isinstance(content, list):
        raise invalid(f"'{at}' must be a string or a list of parts.", at)
    return [_item(item, f"{at}[{index}]") for index, item in enumerate(content)]


def _item(item: object, at: str) -> dict[str, Any]:
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(kind, str) or kind not in _ITEMS:
        raise invalid(f"'{at}.type' must be one of {', '.join(sorted(_ITEMS))}.", at)
    if kind in ("text", "refusal") and not isinstance(item.get(kind), str):
        raise invalid(f"'{at}.{kind}' must be a string.", at)
    return {"type": kind, kind: item.get(kind)}


def _tool_calls(calls: object, at: str) -> list[dict[str, Any]]:
    if not isinstance(calls, list):
        raise invalid(f"'{at}' must be a list.", at)
    read: list[dict[str, Any]] = []
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if (
            not isinstance(call, dict)
            or not isinstance(function, dict)
            or not isinstance(call.get("id"), str)
            or not isinstance(function.get("name"), str)
            or not isinstance(function.get("arguments"), str)
        ):
            raise invalid(f"'{at}[{index}]' must have an id and a function with name and arguments.", at)
        name, ref = function["name"], call["id"]
        if not _NAME.fullmatch(name) or not _NAME.fullmatch(ref):
            raise invalid(f"'{at}[{index}]': id and name are letters, digits and _.:/- only.", at)
        kept = {"name": name, "arguments": function["arguments"]}
        read.append({"id": ref, "type": "function", "function": kept})
    return read


def _tools(tools: object) -> tuple[dict[str, Any], ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list):
        raise invalid("'tools' must be a list.", "tools")
    names: set[str] = set()
    read: list[dict[str, Any]] = []
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise invalid(f"'tools[{index}]' must be a function with a name.", "tools")
        if not isinstance(function.get("description", ""), str | None):
            raise invalid(f"'tools[{index}].function.description' must be a string.", "tools")
        if not isinstance(function.get("parameters") or {}, dict):
            raise invalid(f"'tools[{index}].function.parameters' must be a JSON Schema object.", "tools")
        if function["name"] in names:
            raise invalid(f"'tools[{index}]' repeats the name of an earlier tool.", "tools")
        names.add(function["name"])
        kept = {key: function[key] for key in _TOOL_FIELDS if key in function}
        read.append({"type": "function", "function": kept})
    return tuple(read)
