"""What the workload file says of MCP servers, held against the rest of it."""

from collections.abc import Iterator

from .schema import Workload
from .source import Path_

BUILT_IN = "retrieval"
"""The server at ``/mcp/retrieval`` is the gateway's own."""


def is_server_tool(workload: Workload, name: str) -> bool:
    """``server__tool`` of a server of this workload, or ``server__*`` for all that is approved of it. Whether
    it is approved, and there at all, shows at run time."""
    server, mark, tool = name.partition("__")
    return bool(mark and tool) and server in workload.application.mcp.servers


def mcp_problems(workload: Workload, roles: set[str]) -> Iterator[tuple[str, Path_]]:
    """Each mistake with its place."""
    section = workload.application.mcp
    for name in workload.application.tools:
        if is_server_tool(workload, name):
            place: Path_ = ("application", "tools", name)
            yield (
                f"{name!r} reads like a tool of the MCP server {name.partition('__')[0]!r}: rename it",
                place,
            )
    for name, server in section.servers.items():
        place = ("application", "mcp", "servers", name)
        if name == BUILT_IN:
            yield f"{name!r} is the gateway's own server for its collections: choose another name", place
        for role in sorted(server.roles - roles):
            yield f"unknown role {role!r}", (*place, "roles")
        for tool, given in server.tools.items():
            for role in sorted((given.roles or frozenset()) - roles):
                yield f"unknown role {role!r}", (*place, "tools", tool, "roles")
        if server.shared and (server.sampling or server.elicitation):
            yield "a shared server can't ask back: it has no client of its own", (*place, "shared")
