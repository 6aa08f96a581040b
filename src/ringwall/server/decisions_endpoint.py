"""``GET /v1/ringwall/decisions/{id}``: one decision, for its own subject or for who may use the console."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.wire.errors import WireError

from .gateway import Gateway
from .replies import json_response


async def show_decision(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request)
    record = gateway.live.plant.ledger.find(request.path_params["id"])
    if record is None or not principal.authenticated:
        raise WireError(404, "There is no such decision.", "not_found")
    own = (record.event.get("subject"), record.event.get("tenant")) == (principal.subject, principal.tenant)
    operator = gateway.site.roles.console(principal.roles)
    if not own and not operator:
        raise WireError(404, "There is no such decision.", "not_found")
    if operator:
        return json_response({"index": record.index, "event": record.event, "body": record.body})
    return json_response({"index": record.index, "event": _without_rules(record.event), "body": None})


def _without_rules(event: Mapping[str, Any]) -> dict[str, Any]:
    """Which rule objected would tell an attacker what to change."""
    lines = [{key: value for key, value in line.items() if key != "rules"} for line in event.get("lines", ())]
    return {**event, "lines": lines}
