"""The MCP servers of one version of the workload: sessions with them, and calls of approved tools."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ringwall.core import ConfigError, Principal, RingwallError

from ..egress_crossing import Decide
from ..execute import ToolOutcome, ToolRunner
from .answer import Answer
from .approved import McpBound, McpTools
from .offered import Offered
from .pins import Pin, Pins
from .pool import Owner, UpstreamPool
from .upstream import Asker, McpFault, Progress, Upstream, require_sdk

CHAT = "chat"
"""Session word of calls that a chat turn makes."""

Notice = Callable[[Pin], Awaitable[None]]
"""Told of each tool whose approval has lost its force."""


class McpServers:
    """``find`` and ``call`` are for tools that an operator approved; ``look`` is for the operator."""

    def __init__(self, tools: McpTools, pins: Pins, pool: UpstreamPool, folder: Path, notice: Notice) -> None:
        """``folder`` is that of the workload file. Raises ConfigError when there are servers and no SDK."""
        if tools.servers:
            require_sdk()
            from .http import own_rule  # noqa: PLC0415 - needs the extra

            for name, server in tools.servers.items():
                if server.url:
                    own_rule(name, server)
        self.tools = tools
        self.pins = pins
        self._pool = pool
        self._folder = folder
        self._notice = notice

    async def call(
        self,
        bound: McpBound,
        arguments: Mapping[str, Any],
        owner: Owner,
        *,
        progress: Progress | None = None,
        asker: Asker | None = None,
        decide: Decide | None = None,
    ) -> Answer:
        """Run a tool, if the server still says of it what was approved. Raises McpFault. Call only what a
        decision has let through. ``decide`` is asked for requests out of a server that was started here."""
        session = await self._session(bound.server, owner)
        offered = (await session.offered()).get(bound.tool)
        if offered is None or offered.digest != bound.digest:
            raise McpFault(
                f"The tool {bound.tool} is not what was approved any more: it waits for an operator "
                "(`ringwall mcp diff`)."
            )
        return await session.call(bound.tool, arguments, report=progress, asker=asker, decide=decide)

    async def current(self, server: str, owner: Owner) -> list[McpBound]:
        """Approved tools that the server offers unchanged to this owner, just looked up. Raises McpFault."""
        offered = await (await self._session(server, owner)).offered(fresh=True)
        return [
            bound
            for bound in self.tools.of(server)
            if bound.tool in offered and offered[bound.tool].digest == bound.digest
        ]

    async def look(self, server: str, principal: Principal) -> Sequence[Pin]:
        """Ask the server what it offers now, and keep it for approval. Raises McpFault."""
        owner = Owner.of(principal, "operator")
        try:
            await (await self._session(server, owner)).offered(fresh=True)
        finally:
            await self._pool.end(server, owner)
        return self.pins.list(server)

    async def end(self, server: str, owner: Owner) -> None:
        await self._pool.end(server, owner)

    async def _session(self, name: str, owner: Owner) -> Upstream:
        server = self.tools.servers[name]

        async def seen(offered: list[Offered]) -> None:
            for pin in self.pins.see(name, offered):
                await self._notice(pin)

        try:
            return await self._pool.session(
                name, server, owner, lambda: Upstream(name, server, self._folder, seen)
            )
        except ConfigError:
            raise McpFault(f"The credentials of the server {name} are missing at the gateway.") from None


class ToolsAndServers:
    """Tools that the gateway runs itself: functions of the operator, and approved tools of MCP servers.

    A chat turn's calls of one principal share one session with each server."""

    def __init__(self, functions: ToolRunner, servers: McpServers) -> None:
        self._functions = functions
        self._servers = servers

    def runs(self, tool: str) -> bool:
        bound = self._servers.tools.by_name.get(tool)
        if bound is None:
            return self._functions.runs(tool)
        return self._servers.tools.servers[bound.server].chat == "gateway"

    async def run(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        principal: Principal,
        *,
        decide: Decide | None = None,
        chain: str = "",
    ) -> ToolOutcome:
        """Never raises on account of the tool. ``decide`` is asked for each of its requests out."""
        bound = self._servers.tools.by_name.get(tool)
        if bound is None:
            return await self._functions.run(tool, arguments, principal, decide=decide, chain=chain)
        try:
            answer = await self._servers.call(bound, arguments, Owner.of(principal, CHAT), decide=decide)
        except RingwallError as fault:
            return ToolOutcome(str(fault), failed=True, unsure=True)
        return ToolOutcome(answer.text, failed=answer.failed, unsure=True)

    def close(self) -> None:
        self._functions.close()
