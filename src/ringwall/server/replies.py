"""HTTP answers of the API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from ringwall.boundaries.application.chain_token import HEADER
from ringwall.wire.errors import WireError

if TYPE_CHECKING:
    from .turn.state import Turn

_COMMON = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body),
        status,
        media_type="application/json",
        headers={**_COMMON, **(headers or {})},
    )


def error_response(error: WireError, headers: Mapping[str, str] | None = None) -> Response:
    """The protocol's own error shape."""
    more = dict(headers or {})
    if error.retry_after:
        more["retry-after"] = str(error.retry_after)
    if error.status == 401 or error.challenge:
        more["www-authenticate"] = f"Bearer {error.challenge}".strip()
    return json_response(error.body(), error.status, more)


def turn_headers(turn: "Turn") -> dict[str, str]:
    """What every answer of the gateway says of its decision."""
    headers = {"x-ringwall-decision": turn.decision, "x-ringwall-turn": turn.id}
    if turn.served:
        headers["x-ringwall-route"] = turn.served
    if turn.held:
        headers["x-ringwall-holds"] = ",".join(turn.held)
    if token := turn.chain_token:
        headers[HEADER] = token
    return headers
