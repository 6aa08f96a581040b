"""What the forward proxy writes to its client."""

import asyncio
from contextlib import suppress
from http import HTTPStatus

from .egress_answer import Answer
from .egress_head import Head
from .egress_headers import Headers, incoming

_FAREWELL = 1.0
"""Seconds for a client to take the last answer."""
_FAREWELL_READS = 64


class Reply:
    """An answer handed on: chunked for HTTP/1.1, until the end of the connection for 1.0."""

    def __init__(self, writer: asyncio.StreamWriter, head: Head, answer: Answer, idle_seconds: float) -> None:
        self._writer = writer
        self._answer = answer
        self._idle = idle_seconds
        self._bodiless = head.method == "HEAD" or answer.status in (204, 304)
        self._chunked = bool(head.minor) and not self._bodiless

    async def pass_on(self) -> None:
        """Raises UpstreamError when the answer breaks off or is too large, TimeoutError when the client takes
        nothing."""
        headers = incoming(self._answer.headers)
        if self._chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        self._writer.write(_head(self._answer.status, headers))
        if not self._bodiless:
            async for chunk in self._answer.chunks():
                await self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)
        await self._send(b"0\r\n\r\n" if self._chunked else b"")

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(self._idle):
            await self._writer.drain()


def _head(status: int, headers: Headers) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    """A refusal, in a form that the client gets to see: what it still sends is taken off the line first."""
    body = f"{sentence}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if status == 407:
        headers.append(("Proxy-Authenticate", 'Basic realm="ringwall"'))
    writer.write(_head(status, headers) + body)
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            for _ in range(_FAREWELL_READS):
                if not await reader.read(65_536):
                    break
