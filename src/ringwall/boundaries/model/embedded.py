"""What the embedded models share: a whole reply as a stream, and reading a conversation."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import orjson

from ringwall.core import new_id

from .provider import ChatReply, ChatRequest, Delta, Message, ToolCallFragment, estimate, text_of


def reply(
    request: ChatRequest,
    model: str,
    content: str,
    calls: Sequence[dict[str, Any]] = (),
    finish_reason: str = "",
) -> ChatReply:
    """A reply with estimated usage."""
    message: dict[str, Any] = {"role": "assistant", "content": content or (None if calls else "")}
    if calls:
        message["tool_calls"] = list(calls)
    finish = finish_reason or ("tool_calls" if calls else "stop")
    written = content + "".join(call["function"]["arguments"] for call in calls)
    return ChatReply(message, finish, estimate(request, written), model)


def tool_call(name: str, arguments: Mapping[str, Any], turn: int) -> dict[str, Any]:
    """A tool call whose id depends on nothing but what it says, and on the turn it is said in."""
    text = canonical(arguments)
    digest = hashlib.sha256(f"{turn}\0{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "id": f"call_{digest[:24]}",
        "type": "function",
        "function": {"name": name, "arguments": text},
    }


def canonical(arguments: Any) -> str:
    """JSON with sorted keys; text that is not valid Unicode is replaced."""
    try:
        return orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return "{}"


async def deltas(whole: ChatReply, pieces: int = 0) -> AsyncIterator[Delta]:
    """The reply as a stream, its text in ``pieces`` pieces; 0: some 24 characters a piece."""
    content = whole.message.get("content") or ""
    for piece in cut(content, pieces or -(-len(content) // 24)):
        yield Delta(content=piece, model=whole.model)
    for index, call in enumerate(whole.message.get("tool_calls", ())):
        function = call["function"]
        yield Delta(tool_calls=(ToolCallFragment(index, call["id"], function["name"]),))
        for piece in cut(function["arguments"], pieces or 3):
            yield Delta(tool_calls=(ToolCallFragment(index, arguments=piece),))
    yield Delta(finish_reason=whole.finish_reason, model=whole.model)
    yield Delta(usage=whole.usage, model=whole.model)


def cut(text: str, pieces: int) -> Iterable[str]:
    """The text in at most ``pieces`` pieces of nearly the same length."""
    if not text:
        return
    size = -(-len(text) // max(1, min(pieces, len(text))))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def calls_of(message: Message) -> list[tuple[str, str, str]]:
    """(id, name, canonical arguments) of the tool calls in a message of the history. Never raises."""
    calls = message.get("tool_calls")
    out: list[tuple[str, str, str]] = []
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            continue
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(name, str) and isinstance(arguments, str):
            out.append((str(call.get("id", "")), name, canonical(parsed(arguments))))
    return out


def parsed(text: str) -> Any:
    """The JSON value in the text; None when there is none."""
    try:
        return orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return None


def last_user(request: ChatRequest) -> tuple[int, str]:
    """Index and text of the last user message; (-1, "") without one."""
    for index in range(len(request.messages) - 1, -1, -1):
        if request.messages[index].get("role") == "user":
            return index, text_of(request.messages[index])
    return -1, ""


async def gather(stream: AsyncIterator[Delta], request: ChatRequest) -> ChatReply:
    """A stream as a whole reply."""
    content: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    finish, model = "stop", ""
    usage = None
    async for delta in stream:
        content.append(delta.content)
        finish = delta.finish_reason or finish
        model = delta.model or model
        usage = delta.usage or usage
        for piece in delta.tool_calls:
            call = calls.setdefault(
                piece.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["id"] = call["id"] or piece.id or new_id("call")
            call["function"]["name"] = call["function"]["name"] or piece.name
            call["function"]["arguments"] += piece.arguments
    text = "".join(content)
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return ChatReply(message, finish, usage or estimate(request, text), model)
