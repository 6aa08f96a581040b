"""An upload on its way into a collection: the one way in, and what became of it."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from ringwall.boundaries.data.contribute import Offer
from ringwall.boundaries.data.document import id_from
from ringwall.boundaries.data.intake.statement import Signature
from ringwall.boundaries.data.intake.terms import Terms
from ringwall.boundaries.data.uploads.attached import Attached, State
from ringwall.boundaries.data.uploads.store import Upload
from ringwall.core import DataError, DeniedError, Principal
from ringwall.wire.vector_stores import AttachCall

from ..gateway import Gateway

_STATES = {"stored": State.STORED, "unchanged": State.STORED, "quarantined": State.HELD}
_GONE_US = 3_600_000_000
"""After which a file that still waits for its turn was forgotten: the process that had it is gone."""


def waiting(principal: Principal, collection: str, upload: Upload, call: AttachCall) -> Attached:
    """Before anything was decided."""
    now = time.time_ns() // 1000
    return Attached(
        collection,
        upload.id,
        (principal.tenant, principal.subject),
        f"{id_from(upload.name)[:100].rstrip('-._')}-{upload.id[-12:]}",
        upload.bytes,
        now,
        now,
        State.WAITING,
        "",
        upload.name,
        call.attributes,
        "",
    )


async def contribute(
    gateway: Gateway, principal: Principal, collection: str, upload: Upload, call: AttachCall
) -> tuple[Attached, str]:
    """What became of it, noted, and the id of the decision (empty where none was needed)."""
    most = gateway.site.workload.data.collections[collection].max_bytes
    uploads, attachments = gateway.live.plant.uploads, gateway.live.plant.attachments
    made = waiting(principal, collection, upload, call)
    decision = ""
    try:
        raw = await asyncio.to_thread(uploads.read, principal, upload, most)
        offer = Offer(collection, upload.name, raw, document=made.document, terms=terms_of(call))
        receipt = await gateway.contributions.add(offer, principal)
        decision = receipt.decision
        state, why = _STATES[receipt.status], " ".join(receipt.reasons)
        made = replace(made, state=state, held=receipt.held, why=why)
        if receipt.status == "unchanged":
            made = await asyncio.to_thread(_as_before, gateway, principal, made)
    except DeniedError as error:
        made, decision = replace(made, state=State.REFUSED, why=str(error)), error.decision_id
    except DataError as error:
        made = replace(made, state=State.UNREADABLE, why=str(error))
    if made.done == made.at:
        made = replace(made, done=time.time_ns() // 1000)
    await asyncio.to_thread(attachments.put, made)
    return made, decision


def terms_of(call: AttachCall) -> Terms:
    """Raises DataError for a signature that is none."""
    signature = Signature.from_bytes(call.signature) if call.signature else None
    return Terms(call.licence, call.consent, call.origin, signature)


def _as_before(gateway: Gateway, principal: Principal, made: Attached) -> Attached:
    """The same content again: what is there came with the contribution before."""
    known = gateway.live.plant.attachments.find(principal, made.collection, made.file)
    if known is None or known.state not in (State.STORED, State.HELD):
        return made
    return replace(made, at=known.at, done=known.done)


def attached_object(gateway: Gateway, attached: Attached) -> dict[str, Any]:
    """As the protocol writes it. What a person has to look at counts as failed, so that nobody who polls
    waits for them; it is completed once they released it."""
    status, code, why = _status(gateway, attached)
    return {
        "id": attached.file,
        "object": "vector_store.file",
        "created_at": attached.at // 1_000_000,
        "usage_bytes": attached.bytes,
        "vector_store_id": attached.collection,
        "status": status,
        "last_error": {"code": code, "message": why} if code else None,
        "attributes": dict(attached.attributes),
        "chunking_strategy": {"type": "other"},
    }


def _status(gateway: Gateway, attached: Attached) -> tuple[str, str, str]:
    match attached.state:
        case State.STORED:
            return _stored(gateway, attached)
        case State.HELD:
            return _held(gateway, attached)
        case State.REFUSED:
            return "failed", "invalid_file", attached.why
        case State.UNREADABLE:
            return "failed", "unsupported_file", attached.why
        case State.CANCELLED:
            return "cancelled", "", ""
        case State.WAITING:
            if time.time_ns() // 1000 - attached.at > _GONE_US:
                return "failed", "server_error", "It was interrupted: attach it again."
            return "in_progress", "", ""


def _stored(gateway: Gateway, attached: Attached) -> tuple[str, str, str]:
    if gateway.site.application().library.current(attached):
        return "completed", "", ""
    return "failed", "invalid_file", "It is no longer in the collection."


def _held(gateway: Gateway, attached: Attached) -> tuple[str, str, str]:
    try:
        state = gateway.live.plant.quarantine.find(attached.held).status
    except DataError:
        return "failed", "invalid_file", "It was erased from quarantine."
    if state == "stored":
        return _stored(gateway, attached)
    if state == "rejected":
        return "failed", "invalid_file", "A person looked at it and refused it."
    message = f"A person has to look at it before it is stored ({attached.held}). {attached.why}"
    return "failed", "invalid_file", message.strip()
