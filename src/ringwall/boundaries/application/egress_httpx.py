"""The guarded client as a transport of httpx2, for libraries that bring their own HTTP client.

Importing this module needs httpx2, which comes with the extra that uses it; nothing else of Ringwall does.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2

from ringwall.core import UpstreamError

from .egress_answer import Answer
from .egress_client import Egress
from .egress_crossing import Decide
from .egress_outbound import EgressRefused

_READ_AT_ONCE = 10_000_000
"""Bytes of a request that are read before it is judged, whatever its rule says."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """``httpx2.AsyncClient(transport=GuardedTransport(egress, "mcp"))``: list, gate, pinned addresses and
    bounds of the egress guard. Answers stream. Proxies and TLS settings of the client count for nothing.

    A redirect that the client follows is a new request here, judged like any. What may not go out raises
    ``EgressRefused``; other failures are those of httpx2.
    """

    def __init__(self, egress: Egress, tool: str, *, decide: Decide | None = None) -> None:
        """``egress`` is not closed with the transport."""
        self._egress = egress
        self._tool = tool
        self._decide = decide

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await _body(request)
        outbound = self._egress.list.judge(str(request.url), request.method, self._tool, len(body))
        stack = AsyncExitStack()
        opening = self._egress.open(outbound, request.headers.multi_items(), body or None, self._decide)
        try:
            answer = await stack.enter_async_context(opening)
        except UpstreamError as error:
            failure = httpx2.ReadTimeout if error.status == 504 else httpx2.ConnectError
            raise failure(str(error), request=request) from None
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer, stack), request=request
        )


class _Stream(httpx2.AsyncByteStream):
    """The rest of an answer; closing it closes the connection."""

    def __init__(self, answer: Answer, stack: AsyncExitStack) -> None:
        self._answer = answer
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.chunks():
                yield chunk
        except UpstreamError as error:
            raise httpx2.ReadError(str(error)) from None

    async def aclose(self) -> None:
        await self._stack.aclose()


async def _body(request: httpx2.Request) -> bytes:
    """Bounded before it is held. Raises EgressRefused."""
    body = bytearray()
    assert isinstance(request.stream, httpx2.AsyncByteStream)  # noqa: S101  an async client gave it
    async for chunk in request.stream:
        body += chunk
        if len(body) > _READ_AT_ONCE:
            raise EgressRefused(f"The request is larger than {_READ_AT_ONCE} bytes.")
    return bytes(body)
