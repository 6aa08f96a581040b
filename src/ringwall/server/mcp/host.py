"""One server as clients see it: the SDK speaks both eras of the protocol, the handlers pass the gate."""

import asyncio
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from ringwall.boundaries.application.mcp.upstream import McpFault
from ringwall.core import RingwallError
from ringwall.wire.errors import WireError

from ..gateway import Gateway
from ..replies import error_response
from .asks import ClientAsker
from .caller import Caller, admit
from .calls import call
from .offers import offered
from .open_sessions import OpenSessions

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult

_IDLE_S = 1800.0
_SESSIONS = 2000
"""Client sessions for one server and application at once."""
_HEADER = b"mcp-session-id"
_VERSION = b"mcp-protocol-version"


class Host:
    """Of one application and server. Tools alone are served: resources, prompts, completions, logs and the
    server's instructions are not passed on, and are not announced either.

    Outlives a reload of the workload file: each request finds the site as it is then.
    """

    def __init__(self, gateway: Gateway, server: str, body_bytes: int) -> None:
        from mcp.server import Server  # noqa: PLC0415
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: PLC0415

        self._gateway = gateway
        self._server = server
        self._sdk: Server[Any] = Server(
            f"ringwall-{server}",
            version=version("ringwall"),
            on_list_tools=self._list,
            on_call_tool=self._call,
            get_tool_input_schema=self._schema,
        )
        self._manager = StreamableHTTPSessionManager(
            self._sdk,
            session_idle_timeout=_IDLE_S,
            max_sessions=_SESSIONS,
            max_request_body_size=body_bytes,
        )
        self._sessions = OpenSessions(_IDLE_S)
        self._ending = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ready = asyncio.Event()
        self._running = asyncio.create_task(self._run(ready))
        await ready.wait()

    async def close(self) -> None:
        self._ending.set()
        if self._running is not None:
            with suppress(Exception):
                await self._running

    async def serve(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request. A session of the older protocol belongs to the principal that began it: the SDK
        compares what ``user`` holds."""
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser  # noqa: PLC0415
        from mcp.server.auth.provider import AccessToken  # noqa: PLC0415

        principal = caller.principal
        who = AccessToken(
            token="",
            client_id=caller.app.application.name,
            scopes=[],
            subject=principal.subject,
            claims={"iss": principal.tenant},
        )
        caller.put(scope)
        scope["user"] = AuthenticatedUser(who)
        holder = (principal.tenant, principal.subject, "" if principal.authenticated else caller.address)
        opening = f"opening {id(scope)}" if _opens(caller, scope) else ""
        if opening and not self._sessions.room(holder):
            many = WireError(429, "You have too many sessions open here: end one.", "too_many_sessions")
            await error_response(many)(scope, receive, send)
            return
        if opening:  # so that many at once are counted as well
            self._sessions.used(opening, holder)
        status = 0

        async def watched(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            for name, value in message.get("headers", ()):
                if name.lower() == _HEADER and status < 400:
                    self._sessions.used(value.decode("latin-1"), holder)
            await send(message)

        try:
            await self._manager.handle_request(scope, receive, watched)
        finally:
            self._sessions.ended(opening)
        if scope["method"] == "DELETE" and 200 <= status < 300:
            self._sessions.ended(caller.mcp_session)
            await caller.app.mcp.end(self._server, caller.owner)

    async def _run(self, ready: asyncio.Event) -> None:
        async with self._manager.run():
            ready.set()
            await self._ending.wait()

    async def _list(self, context: "ServerRequestContext[Any, Any]", params: Any) -> "ListToolsResult":
        from mcp.types import ListToolsResult  # noqa: PLC0415

        caller = Caller.of(context.request)
        turn = caller.turn()
        try:
            await admit(caller, turn)
            return ListToolsResult(tools=await offered(caller, turn))
        except Exception as error:  # noqa: BLE001 - the last line denies, whatever went wrong
            raise self._failure(error) from None
        finally:
            turn.settle()

    async def _call(
        self, context: "ServerRequestContext[Any, Any]", params: "CallToolRequestParams"
    ) -> "CallToolResult":
        caller = Caller.of(context.request)
        turn = caller.turn()
        section = self._gateway.site.workload.application
        try:
            await admit(caller, turn)
            return await call(
                caller,
                turn,
                params.name,
                params.arguments or {},
                progress=context.session.report_progress,
                asker=ClientAsker(
                    context, turn, section.mcp.servers[self._server], self._server, section.restricted
                ),
            )
        except Exception as error:  # noqa: BLE001 - the last line denies, whatever went wrong
            raise self._failure(error) from None
        finally:
            turn.settle()

    def _schema(self, name: str) -> Any:
        """For the SDK's check of headers that repeat arguments: the approved schema, nobody is asked."""
        bound = next(iter(self._gateway.site.applications.values())).mcp.tools.find(self._server, name)
        return bound.settings.parameters if bound else None

    def _failure(self, error: Exception) -> Exception:
        """The protocol's error. What may be said is said; what went wrong inside is not."""
        from mcp.types import INTERNAL_ERROR, INVALID_REQUEST  # noqa: PLC0415

        from mcp import MCPError  # noqa: PLC0415

        if isinstance(error, WireError):
            return MCPError(INVALID_REQUEST, error.message)
        if isinstance(error, (McpFault, RingwallError)):
            return MCPError(INTERNAL_ERROR, str(error))
        self._gateway.log_fault(error)
        return MCPError(INTERNAL_ERROR, "The gateway failed; nothing was let through.")


def _opens(caller: Caller, scope: Scope) -> bool:
    """Whether the SDK would open a session of the older protocol for it."""
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS  # noqa: PLC0415

    version_ = next((value.decode("latin-1") for name, value in scope["headers"] if name == _VERSION), "")
    newer = bool(version_) and version_ not in HANDSHAKE_PROTOCOL_VERSIONS
    return scope["method"] == "POST" and not caller.mcp_session and not newer
