"""``POST /v1/collections/{collection}/files``: an uploaded file of rows becomes part of a training set."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.contribute import Receipt
from ringwall.boundaries.data.records import Source
from ringwall.boundaries.data.records.reading import read_lines
from ringwall.core import DataError, DeniedError
from ringwall.wire.errors import WireError, invalid
from ringwall.wire.vector_stores import read_rows_call

from ..body import read_json
from ..gateway import Gateway
from ..replies import json_response
from ..vector_stores.attach import terms_of
from .endpoint import own_upload

_BODY = 65_536
_STATUS = {"stored": 201, "unchanged": 200, "quarantined": 202}


async def contribute_rows(request: Request) -> Response:
    """201 stored, 202 all of it waits for a person, 403 refused. JSON Lines, as clients of fine-tuning send
    them."""
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request)
    name = request.path_params["collection"]
    settings = gateway.site.workload.data.collections.get(name)
    if settings is None or settings.kind != "training" or principal.roles.isdisjoint(settings.contributors):
        raise WireError(404, f"There is no training set {name[:64]!r} for you here.", "not_found")
    body, _ = await read_json(request, _BODY, 8)
    call = read_rows_call(body)
    upload = await asyncio.to_thread(own_upload, gateway, principal, call.file)
    if upload.purpose != "fine-tune" or not upload.name.lower().endswith((".jsonl", ".ndjson")):
        message = "A training set takes JSON Lines (.jsonl) that were uploaded with the purpose 'fine-tune'."
        raise invalid(message, "file_id")
    content = gateway.live.plant.uploads.open(principal, upload)
    try:
        rows = read_lines(content, Source(origin=call.origin or upload.name))
        receipt = await gateway.contributions.add_records(name, rows, principal, terms_of(call))
    except DeniedError as error:
        raise WireError(403, str(error), "policy", decision=error.decision_id) from None
    except DataError as error:
        raise WireError(400, str(error), "invalid_file", "file_id") from None
    headers = {"x-ringwall-decision": receipt.decision} if receipt.decision else {}
    return json_response(_receipt(receipt, upload.id), _STATUS.get(receipt.status, 200), headers)


def _receipt(receipt: Receipt, file: str) -> dict[str, object]:
    return {
        "object": "collection.rows",
        "status": receipt.status,
        "collection": receipt.collection,
        "file_id": file,
        "contribution": receipt.contribution,
        "rows": receipt.rows,
        "held_rows": receipt.held_rows,
        "left_out": receipt.left_out,
        "held": receipt.held,
        "reasons": list(receipt.reasons),
    }
