"""A real server (plain and TLS, with a CA of its own), and a name service that says what a test wants."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringwall.boundaries.application.egress import Egress, EgressLimits
from ringwall.boundaries.application.egress_settings import EgressRule

NAME = "shop.example"


class Names(AbstractResolver):
    """Every name stands for the next of the given addresses; the last one stays. Questions are counted."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        return None


@dataclass
class Web:
    """The server's two ports, and what it was sent."""

    http: int
    https: int
    seen: list[web.Request]


@dataclass(frozen=True)
class Trust:
    server: ssl.SSLContext
    client: ssl.SSLContext
    file: Path


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder = tmp_path_factory.mktemp("ca")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    ca = certificate(issuer, ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = ca.add_extension(usage, critical=True).sign(ca_key, hashes.SHA256())
    leaf = certificate(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)]), key.public_key())
    names = [x509.DNSName(NAME), x509.DNSName("*." + NAME)]
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    signed = leaf.add_extension(identifier, critical=False).sign(ca_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "server.pem").write_bytes(signed.public_bytes(pem) + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return Trust(server, ssl.create_default_context(cafile=folder / "ca.pem"), folder / "ca.pem")


async def _answer(request: web.Request) -> web.StreamResponse:  # noqa: C901, PLR0912  a table of pages
    match request.path:
        case "/ok":
            return web.Response(text="hello")
        case "/echo":
            return web.Response(body=await request.read(), content_type="application/json")
        case "/big":
            return web.Response(text="x" * 5000)
        case "/image":
            return web.Response(body=b"\x89PNG", content_type="image/png")
        case "/charset":
            kind = "text/plain; charset=" + request.query["c"]
            return web.Response(body="grün".encode("latin-1"), headers={"Content-Type": kind})
        case "/gzip":
            return web.Response(
                body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}, content_type="text/plain"
            )
        case "/to":
            return web.Response(status=302, headers={request.query.get("h", "Location"): request.query["u"]})
        case "/events":
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            for number in range(3):
                await stream.write(b"data: %d\n\n" % number)
            return stream
        case "/endless":
            stream = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await stream.prepare(request)
            for _ in range(10_000):
                await stream.write(b"x" * 1000)
            return stream
        case "/broken":
            broken = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "100"})
            await broken.prepare(request)
            await broken.write(b"half")
            assert request.transport is not None
            request.transport.close()
            return broken
        case "/slow":
            await asyncio.sleep(30)
        case "/none":
            return web.Response(status=204)
    raise web.HTTPNotFound


@pytest.fixture
async def site(trust: Trust) -> AsyncIterator[Web]:
    seen: list[web.Request] = []

    async def page(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await _answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust.server).start()
    yield Web(runner.addresses[0][1], runner.addresses[1][1], seen)
    await runner.cleanup()


Build = Callable[..., Egress]


@pytest.fixture
async def build(site: Web, trust: Trust) -> AsyncIterator[Build]:
    """An Egress with one rule for the test server, changed by keywords."""
    made: list[Egress] = []

    def egress(
        *more: EgressRule,
        names: AbstractResolver | None = None,
        limits: EgressLimits | None = None,
        **given: Any,
    ) -> Egress:
        rule = {
            "host": NAME,
            "schemes": ["http", "https"],
            "ports": [site.http, site.https],
            "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            "private": True,
            **given,
        }
        resolver = names or Names("127.0.0.1")
        made.append(
            Egress(
                [EgressRule.model_validate(rule), *more], resolver=resolver, tls=trust.client, limits=limits
            )
        )
        return made[-1]

    yield egress
    for one in made:
        await one.close()
