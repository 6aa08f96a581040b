"""On the chat page: calls that wait for the confirmation of whoever asked.

What is said in the conversation confirms nothing; a form of the page does, sent by the signed-in person.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from ringwall.core import Principal, RingwallError

from .chat import application_of
from .guard import same_token
from .held import view
from .holding import GONE
from .operate import path_id
from .pages import Visit, render


async def show(visit: Visit) -> Response:
    """The waiting calls as a piece of HTML; empty when there are none."""
    application = await application_of(visit)
    own = await visit.backend.own_holds(visit.principal, application.name)
    return render(
        "confirm.html",
        visit,
        application=application,
        conversation=visit.request.query_params.get("c", ""),
        own=[view(hold) for hold in own],
    )


async def confirm(visit: Visit) -> Response:
    return await _settle(visit, visit.backend.approve, "Confirmed: {tool}.")


async def refuse(visit: Visit) -> Response:
    return await _settle(visit, visit.backend.refuse, "{tool} is not done.")


async def _settle(
    visit: Visit, settle: Callable[[str, Principal], Awaitable[None]], sentence: str
) -> Response:
    application = await application_of(visit)
    own = {hold.id: hold for hold in await visit.backend.own_holds(visit.principal, application.name)}
    hold = own.get(path_id(visit))
    if (
        hold is None
        or hold.state != "pending"
        or not same_token(visit.form.get("arguments_hash", ""), hold.arguments_hash)
    ):
        visit.session.flash = ("problem", GONE)
    else:
        try:
            await settle(hold.id, visit.principal)
            visit.session.flash = ("done", sentence.format(tool=hold.tool))
        except RingwallError as error:
            visit.session.flash = ("problem", str(error))
    there = quote(application.name, safe="")
    return RedirectResponse(f"/chat/{there}?c={quote(visit.form.get('c', ''), safe='')}#latest", 303)
