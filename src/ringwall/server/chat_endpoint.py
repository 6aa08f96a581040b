"""``POST /v1/chat/completions``: one turn, whole or as a stream of server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ringwall.core import UpstreamError
from ringwall.wire.chat_reply import DONE, chunk, completion, event, usage_chunk
from ringwall.wire.chat_request import read_chat
from ringwall.wire.errors import WireError

from .body import read_json
from .gateway import Gateway, peer
from .replies import json_response, turn_headers
from .turn.admit import admit
from .turn.converse import Calls, Finish, Said, Text, converse
from .turn.state import Turn


async def chat_completions(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    site = gateway.site
    app = site.application(request.path_params.get("application", ""))
    principal = gateway.authenticate(request, app.application.name)
    limits = site.workload.interface.limits
    body, depth = await read_json(request, limits.body_bytes, limits.depth)
    turn = Turn(app, gateway.recorder, principal, read_chat(body))
    turn.route = app.resolve(turn.call.model)
    token = request.headers.get("x-ringwall-session", "")
    turn.session = app.sessions.find(principal, app.application.name, token, turn.call.messages, turn.id)
    try:
        await admit(turn, depth=depth, address=peer(request))
        if turn.call.stream:
            return await _stream(gateway, turn)
        return await _whole(gateway, turn)
    except (WireError, UpstreamError) as error:
        await gateway.settle(turn)
        return await gateway.failure(error, turn)
    except BaseException:
        await gateway.settle(turn)
        raise


async def _whole(gateway: Gateway, turn: Turn) -> Response:
    text: list[str] = []
    calls: list[dict[str, Any]] = []
    finish = "stop"
    async for said in converse(turn):
        match said:
            case Text(piece):
                text.append(piece)
            case Calls(made):
                calls = made
            case Finish(reason):
                finish = reason
    await gateway.settle(turn)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(text) or None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    else:
        message["content"] = message["content"] or ""
    body = completion(turn.id, turn.call.model, message, finish, turn.usage)
    return json_response(body, headers=turn_headers(turn))


async def _stream(gateway: Gateway, turn: Turn) -> Response:
    """The first event is awaited before the status goes out, so that an upstream that fails at once is an
    HTTP error and not a broken stream."""
    queue: asyncio.Queue[Said | BaseException | None] = asyncio.Queue(maxsize=256)
    reader = _Reader(queue)
    gateway.keep(asyncio.ensure_future(_produce(gateway, turn, reader)))
    first = await queue.get()
    if isinstance(first, BaseException):
        raise first
    return StreamingResponse(
        _events(turn, first, reader),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no", **turn_headers(turn)},
    )


class _Reader:
    """The client's end of the stream. When it goes away the check goes on, without it."""

    def __init__(self, queue: "asyncio.Queue[Said | BaseException | None]") -> None:
        self.queue = queue
        self.gone = False

    async def put(self, item: "Said | BaseException | None") -> None:
        if not self.gone:
            await self.queue.put(item)

    def leave(self) -> None:
        self.gone = True
        while not self.queue.empty():
            self.queue.get_nowait()


async def _produce(gateway: Gateway, turn: Turn, reader: _Reader) -> None:
    try:
        async for said in converse(turn):
            await reader.put(said)
    except (WireError, UpstreamError) as error:
        await gateway.note_failure(error, turn)
        await reader.put(error)
    except Exception as error:  # noqa: BLE001 - the last line denies, whatever went wrong
        gateway.log_fault(error)
        await reader.put(WireError(500, "The gateway failed; the turn was stopped.", "internal_error"))
    finally:
        await gateway.settle(turn)
        await reader.put(None)


async def _events(turn: Turn, first: Said | None, reader: _Reader) -> AsyncIterator[bytes]:
    name = turn.call.model
    try:
        yield chunk(turn.id, name, {"role": "assistant", "content": ""})
        said: Said | BaseException | None = first
        while said is not None:
            if isinstance(said, WireError):
                yield event(said.body())
            elif isinstance(said, UpstreamError):
                yield event(WireError(said.status, str(said), "upstream_failed").body())
            elif not isinstance(said, BaseException):
                yield _event(turn, said)
            said = await reader.queue.get()
        if turn.call.include_usage:
            yield usage_chunk(turn.id, name, turn.usage)
        yield DONE
    finally:
        reader.leave()


def _event(turn: Turn, said: Said) -> bytes:
    match said:
        case Text(text):
            return chunk(turn.id, turn.call.model, {"content": text})
        case Calls(calls):
            numbered = [{"index": index, **call} for index, call in enumerate(calls)]
            return chunk(turn.id, turn.call.model, {"tool_calls": numbered})
        case Finish(reason):
            return chunk(turn.id, turn.call.model, {}, reason)
