"""A forward proxy over the egress list, for whole processes: ``HTTPS_PROXY=http://tool:secret@127.0.0.1:3128``.

1. The credential says which tool the process is. Without one nothing is judged.
2. A plain request (``GET http://…``; also ``GET https://…``, for which the proxy speaks TLS itself) is judged
   with method and path and goes through the guarded client.
3. A tunnel (``CONNECT host:port``) is judged by host and port. It carries TLS to exactly that name: the first
   message is read before anything is passed on, and its server name must be the host. Path, method and answer
   stay hidden, so a rule that narrows them opens no tunnel unless it says so.
4. Everything is bounded: connections, heads, bodies, idle and whole time. One request a connection.
"""

import asyncio
import base64
import binascii
import hmac
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from ringwall.core import UpstreamError

from .egress_client import Egress
from .egress_crossing import Decide
from .egress_head import BadHead, Head, read_head
from .egress_hello import NoHello, read_hello
from .egress_outbound import EgressRefused, Outbound
from .egress_reply import Reply, say
from .egress_tunnel import splice

log = logging.getLogger("ringwall")


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """Bounds of the proxy itself; those of requests and answers are the egress list's."""

    connections: int = 256
    """At the same time; more are turned away."""
    head_bytes: int = 16_384
    """Of the head of a request."""
    head_seconds: float = 10.0
    """For a head, for the first message in a tunnel, and for the body of a request."""
    idle_seconds: float = 120.0
    """Without a byte in either direction of a tunnel."""
    total_seconds: float = 3600.0
    """Of a connection."""
    tunnel_bytes: int = 1_000_000_000
    """In each direction of a tunnel, unless its rule says less."""


class EgressProxy:
    """Use as ``async with EgressProxy(egress, {"tool": secret}) as proxy: proxy.url("tool")``."""

    def __init__(
        self,
        egress: Egress,
        secrets: Mapping[str, str],
        *,
        decide: Decide | None = None,
        limits: ProxyLimits | None = None,
    ) -> None:
        """``secrets``: one for each tool, at least 16 characters. ``decide`` is asked for every request and
        tunnel. The ``egress`` is not closed."""
        if any(len(secret) < 16 or ":" in tool for tool, secret in secrets.items()):
            raise ValueError("a secret of the proxy has at least 16 characters, and a tool no colon")
        self._egress = egress
        self._secrets = dict(secrets)
        self._decide = decide
        self._limits = limits or ProxyLimits()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens; port 0 takes a free one. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=self._limits.head_bytes)

    @property
    def port(self) -> int:
        """Raises RuntimeError when it doesn't listen."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the proxy is not started")
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, tool: str, host: str = "127.0.0.1") -> str:
        """For ``HTTP_PROXY`` and ``HTTPS_PROXY`` of the tool's process. Holds its secret. Raises KeyError."""
        return f"http://{quote(tool, safe='')}:{quote(self._secrets[tool], safe='')}@{host}:{self.port}"

    async def close(self, seconds: float = 5.0) -> None:
        """Takes no more connections, lets those under way end for that long, then cuts them."""
        if self._server is not None:
            self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        self._server = None

    async def __aenter__(self) -> "EgressProxy":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close(0.1)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio starts one for each connection
        full = len(self._tasks) >= self._limits.connections
        self._tasks.add(task)
        try:
            if full:
                await say(reader, writer, 503, "The proxy serves as many connections as it may.")
            else:
                async with asyncio.timeout(self._limits.total_seconds):
                    await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client, or the other side, went away or took too long
        except asyncio.CancelledError:
            if not writer.is_closing():
                writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                head = await read_head(reader)
            if head is None:
                return
            tool = self._tool(head)
            if tool is None:
                await say(reader, writer, 407, "The proxy needs the credential of a tool.")
            elif head.method == "CONNECT":
                await self._tunnel(head, tool, reader, writer)
            else:
                await self._forward(head, tool, reader, writer)
        except BadHead as error:
            await say(reader, writer, error.status, str(error))
        except EgressRefused as error:
            await say(reader, writer, 403, str(error))
        except UpstreamError as error:
            await say(reader, writer, error.status, str(error))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # noqa: BLE001  what can't be decided stays in, whatever the reason
            log.error("a request to the forward proxy was not decided: %s", type(error).__name__)
            await say(reader, writer, 503, "The request could not be decided, so it was not sent.")

    def _tool(self, head: Head) -> str | None:
        """Whose credential it is. Compared in constant time, for tools that don't exist too."""
        scheme, _, encoded = head.get("proxy-authorization").partition(" ")
        try:
            plain = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        tool, _, secret = plain.partition(":")
        known = self._secrets.get(tool)
        same = hmac.compare_digest(secret.encode(), (known or "no such tool").encode())
        return tool if same and known is not None and scheme.casefold() == "basic" else None

    async def _forward(
        self, head: Head, tool: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not head.target.casefold().startswith(("http://", "https://")):
            raise BadHead(400, "This is a proxy: ask it for a whole address.")
        outbound = self._egress.list.judge(head.target, head.method, tool, head.length)
        body = b"" if outbound.problem else await self._body(head, reader, writer)
        async with self._egress.open(outbound, head.headers, body or None, self._decide) as answer:
            reply = Reply(writer, head, answer, self._limits.idle_seconds)
            try:
                await reply.pass_on()
            except UpstreamError:  # too late for a sentence: the client sees that the answer is cut short
                writer.transport.abort()

    async def _body(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Its length is judged already."""
        if head.get("expect").casefold() == "100-continue" and head.minor:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        async with asyncio.timeout(self._limits.head_seconds):
            return await reader.readexactly(head.length)

    async def _tunnel(
        self, head: Head, tool: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        outbound = self._egress.list.judge_tunnel(head.target, tool)
        inner, outer = await self._egress.tunnel(outbound, self._decide)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            async with asyncio.timeout(self._limits.head_seconds):
                hello = await read_hello(reader)
            if hello.hidden or hello.server_name.rstrip(".") != outbound.host.name:
                return
            outer.write(hello.raw)
            await splice((reader, writer), (inner, outer), self._limits.idle_seconds, *self._bytes(outbound))
        except NoHello:
            return
        finally:
            outer.close()
            with suppress(OSError):
                await outer.wait_closed()

    def _bytes(self, outbound: Outbound) -> tuple[int, int]:
        """Most bytes out and in."""
        rule, most = outbound.permitted(), self._limits.tunnel_bytes
        bounds = (rule.max_request_bytes, rule.max_bytes)
        out, back = (most if bound is None else min(bound, most) for bound in bounds)
        return out, back
