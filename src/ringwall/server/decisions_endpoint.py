"""``/v1/ringwall/decisions/{id}``: one decision, for its own subject or for who may use the console; and what
the latter may say of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.organization.allow_rule import Match
from ringwall.ledger import Record
from ringwall.wire.errors import WireError, invalid
from ringwall.workload import false_alarms

from .body import read_json
from .gateway import Gateway
from .replies import json_response

_ABSENT = "There is no such decision."
_MOST_BYTES = 32 * 1024
_FIELDS = {"findings", "expires", "reason", "owner", "match", "phrase"}


async def show_decision(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    record, operator = await _found(gateway, request)
    if operator:
        return json_response({"index": record.index, "event": record.event, "body": record.body})
    return json_response({"index": record.index, "event": _without_rules(record.event), "body": None})


async def report_false_alarm(request: Request) -> Response:
    """``POST …/false-positive``: findings, by number, become allow-rules. 201 with the rules, each with what
    became of its test case."""
    gateway: Gateway = request.app.state.gateway
    record, operator = await _found(gateway, request)
    if not operator:
        raise WireError(
            403, "Only holders of a role with the console right may allow a finding.", "forbidden"
        )
    principal = request.state.principal
    body, _ = await read_json(request, _MOST_BYTES, 4)
    site, plant = gateway.site, gateway.live.plant
    added = await asyncio.to_thread(false_alarms.report, site, plant, record, _wish(body), principal)
    tested = await false_alarms.test(site, plant.allowances, added)
    shown = [{**one.rule.plain(), "outcome": str(one.outcome), "because": one.because} for one in tested]
    return json_response({"object": "list", "data": shown}, 201)


async def _found(gateway: Gateway, request: Request) -> tuple[Record, bool]:
    """The record, and whether who asks may use the console. Raises WireError (404) for strangers too: which
    decisions there are is nobody else's business."""
    principal = await gateway.authenticate(request)
    record = gateway.live.plant.ledger.find(request.path_params["id"])
    if record is None or not principal.authenticated:
        raise WireError(404, _ABSENT, "not_found")
    own = (record.event.get("subject"), record.event.get("tenant")) == (principal.subject, principal.tenant)
    operator = gateway.site.roles.console(principal.roles)
    if not own and not operator:
        raise WireError(404, _ABSENT, "not_found")
    return record, operator


def _wish(body: Any) -> false_alarms.Wish:
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", "body")
    unknown = sorted(body.keys() - _FIELDS)
    if unknown:
        raise invalid(f"Unknown field {unknown[0][:64]!r}.", unknown[0][:64])
    findings = body.get("findings")
    if not isinstance(findings, list) or not all(type(number) is int for number in findings):
        raise invalid("'findings' must be a list of numbers.", "findings")
    for name in _FIELDS - {"findings"}:
        if not isinstance(body.get(name, ""), str):
            raise invalid(f"{name!r} must be a string.", name)
    match = body.get("match", "")
    if match and match not in set(Match):
        raise invalid(f"'match' must be one of {', '.join(Match)}.", "match")
    return false_alarms.Wish(
        findings=tuple(findings),
        expires=body.get("expires", ""),
        reason=body.get("reason", ""),
        owner=body.get("owner", ""),
        match=Match(match) if match else None,
        phrase=body.get("phrase", ""),
    )


def _without_rules(event: Mapping[str, Any]) -> dict[str, Any]:
    """Which rule objected would tell an attacker what to change."""
    lines = [
        {key: value for key, value in line.items() if key not in ("rules", "reason")}
        if line.get("status") == "evaluated"
        else {key: value for key, value in line.items() if key != "rules"}
        for line in event.get("lines", ())
    ]
    return {**event, "lines": lines}
