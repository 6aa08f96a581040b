"""The operator's pages: boundaries, feed, one decision, threats. Each has its JSON twin."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response

from ringwall.core import Action, Boundary, CrossingKind

from .guard import Refused
from .marking import reveal
from .pages import ABSENT, Visit, render
from .present import edits_of, findings_of, lines_of, parts_of, summary, text
from .shown import DecisionFilter, Record

PAGE = 50
POLL = 100
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}\Z")
_CHOICES = {
    "action": [str(action) for action in Action],
    "kind": [str(kind) for kind in CrossingKind],
    "boundary": [str(boundary) for boundary in Boundary],
}


async def overview(visit: Visit) -> Response:
    return render(
        "overview.html", visit, boundaries=await visit.backend.boundaries(), holds=await waiting(visit)
    )


async def feed(visit: Visit) -> Response:
    filters, before = _filters(visit), number(visit, "before")
    records = await visit.backend.decisions(PAGE + 1, before, filters)
    rows = [summary(record) for record in records[:PAGE]]
    return render(
        "feed.html",
        visit,
        rows=rows,
        filters=filters,
        choices=_CHOICES,
        applications=[info.name for info in await visit.backend.applications(visit.principal)],
        older=rows[-1]["index"] if len(records) > PAGE else None,
        before=before,
        holds=await waiting(visit),
    )


async def feed_json(visit: Visit) -> Response:
    """Rows newer than ``after`` (or older than ``before``), newest first; ``more``: some were left out."""
    after = number(visit, "after")
    records = await visit.backend.decisions(POLL + 1, number(visit, "before"), _filters(visit))
    fresh = [record for record in records if after is None or record.index > after]
    rows = [_revealed(summary(record)) for record in fresh[:POLL]]
    return json_answer({"decisions": rows, "more": len(fresh) > POLL})


async def one(visit: Visit) -> Response:
    record = await record_of(visit)
    turn = text(record.event.get("turn"))
    return render(
        "decision.html",
        visit,
        record=record,
        event=record.event,
        row=summary(record),
        lines=lines_of(record),
        parts=parts_of(record),
        findings=findings_of(record),
        edits=edits_of(record),
        reasons=[text(reason) for reason in (record.body or {}).get("reasons", ())],
        siblings=[summary(other) for other in await visit.backend.turn(turn)] if turn else [],
        proof=await visit.backend.proof(text(record.event.get("id"))),
        told=visit.session.take_flash(),
        holds=await waiting(visit),
    )


async def one_json(visit: Visit) -> Response:
    record = await record_of(visit)
    return json_answer({"index": record.index, "event": dict(record.event), "body": record.body})


async def proof_json(visit: Visit) -> Response:
    proof = await visit.backend.proof(text((await record_of(visit)).event.get("id")))
    if proof is None:
        raise Refused(404, "There is no proof for this decision yet.")
    return json_answer(asdict(proof))


async def turn_json(visit: Visit) -> Response:
    records = await visit.backend.turn(path_id(visit))
    if not records:
        raise Refused(404, "Nothing is on record for this turn.")
    return json_answer({"decisions": [dict(record.event) for record in records]})


async def boundaries_json(visit: Visit) -> Response:
    return json_answer({"boundaries": [asdict(info) for info in await visit.backend.boundaries()]})


async def threats(visit: Visit) -> Response:
    return render("threats.html", visit, threats=await visit.backend.threats(), holds=await waiting(visit))


async def threats_json(visit: Visit) -> Response:
    return json_answer({"threats": [asdict(row) for row in await visit.backend.threats()]})


async def nowhere(visit: Visit) -> Response:
    raise Refused(404, ABSENT)


async def waiting(visit: Visit) -> int:
    return len(await visit.backend.holds())


async def record_of(visit: Visit) -> Record:
    record = await visit.backend.decision(path_id(visit))
    if record is None:
        raise Refused(404, "No decision of this id is on the ledger.")
    return record


def path_id(visit: Visit) -> str:
    given = str(visit.request.path_params["id"])
    if not _ID.match(given):
        raise Refused(404, ABSENT)
    return given


def _filters(visit: Visit) -> DecisionFilter:
    given = visit.request.query_params
    chosen = {name: given.get(name, "") for name in _CHOICES}
    wrong = [name for name, value in chosen.items() if value and value not in _CHOICES[name]]
    if wrong:
        raise Refused(400, f"There is no such {wrong[0]}. Choose one of: {', '.join(_CHOICES[wrong[0]])}.")
    free = {name: given.get(name, "")[:200] for name in ("application", "subject", "session")}
    return DecisionFilter(**chosen, **free)


def number(visit: Visit, name: str) -> int | None:
    """A number in the address. Raises Refused for anything else."""
    given = visit.request.query_params.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= 15):
        raise Refused(400, f"“{name}” must be a whole number.")
    return int(given)


def _revealed(row: dict[str, Any]) -> dict[str, Any]:
    """For the page's script, which prints strings as they are."""

    def shown(value: Any) -> Any:
        if isinstance(value, list):
            return [shown(item) for item in value]
        return reveal(value) if isinstance(value, str) else value

    return {name: value if name == "id" else shown(value) for name, value in row.items()}


def _plain(value: object) -> object:
    """For ``json``: read-only mappings and sets are common in records."""
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else str(value)


def json_answer(content: Any) -> Response:
    """ASCII only, so that lone surrogates survive and nothing in it can be taken for markup."""
    answer = JSONResponse(None)
    answer.body = json.dumps(content, ensure_ascii=True, default=_plain).encode()
    answer.headers["content-length"] = str(len(answer.body))
    return answer
