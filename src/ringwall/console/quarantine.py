"""The operator's pages of the quarantine: look, release, reject."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from ringwall.core import Principal, RingwallError

from .guard import Refused
from .marking import LIMIT, Span, mark, passages
from .operate import json_answer, number, path_id, waiting
from .pages import Visit, render
from .quarantined import HeldText

_REASON = 500


async def show(visit: Visit) -> Response:
    return render(
        "quarantine.html",
        visit,
        items=await visit.backend.quarantine(visit.principal),
        told=visit.session.take_flash(),
        holds=await waiting(visit),
    )


async def show_json(visit: Visit) -> Response:
    return json_answer(
        {"quarantine": [asdict(item) for item in await visit.backend.quarantine(visit.principal)]}
    )


async def one(visit: Visit) -> Response:
    """Whoever may not decide on it is told why, and sees nothing of it."""
    start = number(visit, "start") or 0
    try:
        page = await visit.backend.held_data(path_id(visit), visit.principal, start)
    except RingwallError as error:
        raise Refused(403, str(error)) from error
    texts = [_shown(text) for text in page.texts]
    return render(
        "quarantined.html",
        visit,
        page=page,
        texts=texts,
        older=max(0, start - len(texts)) if start else None,
        newer=start + len(texts) if texts and start + len(texts) < page.held.rows else None,
        told=visit.session.take_flash(),
        holds=await waiting(visit),
    )


def _shown(text: HeldText) -> dict[str, Any]:
    spans = [Span(one.start, one.end, one.number) for one in text.findings]
    return {
        "it": text,
        "marked": mark(text.text, spans),
        "passages": passages(text.text, spans),
        "cut": len(text.text) > LIMIT,
    }


async def release(visit: Visit) -> Response:
    return await _decide(visit, visit.backend.release_data, "Released: it is stored.")


async def reject(visit: Visit) -> Response:
    return await _decide(visit, visit.backend.reject_data, "Rejected for good.")


async def _decide(
    visit: Visit, decide: Callable[[str, Principal, str], Awaitable[None]], sentence: str
) -> Response:
    """A decision has a reason. What is held never changes, so its id stands for what the person saw."""
    held, reason = path_id(visit), visit.form.get("reason", "").strip()
    if not reason or len(reason) > _REASON:
        visit.session.flash = ("problem", f"Nothing was done: give a reason of at most {_REASON} characters.")
        return RedirectResponse(f"/console/quarantine/{quote(held, safe='')}", 303)
    try:
        await decide(held, visit.principal, reason)
    except RingwallError as error:
        visit.session.flash = ("problem", str(error))
    else:
        visit.session.flash = ("done", sentence)
    return RedirectResponse("/console/quarantine", 303)
