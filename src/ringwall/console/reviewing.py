"""Collections and their versions: what is new since the approved one, and who says that it is good."""

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from ringwall.core import RingwallError

from .guard import Refused
from .operate import json_answer, path_id, waiting
from .pages import ABSENT, Visit, render
from .shown import CollectionInfo


async def show(visit: Visit) -> Response:
    found = await visit.backend.collections(visit.principal)
    told = visit.session.take_flash()
    return render("data.html", visit, collections=found, told=told, holds=await waiting(visit))


async def show_json(visit: Visit) -> Response:
    found = await visit.backend.collections(visit.principal)
    return json_answer({"collections": [_plain(one) for one in found]})


async def one(visit: Visit) -> Response:
    """One collection with its newest review."""
    info = await _collection(visit)
    told = visit.session.take_flash()
    return render("collection.html", visit, info=info, told=told, holds=await waiting(visit))


async def review(visit: Visit) -> Response:
    """Have the current version compared with the approved one: it takes a while, the page says when it is
    done."""
    info = await _collection(visit)
    if not info.may_read:
        sentence = "Reviews are for people with a contributor or approver role, of the tenant of what is new."
        return _back(visit, info.name, "problem", sentence)
    try:
        await visit.backend.review_collection(info.name, visit.principal)
    except RingwallError as error:
        return _back(visit, info.name, "problem", str(error))
    return _back(visit, info.name, "done", f"Version {info.version} is being reviewed: load this page again.")


async def approve(visit: Visit) -> Response:
    """The form names the chain of the version that the person saw: what has changed since is left alone."""
    info = await _collection(visit)
    if visit.form.get("chain", "") != info.chain or not info.chain:
        sentence = "The collection has changed since the page was shown, so nothing was approved. Look again."
        return _back(visit, info.name, "problem", sentence)
    try:
        despite = bool(visit.form.get("despite"))
        missing = await visit.backend.approve_version(
            info.name, info.version, visit.principal, despite=despite
        )
    except RingwallError as error:
        return _back(visit, info.name, "problem", str(error))
    if missing:
        return _back(visit, info.name, "done", f"Noted, not approved yet. {missing}")
    return _back(visit, info.name, "done", f"Approved: version {info.version} of {info.name}.")


async def _collection(visit: Visit) -> CollectionInfo:
    name = path_id(visit)
    for info in await visit.backend.collections(visit.principal):
        if info.name == name:
            return info
    raise Refused(404, ABSENT)


def _plain(info: CollectionInfo) -> dict[str, object]:
    """Without examples: they are for the eyes of whoever reviews."""
    review = info.review
    return {
        "name": info.name,
        "kind": info.kind,
        "records": info.records,
        "version": info.version,
        "approved": info.approved,
        "waiting": info.waiting,
        "running": info.running,
        "review": {
            "id": review.id,
            "by": review.by,
            "at": review.at,
            "stops": review.stops,
            "failed": dict(review.failed),
            "findings": [
                {
                    "detector": one.detector,
                    "title": one.title,
                    "message": one.message,
                    "score": one.score,
                    "severity": str(one.severity),
                    "records": len(one.records),
                    "contributors": dict(one.contributors),
                }
                for one in review.findings
            ],
        }
        if review and info.may_read
        else None,
    }


def _back(visit: Visit, collection: str, kind: str, sentence: str) -> Response:
    visit.session.flash = (kind, sentence)
    return RedirectResponse(f"/console/data/{quote(collection, safe='')}", 303)
