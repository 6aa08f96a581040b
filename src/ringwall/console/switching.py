"""Kill switches: what is off, by whom and why; throwing one and putting it back."""

from collections.abc import Sequence
from dataclasses import asdict

from starlette.responses import RedirectResponse, Response

from ringwall.core import RingwallError

from .operate import json_answer, waiting
from .pages import Visit, render
from .shown import ToolInfo

EVERYTHING = "*"


async def show(visit: Visit) -> Response:
    tools = await visit.backend.tools()
    return render(
        "tools.html",
        visit,
        tools=tools,
        switches=await visit.backend.switches(),
        choices=_choices(tools),
        names=dict(_choices(tools)),
        told=visit.session.take_flash(),
        holds=await waiting(visit),
    )


async def show_json(visit: Visit) -> Response:
    tools, switches = await visit.backend.tools(), await visit.backend.switches()
    return json_answer(
        {"tools": [asdict(tool) for tool in tools], "switches": [asdict(one) for one in switches]}
    )


async def off(visit: Visit) -> Response:
    target, reason = visit.form.get("target", ""), visit.form.get("reason", "")
    known = dict(_choices(await visit.backend.tools()))
    if target not in known:
        return _back(visit, "problem", "Choose what to switch off.")
    try:
        await visit.backend.switch_off(target, reason, visit.principal)
    except RingwallError as error:
        return _back(visit, "problem", str(error))
    return _back(visit, "done", f"Switched off from the next call on: {known[target]}.")


async def on(visit: Visit) -> Response:
    target = visit.form.get("target", "")
    if not await visit.backend.switch_on(target, visit.principal):
        return _back(visit, "problem", "That switch was put back already. Nothing was done.")
    return _back(visit, "done", f"Switched on: {target}.")


def _choices(tools: Sequence[ToolInfo]) -> list[tuple[str, str]]:
    """What can be switched off, with words for it: tools, servers, effects, everything."""
    servers = sorted({tool.name.partition("__")[0] for tool in tools if "__" in tool.name})
    effects = sorted({tool.effect for tool in tools})
    return [
        *((tool.name, tool.name) for tool in tools),
        *((f"{server}__*", f"all tools of the server {server}") for server in servers),
        *((f"effect:{effect}", f"all tools with the effect {effect}") for effect in effects),
        (EVERYTHING, "every tool"),
    ]


def _back(visit: Visit, kind: str, sentence: str) -> Response:
    visit.session.flash = (kind, sentence)
    return RedirectResponse("/console/tools", 303)
