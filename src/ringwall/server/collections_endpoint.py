"""``POST /v1/collections/{collection}/documents``: contribute a document.

Its text in JSON; or, under any other media type, the file itself, with ``name`` and terms in the query.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.contribute import Offer, Receipt
from ringwall.boundaries.data.intake.statement import Signature
from ringwall.boundaries.data.intake.terms import Terms
from ringwall.boundaries.data.settings import CollectionSettings
from ringwall.core import DeniedError, Principal
from ringwall.wire.errors import WireError, invalid

from .body import read_bytes, read_json
from .gateway import Gateway
from .replies import error_response, json_response

_ENDINGS = {"text": ".txt", "markdown": ".md", "html": ".html"}
_STATUS = {"stored": 201, "unchanged": 200, "quarantined": 202}
_FIELDS = {"title", "text", "format", "origin", "readers", "licence", "consent"}
_QUERY = {"name", "origin", "licence", "consent", "signature"}


async def add_document(request: Request) -> Response:
    """201 stored, 202 quarantined, 403 refused: with the decision's id in any case."""
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request)
    collection = request.path_params["collection"]
    settings = gateway.site.workload.data.collections.get(collection)
    if settings is None:
        raise WireError(404, f"There is no collection {collection[:64]!r} here.", "not_found")
    if settings.kind == "training":
        raise WireError(400, f"{collection} is a training set: it takes rows, not documents.", "wrong_kind")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() in ("application/json", ""):
        body, _ = await read_json(request, settings.max_bytes * 2, 16)
        offer = _offer(collection, body)
    else:
        _require_contributor(principal, settings)
        raw = await read_bytes(request, max(settings.max_bytes, settings.max_file_bytes))
        offer = _file(collection, request, raw)
    try:
        receipt = await gateway.contributions.add(offer, principal)
    except DeniedError as error:
        refused = WireError(403, str(error), "policy")
        return error_response(refused, {"x-ringwall-decision": error.decision_id})
    return json_response(
        _receipt(receipt), _STATUS.get(receipt.status, 200), {"x-ringwall-decision": receipt.decision}
    )


def _require_contributor(principal: Principal, settings: CollectionSettings) -> None:
    """A file is read in full before the gate decides on its text: not for whoever could not pass it."""
    if not principal.authenticated:
        raise WireError(401, "A valid API key is needed: send it as a bearer token.", "invalid_api_key")
    if principal.roles.isdisjoint(settings.contributors):
        raise WireError(403, "You may not contribute to this collection.", "not_contributor")


def _offer(collection: str, body: Any) -> Offer:
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", "body")
    unknown = sorted(body.keys() - _FIELDS)
    if unknown:
        raise invalid(f"Unknown field {unknown[0][:64]!r}.", unknown[0][:64])
    for name in ("title", "text"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise invalid(f"{name!r} must be a non-empty string.", name)
    kind = body.get("format", "markdown")
    if not isinstance(kind, str) or kind not in _ENDINGS:
        raise invalid(f"'format' must be one of {', '.join(_ENDINGS)}.", "format")
    origin, readers = body.get("origin", ""), body.get("readers", [])
    if not isinstance(origin, str):
        raise invalid("'origin' must be a string.", "origin")
    if not isinstance(readers, list) or not all(isinstance(reader, str) for reader in readers):
        raise invalid("'readers' must be a list of roles.", "readers")
    front = orjson.dumps({"title": body["title"], "readers": readers, "source": origin})
    raw = b"---\n" + front + b"\n---\n" + body["text"].encode()
    return Offer(collection, body["title"] + _ENDINGS[kind], raw, origin or "api", terms=_terms(body))


def _file(collection: str, request: Request, raw: bytes) -> Offer:
    given = dict(request.query_params)
    unknown = sorted(given.keys() - _QUERY)
    if unknown:
        raise invalid(f"Unknown query parameter {unknown[0][:64]!r}.", unknown[0][:64])
    name = given.get("name", "").replace("\\", "/").rpartition("/")[2].strip()
    if not name:
        raise invalid("'name' must be the file's name.", "name")
    return Offer(collection, name[:300], raw, given.get("origin", "") or name, terms=_terms(given))


def _terms(given: Mapping[str, Any]) -> Terms:
    """A signature is over a file as it is sent: what becomes of a text in JSON, no client can know."""
    said = {name: given.get(name, "") for name in ("licence", "consent", "signature")}
    for name, value in said.items():
        if not isinstance(value, str):
            raise invalid(f"{name!r} must be a string.", name)
    signed = Signature.from_bytes(said["signature"].encode()) if said["signature"] else None
    return Terms(said["licence"], said["consent"], signature=signed)


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "object": "collection.document",
        "status": receipt.status,
        "collection": receipt.collection,
        "document": receipt.document,
        "name": receipt.name,
        "reasons": list(receipt.reasons),
        "held": receipt.held,
    }
