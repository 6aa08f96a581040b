"""Approved tools of MCP servers become part of the configuration: of its tools, and of its version."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace

from ringwall.boundaries.application.mcp.approved import McpTools, approved_tools
from ringwall.boundaries.application.mcp.offered import registry_name
from ringwall.boundaries.application.mcp.pins import Pin
from ringwall.boundaries.application.mcp.servers import McpServers

from .load import Loaded
from .plant import Plant


def with_pins(loaded: Loaded, plant: Plant) -> Loaded:
    """The same with a version that changes when approvals do."""
    if not loaded.workload.application.mcp.servers or loaded.pinned:
        return loaded
    digest = hashlib.sha256(loaded.version.encode())
    for pin in plant.pins.list():
        if pin.pinned is not None and pin.server in loaded.workload.application.mcp.servers:
            digest.update(f"\0{pin.server}\0{pin.pinned.text}\0{pin.effect}\0{pin.target}".encode())
    return replace(loaded, version=digest.hexdigest()[:16], pinned=True)


def mcp_servers(loaded: Loaded, plant: Plant) -> McpServers:
    """Raises ConfigError when there are servers and the SDK is not installed."""

    async def changed(pin: Pin) -> None:
        name = registry_name(pin.server, pin.tool)
        digest = pin.seen.digest if pin.seen else ""
        await asyncio.to_thread(plant.note, "mcp.changed", server=pin.server, tool=name, digest=digest)

    section = loaded.workload.application.mcp
    tools = approved_tools(section, plant.pins.list() if section.servers else ())
    return McpServers(tools, plant.pins, plant.upstreams, loaded.folder, changed)


def named_tools(names: Sequence[str], tools: McpTools) -> tuple[str, ...]:
    """The application's tools, with ``server__*`` written out."""
    found: dict[str, None] = {}
    for name in names:
        server, _, rest = name.partition("__")
        if rest == "*" and server in tools.servers:
            found |= dict.fromkeys(bound.name for bound in tools.of(server))
        else:
            found[registry_name(server, rest) if server in tools.servers else name] = None
    return tuple(found)
