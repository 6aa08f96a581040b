"""Chat Completions bodies to replies and deltas, believing nothing that the provider says of their shape.

What comes out is built from known fields only. Retired forms that would carry a call past the tool controls
(``function_call``) are refused, unknown fields are left behind.
"""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeGuard

import orjson

from ringwall.core import new_id

from .provider import ChatReply, ChatRequest, Delta, ProviderError, ToolCallFragment, Usage, estimate

_FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "eos": "stop",
    "end_turn": "stop",
}
_MAX_TOKENS = 2**31
_MAX_CALLS = 128


def malformed(what: str) -> NoReturn:
    """Raise the error for an answer that breaks the protocol."""
    raise ProviderError(f"The model provider's answer is malformed: {what}.", 502, code="malformed")


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        malformed("it is no JSON")
    if not isinstance(value, dict):
        malformed("it is no JSON object")
    return value


def reply_of(raw: bytes, request: ChatRequest) -> ChatReply:
    """A whole answer. Raises ProviderError."""
    body = parse_object(raw)
    if body.get("error") is not None:
        raise ProviderError("The model provider reported an error in its answer.", 502, code="failed")
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        malformed("it has no choices")
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        malformed("a choice has no message")
    content = _content(message)
    calls = [_call(call) for call in _list_of_calls(message)]
    out: dict[str, Any] = {"role": "assistant", "content": content if content or not calls else None}
    if calls:
        out["tool_calls"] = calls
    finish = _finish(choice.get("finish_reason")) or ("tool_calls" if calls else "stop")
    return ChatReply(out, finish, usage_of(body) or estimate(request, content), _model(body))


def delta_of(raw: bytes) -> Delta:
    """One chunk of a stream. Raises ProviderError."""
    return delta_of_chunk(parse_object(raw))


def delta_of_chunk(body: Mapping[str, Any]) -> Delta:
    """The same of a chunk that is parsed already."""
    if body.get("error") is not None:
        raise ProviderError("The model provider reported an error in its stream.", 502, code="failed")
    choices = body.get("choices")
    usage = usage_of(body)
    if not isinstance(choices, list):
        if usage is not None and choices is None:
            return Delta(usage=usage, model=_model(body))
        malformed("a chunk has no choices")
    if not choices:
        return Delta(usage=usage, model=_model(body))
    choice = choices[0]
    if not isinstance(choice, dict):
        malformed("a choice is no object")
    if choice.get("index", 0) != 0:
        malformed("it streams more than one choice")
    given = choice.get("delta")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        malformed("a delta is no object")
    fragments = tuple(_fragment(call) for call in _list_of_calls(given))
    return Delta(_content(given), fragments, _finish(choice.get("finish_reason")), usage, _model(body))


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """The provider's own count, if it gave one that can be believed in form."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not _is_count(prompt) or not _is_count(completion):
        return None
    return Usage(prompt, completion)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_TOKENS


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    return model[:200] if isinstance(model, str) else ""


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None:
        content = message.get("refusal")
    if content is None:
        return ""
    if not isinstance(content, str):
        malformed("the content is no text")
    return content


def _finish(reason: Any) -> str:
    if reason is None:
        return ""
    if not isinstance(reason, str):
        malformed("the finish reason is no text")
    return _FINISH.get(reason, "stop")


def _list_of_calls(message: Mapping[str, Any]) -> list[Any]:
    if message.get("function_call") is not None:
        malformed("it uses the retired function_call form")
    calls = message.get("tool_calls")
    if calls is None:
        return []
    if not isinstance(calls, list) or len(calls) > _MAX_CALLS:
        malformed("the tool calls are no list, or too many")
    return calls


def _call(call: Any) -> dict[str, Any]:
    function = _function(call)
    name, arguments = function.get("name"), function.get("arguments", "{}")
    if not isinstance(name, str) or not name:
        malformed("a tool call has no name")
    if isinstance(arguments, dict):
        arguments = orjson.dumps(arguments).decode()
    if not isinstance(arguments, str):
        malformed("the arguments of a tool call are no text")
    id_ = call.get("id")
    return {
        "id": id_ if isinstance(id_, str) and id_ else new_id("call"),
        "type": "function",
        "function": {"name": name, "arguments": arguments or "{}"},
    }


def _fragment(call: Any) -> ToolCallFragment:
    function = _function(call)
    index = call.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _MAX_CALLS:
        malformed("a tool call has no valid index")
    id_, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
    if isinstance(arguments, dict):
        arguments = orjson.dumps(arguments).decode()
    for value in (id_, name, arguments):
        if value is not None and not isinstance(value, str):
            malformed("a piece of a tool call is no text")
    return ToolCallFragment(index, id_ or "", name or "", arguments or "")


def _function(call: Any) -> dict[str, Any]:
    if not isinstance(call, dict) or call.get("type") not in (None, "function"):
        malformed("a tool call is of an unknown type")
    function = call.get("function")
    if function is None and "index" in call:
        return {}
    if not isinstance(function, dict):
        malformed("a tool call has no function")
    return function
