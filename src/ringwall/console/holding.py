"""The operator's pages of held calls: look, approve, refuse, amend."""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from ringwall.boundaries.application.strict_json import read_amendment
from ringwall.core import Principal, RingwallError

from .argument_view import argument_lines, changes, editable
from .guard import Refused, same_token
from .held import view
from .operate import json_answer, path_id, waiting
from .pages import Visit, render
from .shown import HoldInfo

LATELY = 12
_HOLD = [field.name for field in fields(HoldInfo)]
GONE = "This hold is gone: it expired or somebody settled it. Nothing was done."


async def show(visit: Visit) -> Response:
    pending = await visit.backend.holds()
    return render(
        "holds.html",
        visit,
        pending=[view(hold) for hold in pending],
        lately=[view(hold) for hold in await visit.backend.settled_holds(LATELY)],
        told=visit.session.take_flash(),
        holds=len(pending),
    )


async def one(visit: Visit) -> Response:
    """One hold in whatever state: where the links of messages lead."""
    hold = await visit.backend.hold_info(path_id(visit))
    if hold is None:
        raise Refused(404, "There is no hold of this id.")
    return render(
        "hold.html",
        visit,
        view=view(hold),
        told=visit.session.take_flash(),
        holds=await waiting(visit),
    )


async def show_json(visit: Visit) -> Response:
    pending = await visit.backend.holds()
    return json_answer({"holds": [{name: getattr(hold, name) for name in _HOLD} for hold in pending]})


async def approve(visit: Visit) -> Response:
    return await _settle(visit, visit.backend.approve, "Approved")


async def refuse(visit: Visit) -> Response:
    return await _settle(visit, visit.backend.refuse, "Refused")


async def amend(visit: Visit) -> Response:
    """First the change is shown; sent once more with ``sure``, it is made."""
    given = visit.form.get("arguments", "")
    if visit.form.get("sure") == "yes":
        return await _settle(
            visit, lambda hold_id, who: visit.backend.amend(hold_id, who, given), "Approved as changed"
        )
    hold = await seen(visit)
    if hold is None:
        return _back(visit, "problem", GONE)
    read = read_amendment(given)
    if read.problem:
        return _back(visit, "problem", f"Nothing was done: {read.problem}.")
    differing = changes(hold.arguments, read.data)
    if not differing:
        return _back(visit, "problem", "Nothing was changed in the arguments, so nothing was done.")
    return render(
        "amend.html",
        visit,
        hold=hold,
        given=editable(read.data),
        changes=differing,
        lines=argument_lines(read.data, {}),
        holds=await waiting(visit),
    )


async def seen(visit: Visit) -> HoldInfo | None:
    """The hold of the path, if it waits still and is the one that the person saw: the form names the hash of
    its arguments."""
    hold = await visit.backend.hold_info(path_id(visit))
    if hold is None or hold.state != "pending":
        return None
    return hold if same_token(visit.form.get("arguments_hash", ""), hold.arguments_hash) else None


async def _settle(visit: Visit, settle: Callable[[str, Principal], Awaitable[None]], word: str) -> Response:
    """A hold that has changed or gone meanwhile is left alone."""
    hold = await seen(visit)
    if hold is None:
        return _back(visit, "problem", GONE)
    try:
        await settle(hold.id, visit.principal)
    except RingwallError as error:
        return _back(visit, "problem", str(error))
    return _back(visit, "done", f"{word}: {hold.tool} for {hold.subject}.")


def _back(visit: Visit, kind: str, sentence: str) -> Response:
    """To the list, or to the page of the one hold that the form was on."""
    visit.session.flash = (kind, sentence)
    alone = visit.form.get("alone") == "yes"
    return RedirectResponse("/console/holds" + (f"/{quote(path_id(visit), safe='')}" if alone else ""), 303)
