"""The transport to a streamable HTTP server: bounded answers, no proxies of the environment, no cookies kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx2

from .credentials import Secrets
from .settings import McpServer

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_STREAM = 64
"""A stream of events may be this many times as long as one message."""


class Bounded(httpx2.AsyncBaseTransport):
    """Ends an answer that is longer than it may be."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, most: int) -> None:
        self._inner = inner
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        answer = await self._inner.handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise httpx2.ReadError("a compressed answer is not read")
        events = answer.headers.get("content-type", "").startswith("text/event-stream")
        stream = answer.stream
        assert isinstance(stream, httpx2.AsyncByteStream)  # noqa: S101 - an async transport's
        answer.stream = _Counted(stream, self._most * _STREAM if events else self._most)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, most: int) -> None:
        self._inner = inner
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._inner:
            size += len(piece)
            if size > self._most:
                raise httpx2.ReadError("the answer is too long")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def http_transport(
    name: str, server: McpServer, secrets: Secrets
) -> AsyncIterator["TransportStreams"]:
    """A ``Transport`` of the SDK. Credentials are on every request to this one address, and on no other:
    redirects that leave its origin are not followed."""
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    limits = server.limits
    client = httpx2.AsyncClient(
        transport=Bounded(httpx2.AsyncHTTPTransport(), limits.result_bytes),
        headers=secrets.headers,
        timeout=httpx2.Timeout(limits.start_s, read=max(limits.timeout_s, limits.start_s)),
        trust_env=False,
    )
    async with (
        client,
        streamable_http_client(server.url, http_client=client, max_sse_event_size=limits.result_bytes) as streams,
    ):
        yield streams
