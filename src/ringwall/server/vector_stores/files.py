"""``/v1/vector_stores/{id}/files``: attach, look, change attributes, remove."""

import asyncio
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.settings import CollectionSettings
from ringwall.boundaries.data.uploads.attached import Attached, State
from ringwall.core import DeniedError, Principal
from ringwall.wire.errors import WireError, invalid
from ringwall.wire.vector_stores import fields, read_attach, read_attributes

from ..body import read_json
from ..files.endpoint import own_upload
from ..files.shapes import page
from ..gateway import Gateway
from ..replies import json_response
from .asking import contributing
from .attach import attached_object, contribute

_BODY = 65_536
_DEPTH = 8
_STATUS = ("in_progress", "completed", "failed", "cancelled")


async def attach_file(request: Request) -> Response:
    """Contribute an upload. 403 with the decision where it is refused; quarantined shows as failed, with what
    to do."""
    gateway, principal, name, _ = await contributing(request)
    body, _ = await read_json(request, _BODY, _DEPTH)
    call = read_attach(body)
    upload = await asyncio.to_thread(own_upload, gateway, principal, call.file)
    if upload.purpose == "fine-tune":
        message = "A file for fine-tuning goes into a training set, not into a vector store."
        raise invalid(message, "file_id")
    attached, decision = await contribute(gateway, principal, name, upload, call)
    if attached.state is State.REFUSED:
        raise WireError(403, attached.why, "policy", "file_id", decision=decision)
    shown = await asyncio.to_thread(attached_object, gateway, attached)
    return json_response(shown, headers={"x-ringwall-decision": decision} if decision else {})


async def list_attached(request: Request) -> Response:
    gateway, principal, name, _ = await contributing(request)
    listed = await asyncio.to_thread(
        lambda: [
            attached_object(gateway, one) for one in gateway.live.plant.attachments.list(principal, name)
        ]
    )
    return json_response(page(request, filtered(request, listed), limit=20, most=100))


def filtered(request: Request, listed: list[dict[str, object]]) -> list[dict[str, object]]:
    """By ``?filter=``. Raises WireError (400)."""
    wanted = request.query_params.get("filter", "")
    if wanted and wanted not in _STATUS:
        raise invalid(f"'filter' is one of: {', '.join(_STATUS)}.", "filter")
    return [one for one in listed if not wanted or one["status"] == wanted]


async def show_attached(request: Request) -> Response:
    gateway, _, _, attached = await _asked(request)
    return json_response(await asyncio.to_thread(attached_object, gateway, attached))


async def change_attached(request: Request) -> Response:
    """Other attributes for what one attached."""
    gateway, _, _, attached = await _asked(request)
    body, _ = await read_json(request, _BODY, _DEPTH)
    given = fields(body, {"attributes"})
    changed = replace(attached, attributes=read_attributes(given.get("attributes")))
    await asyncio.to_thread(gateway.live.plant.attachments.put, changed)
    return json_response(await asyncio.to_thread(attached_object, gateway, changed))


async def remove_attached(request: Request) -> Response:
    """A version of the collection without it; earlier versions keep it."""
    gateway, principal, _, attached = await _asked(request)
    status = (await asyncio.to_thread(attached_object, gateway, attached))["status"]
    if attached.state is State.HELD and status != "completed":
        held = gateway.live.plant.quarantine.find(attached.held)
        if held.status == "quarantined":
            message = f"It waits for a person ({attached.held}): have it rejected first."
            raise WireError(409, message, "in_quarantine", "file_id")
    if status == "completed":
        try:
            await gateway.contributions.remove(attached.collection, attached.document, principal)
        except DeniedError as error:
            raise WireError(403, str(error), "policy", decision=error.decision_id) from None
    await asyncio.to_thread(gateway.live.plant.attachments.remove, attached)
    return json_response({"id": attached.file, "object": "vector_store.file.deleted", "deleted": True})


async def _asked(request: Request) -> tuple[Gateway, Principal, CollectionSettings, Attached]:
    """What the principal attached. Raises WireError (404) for anything else."""
    gateway, principal, name, settings = await contributing(request)
    file = request.path_params["file"]
    attached = await asyncio.to_thread(gateway.live.plant.attachments.find, principal, name, file)
    if attached is None:
        raise WireError(404, f"You attached no file {file[:64]!r} here.", "not_found", "file_id")
    return gateway, principal, settings, attached
