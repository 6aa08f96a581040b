"""The page of MCP servers on the running gateway."""

import asyncio

from ringwall.core import DataError, Principal
from ringwall.server.gateway import Gateway
from ringwall.workload import mcp_review

from .shown import ServerInfo, ServerTool


def servers(gateway: Gateway) -> list[ServerInfo]:
    """As last seen."""
    desk = _desk(gateway)
    return [
        ServerInfo(
            name=name,
            at=server.url or server.command,
            tools=tuple(_tool(review) for review in mcp_review.reviews(desk, name)),
        )
        for name, server in desk.section.servers.items()
    ]


async def look(gateway: Gateway, server: str, by: Principal) -> None:
    """Raises RingwallError."""
    mcp_review.check_right(_desk(gateway), by)
    await mcp_review.look(gateway.site, gateway.live.plant, server, by)


async def decide(
    gateway: Gateway, server: str, tool: str, digest: str, by: Principal, *, approve: bool, despite: bool
) -> None:
    """Raises RingwallError."""
    desk = _desk(gateway)
    found = [review for review in mcp_review.reviews(desk, server) if review.pin.tool == tool]
    if not found:
        raise DataError(f"The server {server!r} was not seen to offer this tool.")
    if approve:
        await asyncio.to_thread(
            mcp_review.approve, desk, found[0], by, digest=digest, despite_findings=despite
        )
    else:
        await asyncio.to_thread(mcp_review.refuse, desk, found[0], by)


def _desk(gateway: Gateway) -> mcp_review.Desk:
    return mcp_review.Desk.of(gateway.site.workload, gateway.live.plant)


def _tool(review: mcp_review.Review) -> ServerTool:
    pin, inference = review.pin, review.inference
    return ServerTool(
        server=pin.server,
        tool=pin.tool,
        name=review.name,
        state=str(pin.state),
        digest=pin.seen.digest if pin.seen else "",
        effect=str(inference.effect) if inference else pin.effect,
        why=inference.why if inference else "",
        sure=inference.sure if inference else True,
        target=inference.target if inference else pin.target,
        problem=review.problem,
        findings=pin.findings,
        difference=review.difference,
        description=pin.seen.description if pin.seen else "",
        decided_by=pin.decided_by,
        decided_at=pin.decided_at,
    )
