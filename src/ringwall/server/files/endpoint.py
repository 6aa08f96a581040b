"""``/v1/files``: one's own uploads. Nobody finds another's, whatever the role."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ringwall.boundaries.data.uploads.store import Upload
from ringwall.core import Principal
from ringwall.wire.errors import WireError, invalid

from ..gateway import Gateway
from ..replies import json_response
from .shapes import file_object, page
from .upload import PURPOSES

_MOST = 10_000


async def list_files(request: Request) -> Response:
    gateway, principal = await _caller(request)
    purpose = request.query_params.get("purpose", "")
    if purpose and purpose not in PURPOSES:
        raise invalid(f"'purpose' is one of: {', '.join(PURPOSES)}.", "purpose")
    uploads = await asyncio.to_thread(gateway.live.plant.uploads.list, principal, purpose=purpose)
    return json_response(page(request, list(map(file_object, uploads)), limit=_MOST, most=_MOST))


async def show_file(request: Request) -> Response:
    _, _, upload = await _asked(request)
    return json_response(file_object(upload))


async def delete_file(request: Request) -> Response:
    """What was contributed from it stays: remove that from its vector store."""
    gateway, principal, upload = await _asked(request)
    deleted = await asyncio.to_thread(gateway.live.plant.uploads.delete, principal, upload.id)
    await gateway.recorder.event("file.deleted", principal.subject, principal.tenant, file=upload.id)
    return json_response({"id": upload.id, "object": "file", "deleted": deleted})


async def file_content(request: Request) -> Response:
    """As it was uploaded, for whoever uploaded it."""
    gateway, principal, upload = await _asked(request)
    await gateway.recorder.event("file.read", principal.subject, principal.tenant, file=upload.id)
    return StreamingResponse(
        gateway.live.plant.uploads.pieces(principal, upload.id),
        media_type="application/octet-stream",
        headers={
            "cache-control": "no-store",
            "content-disposition": "attachment",
            "content-length": str(upload.bytes),
            "x-content-type-options": "nosniff",
        },
    )


def own_upload(gateway: Gateway, principal: Principal, file: str) -> Upload:
    """The principal's own. Raises WireError (404) for every other id."""
    upload = gateway.live.plant.uploads.find(principal, file)
    if upload is None:
        raise WireError(404, f"You have no file {file[:64]!r} here.", "not_found", "file_id")
    return upload


async def _asked(request: Request) -> tuple[Gateway, Principal, Upload]:
    gateway, principal = await _caller(request)
    upload = await asyncio.to_thread(own_upload, gateway, principal, request.path_params["file"])
    return gateway, principal, upload


async def _caller(request: Request) -> tuple[Gateway, Principal]:
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request, request.path_params.get("application", ""))
    if not principal.authenticated:
        raise WireError(401, "A valid API key is needed: send it as a bearer token.", "invalid_api_key")
    return gateway, principal
