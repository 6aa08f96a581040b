"""``/v1/vector_stores/{id}/file_batches``: several files, one after the other, while the client polls."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.uploads.attached import Attached, Batch, State
from ringwall.boundaries.data.uploads.store import Upload
from ringwall.core import Principal
from ringwall.wire.errors import WireError, invalid
from ringwall.wire.vector_stores import AttachCall, read_batch

from ..body import read_json
from ..files.endpoint import own_upload
from ..files.shapes import page
from ..gateway import Gateway
from ..replies import json_response
from .asking import contributing
from .attach import attached_object, contribute, waiting
from .files import filtered

_BODY = 1_048_576
_DEPTH = 8
_COUNTS = ("in_progress", "completed", "failed", "cancelled")
_Work = Sequence[tuple[Upload, AttachCall]]


async def begin_batch(request: Request) -> Response:
    gateway, principal, name, _ = await contributing(request)
    body, _ = await read_json(request, _BODY, _DEPTH)
    calls = read_batch(body)
    uploads = await asyncio.to_thread(lambda: [own_upload(gateway, principal, one.file) for one in calls])
    if any(upload.purpose == "fine-tune" for upload in uploads):
        raise invalid("A file for fine-tuning goes into a training set, not into a vector store.", "file_ids")
    work = list(zip(uploads, calls, strict=True))
    batch = await asyncio.to_thread(_noted, gateway, principal, name, work)
    gateway.keep(asyncio.ensure_future(_run(gateway, principal, batch, work)))
    return json_response(await asyncio.to_thread(_object, gateway, principal, batch))


async def show_batch(request: Request) -> Response:
    gateway, principal, batch = await _asked(request)
    return json_response(await asyncio.to_thread(_object, gateway, principal, batch))


async def cancel_batch(request: Request) -> Response:
    """What is not begun is not contributed; what is done stays."""
    gateway, principal, batch = await _asked(request)
    await asyncio.to_thread(gateway.live.plant.attachments.cancel_batch, batch)
    cancelled = replace(batch, cancelled=True)
    return json_response(await asyncio.to_thread(_object, gateway, principal, cancelled))


async def list_batch(request: Request) -> Response:
    gateway, principal, batch = await _asked(request)
    listed = await asyncio.to_thread(_files, gateway, principal, batch)
    return json_response(page(request, filtered(request, listed), limit=20, most=100))


async def _run(gateway: Gateway, principal: Principal, batch: Batch, work: _Work) -> None:
    attachments = gateway.live.plant.attachments
    for upload, call in work:
        now = await asyncio.to_thread(attachments.find_batch, principal, batch.collection, batch.id)
        if now is None or now.cancelled:
            await asyncio.to_thread(_cancel, gateway, principal, batch, upload)
            continue
        try:
            await contribute(gateway, principal, batch.collection, upload, call)
        except Exception as error:  # noqa: BLE001 - one file that fails must not keep the others waiting
            gateway.log_fault(error)
            failed = waiting(principal, batch.collection, upload, call)
            failed = replace(failed, state=State.UNREADABLE, why="The gateway failed; nothing was stored.")
            await asyncio.to_thread(attachments.put, failed)


def _noted(gateway: Gateway, principal: Principal, collection: str, work: _Work) -> Batch:
    """What is there already stays as it is until its turn comes."""
    attachments = gateway.live.plant.attachments
    batch = attachments.begin_batch(principal, collection, [upload.id for upload, _ in work])
    for upload, call in work:
        known = attachments.find(principal, collection, upload.id)
        if known is None or known.state not in (State.STORED, State.HELD):
            attachments.put(waiting(principal, collection, upload, call))
    return batch


def _cancel(gateway: Gateway, principal: Principal, batch: Batch, upload: Upload) -> None:
    attachments = gateway.live.plant.attachments
    known = attachments.find(principal, batch.collection, upload.id)
    if known is not None and known.state is State.WAITING:
        attachments.put(replace(known, state=State.CANCELLED))


def _files(gateway: Gateway, principal: Principal, batch: Batch) -> list[dict[str, Any]]:
    attachments = gateway.live.plant.attachments
    found = [attachments.find(principal, batch.collection, file) for file in batch.files]
    return [attached_object(gateway, one) for one in sorted(filter(None, found), key=_newest)]


def _newest(attached: Attached) -> tuple[int, str]:
    return -attached.at, attached.file


def _object(gateway: Gateway, principal: Principal, batch: Batch) -> dict[str, Any]:
    states = [file["status"] for file in _files(gateway, principal, batch)]
    counts = {status: states.count(status) for status in _COUNTS}
    counts["cancelled"] += len(batch.files) - len(states)  # removed since
    status = "in_progress" if counts["in_progress"] else "cancelled" if batch.cancelled else "completed"
    return {
        "id": batch.id,
        "object": "vector_store.files_batch",
        "created_at": batch.at // 1_000_000,
        "vector_store_id": batch.collection,
        "status": status,
        "file_counts": {**counts, "total": len(batch.files)},
    }


async def _asked(request: Request) -> tuple[Gateway, Principal, Batch]:
    """The principal's own batch. Raises WireError (404) for any other."""
    gateway, principal, name, _ = await contributing(request)
    asked = request.path_params["batch"]
    batch = await asyncio.to_thread(gateway.live.plant.attachments.find_batch, principal, name, asked)
    if batch is None:
        raise WireError(404, f"You have no batch {asked[:64]!r} here.", "not_found", "batch_id")
    return gateway, principal, batch
