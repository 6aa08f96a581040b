"""The transport to a streamable HTTP server: through the egress guard, with the server's own address as the
whole list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
from pydantic import ValidationError

from ringwall.core import ConfigError, Problem

from ..egress_client import Egress
from ..egress_httpx import GuardedTransport
from ..egress_outbound import PORTS, EgressLimits
from ..egress_settings import EgressRule
from .credentials import Secrets
from .settings import McpServer

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_STREAM = 64
"""A stream of events may be this many times as long as one message."""
_REQUEST_BYTES = 4_000_000


def own_rule(name: str, server: McpServer) -> EgressRule:
    """The one place that requests to this server may go to. Raises ConfigError for an address that the egress
    guard can't take."""
    split = urlsplit(server.url)
    limits = server.limits
    try:
        return EgressRule.model_validate(
            {
                "host": split.hostname or "",
                "schemes": [split.scheme],
                "ports": [split.port or PORTS[split.scheme]],
                "path": split.path or "/",
                "methods": ["GET", "POST", "DELETE"],
                "private": server.private,
                "max_bytes": limits.result_bytes,
                "max_request_bytes": _REQUEST_BYTES,
                "timeout_s": min(600, max(limits.timeout_s, limits.start_s)),
            }
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(Problem(f"application.mcp.servers.{name}.url: {said}")) from None


@asynccontextmanager
async def http_transport(name: str, server: McpServer, secrets: Secrets) -> AsyncIterator["TransportStreams"]:
    """A ``Transport`` of the SDK. Credentials are on every request to this one address, and on no other:
    redirects that leave its origin are not followed."""
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    limits = server.limits
    most = replace(EgressLimits(), stream_bytes=limits.result_bytes * _STREAM)
    egress = Egress([own_rule(name, server)], limits=most)
    client = httpx2.AsyncClient(
        transport=GuardedTransport(egress, name),
        headers=secrets.headers,
        timeout=httpx2.Timeout(limits.start_s, read=max(limits.timeout_s, limits.start_s)),
        trust_env=False,
    )
    try:
        async with (
            client,
            streamable_http_client(
                server.url, http_client=client, max_sse_event_size=limits.result_bytes
            ) as streams,
        ):
            yield streams
    finally:
        await egress.close()
