"""``/mcp/{server}`` and ``/apps/{application}/mcp/{server}``: who may speak to which server from where."""

import asyncio
from importlib.util import find_spec
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ringwall.boundaries.application.chain_token import HEADER
from ringwall.boundaries.application.mcp.settings import McpSection
from ringwall.wire.errors import WireError
from ringwall.workload.mcp_names import BUILT_IN as RETRIEVAL

from ..gateway import Gateway, peer
from .caller import Caller
from .host import Host
from .retrieval import RetrievalHost, require_readable

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SESSION = "mcp-session-id"


class Hosts:
    """Of one gateway: started when first asked for, closed with it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._hosts: dict[tuple[str, str], Host] = {}
        self._starting = asyncio.Lock()

    async def get(self, application: str, server: str) -> Host:
        key = (application, server)
        if key not in self._hosts:
            async with self._starting:
                if key not in self._hosts:
                    most = self._gateway.site.workload.interface.limits.body_bytes
                    built_in = server == RETRIEVAL
                    host = (
                        RetrievalHost(self._gateway, most) if built_in else Host(self._gateway, server, most)
                    )
                    await host.start()
                    self._hosts[key] = host
        return self._hosts[key]

    async def close(self) -> None:
        hosts, self._hosts = list(self._hosts.values()), {}
        for host in hosts:
            await host.close()


class _Served(Response):
    """Hands the request to the host once it is let in."""

    def __init__(self, host: Host, caller: Caller) -> None:
        super().__init__()
        self._host = host
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._host.serve(self._caller, scope, receive, send)


async def mcp(request: Request) -> Response:
    """Raises WireError: 401, 403, 404 before a byte of the body is read."""
    gateway: Gateway = request.app.state.gateway
    site = gateway.site
    section = site.workload.application.mcp
    require_place(request, section)
    app = site.application(request.path_params.get("application", ""))
    principal = await gateway.authenticate(request, app.application.name)
    await gateway.require_identity(app, principal)
    name = request.path_params["server"]
    server = section.servers.get(name)
    if name != RETRIEVAL and (server is None or (server.roles and server.roles.isdisjoint(principal.roles))):
        raise WireError(404, f"There is no MCP server {name[:64]!r} here.", "not_found")
    caller = Caller(
        app,
        gateway.recorder,
        principal,
        name,
        request.headers.get(_SESSION, ""),
        request.headers.get("x-ringwall-session", ""),
        peer(request),
        request.headers.get(HEADER, ""),
    )
    if name == RETRIEVAL:
        require_readable(caller)
        require_sdk()
    return _Served(await request.app.state.mcp_hosts.get(app.application.name, name), caller)


def require_sdk() -> None:
    """A workload with MCP servers does not start without it; one that only has collections does. Raises
    WireError (404)."""
    if find_spec("mcp") is None:
        message = "MCP needs a package that is not installed here: pip install 'ringwall[mcp]'."
        raise WireError(404, message, "not_installed")


def require_place(request: Request, section: McpSection) -> None:
    """Against DNS rebinding: a page of another site may not call by a visitor's browser. Raises WireError."""
    host = _name(request.headers.get("host", ""))
    listener = (request.scope.get("server") or ("",))[0]
    hosts = section.hosts or (_LOOPBACK if listener in _LOOPBACK else frozenset())
    if hosts and host not in hosts:
        raise WireError(403, "This host name is not one of the gateway's.", "wrong_host")
    for origin in request.headers.getlist("origin"):
        ours = host in _LOOPBACK and listener in _LOOPBACK and _of(origin) in _LOOPBACK
        if origin not in section.origins and not ours:
            raise WireError(403, "Pages of this origin may not call here.", "wrong_origin")


def _of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _name(host: str) -> str:
    return _of(f"//{host}")
