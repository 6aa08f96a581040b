"""MCP servers: what they offer, what changed since it was approved, and the word of an operator."""

from dataclasses import asdict
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from ringwall.core import RingwallError

from .guard import Refused
from .operate import json_answer, path_id, waiting
from .pages import ABSENT, Visit, render
from .shown import ServerInfo


async def show(visit: Visit) -> Response:
    servers = await visit.backend.servers()
    told = visit.session.take_flash()
    return render("servers.html", visit, servers=servers, told=told, holds=await waiting(visit))


async def show_json(visit: Visit) -> Response:
    return json_answer({"servers": [asdict(server) for server in await visit.backend.servers()]})


async def look(visit: Visit) -> Response:
    """Ask the server what it offers now."""
    server = await _server(visit)
    try:
        await visit.backend.look_at_server(server.name, visit.principal)
    except RingwallError as error:
        return _back(visit, server.name, "problem", str(error))
    return _back(visit, server.name, "done", f"{server.name} was asked what it offers.")


async def decide(visit: Visit) -> Response:
    """The form names the hash of the manifest that the person saw: what has changed since is left alone."""
    server = await _server(visit)
    name, digest = visit.form.get("tool", ""), visit.form.get("digest", "")
    approve = visit.form.get("word") == "approve"
    if not approve and visit.form.get("word") != "refuse":
        raise Refused(400, "Say whether to approve or to refuse.")
    shown = next((one for one in server.tools if one.name == name), None)
    if shown is None or shown.digest != digest:
        sentence = "This tool has changed since the page was shown, so nothing was decided. Look at it again."
        return _back(visit, server.name, "problem", sentence)
    try:
        await visit.backend.decide_server_tool(
            server.name,
            shown.tool,
            digest,
            visit.principal,
            approve=approve,
            despite=bool(visit.form.get("despite")),
        )
    except RingwallError as error:
        return _back(visit, server.name, "problem", str(error))
    return _back(visit, server.name, "done", f"{'Approved' if approve else 'Refused'}: {shown.name}.")


async def _server(visit: Visit) -> ServerInfo:
    name = path_id(visit)
    for server in await visit.backend.servers():
        if server.name == name:
            return server
    raise Refused(404, ABSENT)


def _back(visit: Visit, server: str, kind: str, sentence: str) -> Response:
    visit.session.flash = (kind, sentence)
    return RedirectResponse(f"/console/servers#s-{quote(server)}", 303)
