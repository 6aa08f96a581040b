"""``/v1/ringwall/holds``: held calls, for who asked for them and who may approve them."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.application.hold import Hold, HoldState
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.strict_json import MAX_CHARACTERS, MAX_DEPTH
from ringwall.core import DataError, Principal
from ringwall.wire.errors import WireError, invalid

from .body import read_json
from .gateway import Gateway
from .replies import json_response

_MOST_BYTES = 4 * MAX_CHARACTERS
Decide = Callable[[Holds, Hold, Principal, dict[str, Any]], Hold]


async def list_holds(request: Request) -> Response:
    """``?state=pending`` (the default) or ``all``, the newest hundred."""
    holds, principal = await _asked(request)
    state = request.query_params.get("state", "pending")
    if state not in ("pending", "all"):
        raise invalid("'state' must be pending or all.", "state")
    found = await asyncio.to_thread(holds.visible, principal, pending=state == "pending")
    return json_response({"object": "list", "data": [hold.plain() for hold in found]})


async def show_hold(request: Request) -> Response:
    holds, principal = await _asked(request)
    return json_response(_found(holds, request, principal).plain())


async def approve_hold(request: Request) -> Response:
    return await _decide(request, {"call"}, lambda holds, hold, by, _: holds.approve(hold.id, by))


async def refuse_hold(request: Request) -> Response:
    return await _decide(request, {"call"}, lambda holds, hold, by, _: holds.refuse(hold.id, by))


async def amend_hold(request: Request) -> Response:
    def decide(holds: Holds, hold: Hold, by: Principal, body: dict[str, Any]) -> Hold:
        return holds.amend(hold.id, by, orjson.dumps(body["arguments"]).decode())

    return await _decide(request, {"call", "arguments"}, decide)


async def _decide(request: Request, fields: set[str], decide: Decide) -> Response:
    """The body names the hash of the call that the person saw (``call``)."""
    holds, principal = await _asked(request)
    hold = _found(holds, request, principal)
    try:
        holds.check_right(hold, principal)
    except DataError as refused:
        raise WireError(403, str(refused), "forbidden") from None
    body, _ = await read_json(request, _MOST_BYTES, MAX_DEPTH + 1)
    _check(body, fields)
    if body["call"] != hold.call:
        raise WireError(409, "This is not the hash of the call that waits: look at it again.", "conflict")
    if hold.state is not HoldState.PENDING:
        raise WireError(409, f"It is {hold.state} already, so nothing was changed.", "conflict")
    try:
        decided = await asyncio.to_thread(decide, holds, hold, principal, body)
    except DataError as refused:
        settled = holds.get(hold.id).state is not HoldState.PENDING
        raise WireError(409 if settled else 400, str(refused), "conflict" if settled else "refused") from None
    return json_response(decided.plain())


async def _asked(request: Request) -> tuple[Holds, Principal]:
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request)
    if not principal.authenticated:
        message = "A valid API key is needed: send it as a bearer token."
        raise WireError(401, message, "invalid_api_key")
    return gateway.site.application().holds, principal


def _found(holds: Holds, request: Request, principal: Principal) -> Hold:
    """Which holds there are is nobody else's business."""
    absent = WireError(404, "There is no such hold.", "not_found")
    try:
        hold = holds.get(request.path_params["id"])
    except DataError:
        raise absent from None
    if not holds.may_see(hold, principal):
        raise absent
    return hold


def _check(body: Any, fields: set[str]) -> None:
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", "body")
    unknown = sorted(body.keys() - fields)
    if unknown:
        raise invalid(f"Unknown field {unknown[0][:64]!r}.", unknown[0][:64])
    if not isinstance(body.get("call"), str):
        raise invalid("'call' must be the hash of the call, as the hold has it.", "call")
    if "arguments" in fields and not isinstance(body.get("arguments"), dict):
        raise invalid("'arguments' must be a JSON object.", "arguments")
