"""``POST /v1/chat/completions``: one turn, whole or as a stream of server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ringwall.boundaries.application.chain_token import HEADER, digest_of
from ringwall.core import UpstreamError
from ringwall.wire.chat_reply import DONE, PULSE, chunk, closing_chunk, completion, event
from ringwall.wire.chat_request import read_chat
from ringwall.wire.errors import WireError

from .body import read_json
from .gateway import Gateway, peer
from .replies import json_response, turn_headers
from .turn.admit import admit
from .turn.background import Heard, Reader, carry_on
from .turn.converse import Calls, Finish, Said, Text, converse
from .turn.state import Turn
from .turn.trace import TRACE

PULSE_S = 10.0
"""How long a streaming client hears nothing while its turn waits for a person."""


async def chat_completions(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    site = gateway.site
    app = site.application(request.path_params.get("application", ""))
    principal = await gateway.authenticate(request, app.application.name)
    await gateway.require_identity(app, principal)
    limits = site.workload.interface.limits
    body, depth = await read_json(request, limits.body_bytes, limits.depth)
    turn = Turn(app, gateway.recorder, principal, read_chat(body))
    turn.route = app.resolve(turn.call.model)
    turn.traced = request.headers.get(TRACE, "") == "1"
    token = request.headers.get("x-ringwall-session", "")
    turn.session = app.sessions.find(principal, app.application.name, token, turn.call.messages, turn.id)
    turn.chain = app.chains.enter(
        request.headers.get(HEADER, ""),
        tenant=principal.tenant,
        application=app.application.name,
        session=turn.session,
        said=digest_of(turn.call.messages[-1]),
    )
    try:
        await admit(turn, depth=depth, address=peer(request))
        return await (_stream if turn.call.stream else _whole)(gateway, turn)
    except (WireError, UpstreamError) as error:
        return await gateway.failure(error, turn)
    finally:
        if not turn.carried:
            turn.settle()


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
    message: dict[str, Any] = {"role": "assistant", "content": "".join(text) or None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    else:
        message["content"] = message["content"] or ""
    body = completion(turn.id, turn.call.model, message, finish, turn.usage, _trace(turn))
    return json_response(body, headers=turn_headers(turn))


async def _stream(gateway: Gateway, turn: Turn) -> Response:
    """The first event is awaited before the status goes out, so that an upstream that fails at once is an
    HTTP error and not a broken stream. A turn that waits for a person is not awaited for long."""
    turn.carried = True
    reader = carry_on(gateway, turn)
    heard = _heard(turn, reader)
    first = await anext(heard, None)
    if isinstance(first, (WireError, UpstreamError)):
        raise first
    return StreamingResponse(
        _events(turn, first, heard, reader),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no", **turn_headers(turn)},
    )


class _Waiting:
    """Nothing is to be said yet: a person decides."""


async def _heard(turn: Turn, reader: Reader) -> AsyncIterator[Heard | _Waiting]:
    while True:
        try:
            heard = await asyncio.wait_for(reader.get(), PULSE_S if turn.can_wait else None)
        except TimeoutError:
            if turn.waits:
                yield _Waiting()
            continue
        if heard is None:
            return
        yield heard


async def _events(
    turn: Turn, first: Heard | _Waiting | None, rest: AsyncIterator[Heard | _Waiting], reader: Reader
) -> AsyncIterator[bytes]:
    name = turn.call.model
    try:
        yield chunk(turn.id, name, {"role": "assistant", "content": ""})
        heard = first
        while heard is not None:
            if isinstance(heard, _Waiting):
                yield PULSE
            elif isinstance(heard, WireError):
                yield event(heard.body())
            elif isinstance(heard, UpstreamError):
                yield event(WireError(heard.status, str(heard), "upstream_failed").body())
            else:
                yield _event(turn, heard)
            heard = await anext(rest, None)
        if turn.call.include_usage or turn.traced:
            usage = turn.usage if turn.call.include_usage else None
            yield closing_chunk(turn.id, name, usage, _trace(turn))
        yield DONE
    finally:
        reader.leave()


def _trace(turn: Turn) -> dict[str, Any] | None:
    """The extension ``ringwall`` of the answer; None where the client did not ask for it."""
    if not turn.traced:
        return None
    return {"turn": turn.id, "decision": turn.decision, "calls": turn.trace.calls}


def _event(turn: Turn, said: Said) -> bytes:
    match said:
        case Text(text):
            return chunk(turn.id, turn.call.model, {"content": text})
        case Calls(calls):
            numbered = [{"index": index, **call} for index, call in enumerate(calls)]
            return chunk(turn.id, turn.call.model, {"tool_calls": numbered})
        case Finish(reason):
            return chunk(turn.id, turn.call.model, {}, reason)
