"""``POST /v1/files``: a file on its way in, a piece at a time, sealed as it comes."""

import asyncio
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ringwall.boundaries.data.uploads.settings import FilesSettings
from ringwall.boundaries.data.uploads.store import Incoming, TooMuchError, Upload
from ringwall.core import Principal
from ringwall.wire.errors import WireError, invalid
from ringwall.wire.multipart import UploadReader

from ..gateway import Gateway
from ..replies import json_response
from .shapes import file_object

PURPOSES = ("assistants", "user_data", "fine-tune")
_BESIDE = 65_536
"""Bytes of a body beside its file: fields and boundaries."""
_SECONDS = re.compile(r"[0-9]{1,9}\Z")
_FIELDS = frozenset({"purpose", "expires_after[anchor]", "expires_after[seconds]"})


async def upload_file(request: Request) -> Response:
    """Raises WireError: 401 and 403 before a byte of the body is read, 400, 413."""
    gateway: Gateway = request.app.state.gateway
    principal = await gateway.authenticate(request, request.path_params.get("application", ""))
    _require_contributor(gateway, principal)
    incoming = None
    finished = False
    try:
        incoming = await asyncio.to_thread(gateway.live.plant.uploads.begin, principal, _settings(gateway))
        upload = await _received(request, incoming, _settings(gateway).max_bytes)
        finished = True
    except TooMuchError as error:
        raise WireError(413, str(error), "file_too_large", "file") from None
    finally:
        if incoming and not finished:
            await asyncio.to_thread(incoming.discard)
    await gateway.recorder.event(
        "file.uploaded",
        principal.subject,
        principal.tenant,
        file=upload.id,
        bytes=upload.bytes,
        purpose=upload.purpose,
    )
    return json_response(file_object(upload))


async def _received(request: Request, incoming: Incoming, most: int) -> Upload:
    pending = bytearray()
    reader = UploadReader(request.headers.get("content-type", ""), pending.extend)
    too_large = WireError(413, f"The file is larger than {most} bytes.", "file_too_large", "file")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > most + _BESIDE:
        raise too_large
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most + _BESIDE:
                raise too_large
            reader.feed(piece)
            if pending:
                await asyncio.to_thread(incoming.write, bytes(pending))
                pending.clear()
    except ClientDisconnect:
        raise invalid("The connection closed before the body was complete.", "body") from None
    name = reader.finish()
    purpose, keep_s = _told(reader.fields)
    return await asyncio.to_thread(incoming.finish, name, purpose, keep_s=keep_s)


def _told(fields: dict[str, str]) -> tuple[str, int]:
    unknown = sorted(fields.keys() - _FIELDS)
    if unknown:
        raise invalid(f"Unknown field {unknown[0]!r}.", unknown[0])
    purpose = fields.get("purpose", "")
    if purpose not in PURPOSES:
        raise invalid(f"'purpose' is one of: {', '.join(PURPOSES)}.", "purpose")
    seconds = fields.get("expires_after[seconds]", "")
    anchor = fields.get("expires_after[anchor]", "")
    if not seconds and not anchor:
        return purpose, 0
    if anchor != "created_at" or not _SECONDS.match(seconds) or int(seconds) < 1:
        message = "'expires_after' has the anchor 'created_at' and a number of seconds."
        raise invalid(message, "expires_after")
    return purpose, int(seconds)


def _settings(gateway: Gateway) -> FilesSettings:
    return gateway.site.workload.data.files


def _require_contributor(gateway: Gateway, principal: Principal) -> None:
    """Only who may contribute somewhere may leave anything here."""
    if not principal.authenticated:
        raise WireError(401, "A valid API key is needed: send it as a bearer token.", "invalid_api_key")
    collections = gateway.site.workload.data.collections.values()
    if all(principal.roles.isdisjoint(settings.contributors) for settings in collections):
        raise WireError(403, "You may not contribute to any collection here.", "not_contributor")
