"""A real name service that gives another answer the second time: the client goes where it looked."""

import asyncio
import base64
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from dnslib import AAAA, QTYPE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from ringwall.boundaries.application.egress import Egress, EgressRefused
from ringwall.boundaries.application.egress_httpx import GuardedTransport
from ringwall.boundaries.application.egress_proxy import EgressProxy
from ringwall.boundaries.application.egress_settings import EgressRule

from .conftest import NAME, Web

PUBLIC = "93.184.215.14"
SECRET = "a-secret-of-the-shop-tool"


class Rebinder(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Each question gets the next answer, which may be several addresses; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, ...]] = []
        self.asked = 0
        self._lock = threading.Lock()

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        with self._lock:
            self.asked += 1
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        reply = request.reply()
        for text in answer:
            six = ":" in text
            data = AAAA(ipaddress.IPv6Address(text).exploded) if six else A(text)
            reply.add_answer(RR(request.q.qname, QTYPE.AAAA if six else QTYPE.A, rdata=data, ttl=0))
        return reply


class Asking(AbstractResolver):
    """Asks the name service over UDP, without any cache."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        question = DNSRecord.question(host)
        raw = await asyncio.to_thread(question.send, "127.0.0.1", self._port, timeout=5)
        return [
            ResolveResult(
                hostname=host,
                host=str(ipaddress.ip_address(str(record.rdata))),
                port=port,
                family=socket.AF_INET6 if ":" in str(record.rdata) else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for record in DNSRecord.parse(raw).rr
        ]

    async def close(self) -> None:
        return None


@pytest.fixture(scope="module")
def name_server() -> Iterator[tuple[Rebinder, int]]:
    zone = Rebinder()
    server = DNSServer(zone, address="127.0.0.1", port=0, logger=DNSLogger("-request,-reply,-truncated"))
    server.start_thread()
    yield zone, server.server.server_address[1]
    server.stop()
    server.server.server_close()


@pytest.fixture
def rebinder(name_server: tuple[Rebinder, int]) -> tuple[Rebinder, int]:
    name_server[0].asked = 0
    return name_server


@pytest.fixture
async def connected(site: Web) -> AsyncIterator[list[str]]:
    """Where connections went. The public address leads to the test's own server, so that a request to it
    can succeed; nothing leaves the machine."""
    loop = asyncio.get_running_loop()
    real = loop.sock_connect
    seen: list[str] = []

    async def connect(sock: socket.socket, address: Any) -> None:
        seen.append(address[0])
        await real(sock, ("127.0.0.1", address[1]) if address[0] == PUBLIC else address)

    loop.sock_connect = connect  # type: ignore[method-assign]
    yield seen
    loop.sock_connect = real  # type: ignore[method-assign]


@pytest.fixture
async def egress(rebinder: tuple[Rebinder, int], site: Web) -> AsyncIterator[Egress]:
    rule = {"host": NAME, "schemes": ["http", "https"], "ports": [site.http, site.https], "tunnel": True}
    guard = Egress([EgressRule.model_validate(rule)], resolver=Asking(rebinder[1]))
    yield guard
    await guard.close()


async def test_the_client_goes_where_it_looked(
    egress: Egress, rebinder: tuple[Rebinder, int], connected: list[str], site: Web
) -> None:
    zone, _ = rebinder
    zone.answers = [(PUBLIC,), ("127.0.0.1",)]
    assert (await egress.fetch(f"http://{NAME}:{site.http}/ok")).text == "hello"
    assert (zone.asked, connected) == (1, [PUBLIC]), "asked once, and connected to that answer"
    await egress.close()  # a new connection asks anew
    with pytest.raises(EgressRefused, match="loopback"):
        await egress.fetch(f"http://{NAME}:{site.http}/ok")
    assert connected == [PUBLIC]


async def test_the_transport_goes_where_it_looked(
    egress: Egress, rebinder: tuple[Rebinder, int], connected: list[str], site: Web
) -> None:
    zone, _ = rebinder
    zone.answers = [(PUBLIC,), ("169.254.169.254",)]
    async with httpx2.AsyncClient(transport=GuardedTransport(egress, "mcp")) as client:
        assert (await client.get(f"http://{NAME}:{site.http}/ok")).text == "hello"
        await egress.close()
        with pytest.raises(EgressRefused, match="metadata"):
            await client.get(f"http://{NAME}:{site.http}/ok")
    assert connected == [PUBLIC]


@pytest.mark.parametrize("what", ["GET http://{name}:{http}/ok", "CONNECT {name}:{https}"])
async def test_the_proxy_goes_where_it_looked(
    what: str, egress: Egress, rebinder: tuple[Rebinder, int], connected: list[str], site: Web
) -> None:
    zone, _ = rebinder
    zone.answers = [(PUBLIC,), ("127.0.0.1",)]
    line = what.format(name=NAME, http=site.http, https=site.https)
    credential = base64.b64encode(f"shop:{SECRET}".encode()).decode()
    raw = f"{line} HTTP/1.1\r\nProxy-Authorization: Basic {credential}\r\n\r\n".encode()
    async with EgressProxy(egress, {"shop": SECRET}) as proxy:
        for status in (b" 200 ", b" 403 "):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(raw)
            assert status in await reader.readuntil(b"\r\n")
            writer.close()
            await egress.close()
    assert zone.asked == 2
    assert [address for address in connected if address != "127.0.0.1"] == [PUBLIC]


@pytest.mark.parametrize(
    "answers",
    [
        (PUBLIC, "127.0.0.1"),
        ("127.0.0.1", PUBLIC),
        (PUBLIC, "::1"),
        (PUBLIC, "::ffff:10.0.0.1"),
        (PUBLIC, "fd00:ec2::254"),
        (PUBLIC, "64:ff9b::a9fe:a9fe"),
        (PUBLIC, "2002:7f00:1::"),
        ("0.0.0.0",),
        ("100.64.0.1",),
    ],
)
async def test_one_private_address_spoils_an_answer(
    answers: tuple[str, ...], egress: Egress, rebinder: tuple[Rebinder, int], connected: list[str], site: Web
) -> None:
    rebinder[0].answers = [answers]
    with pytest.raises(EgressRefused, match="stands for"):
        await egress.fetch(f"http://{NAME}:{site.http}/ok")
    assert connected == []
