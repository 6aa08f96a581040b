"""An identity provider on this machine that can misbehave, and the tokens that it (or a forger) makes."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from ringwall.boundaries.interface.principals import PrincipalsSection, Roles
from ringwall.boundaries.interface.sign_in.issuers import Issuers, trust
from ringwall.boundaries.interface.sign_in.key_cache import KeyCache
from ringwall.boundaries.interface.sign_in.settings import IssuerSettings


@dataclass
class Provider:
    """Serves a discovery document and a key set at ``url``, and signs tokens."""

    signer: rsa.RSAPrivateKey
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    """The published key set; None of the private keys."""
    mode: str = ""
    """How it misbehaves: ``huge``, ``redirect``, ``slow``, ``broken``, ``twice``, ``other_issuer``…"""
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        self.keys = [public(self.signer, "k1")]
        self.mode = ""
        self.asked.clear()
        self.gate.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.mode == "slow":
            while not self.gate.is_set():
                await asyncio.sleep(0.01)
        if self.mode == "broken":
            return web.Response(status=503)
        if request.path.endswith("openid-configuration"):
            issuer = "https://other.example" if self.mode == "other_issuer" else self.url
            where = "http://keys.example/jwks" if self.mode == "elsewhere" else f"{self.url}/jwks"
            return web.json_response({"issuer": issuer, "jwks_uri": where})
        if self.mode == "redirect":
            raise web.HTTPFound(f"{self.url}/moved")
        if self.mode == "huge":
            return web.Response(body=b'{"keys":[' + b" " * (1 << 20) + b"]}")
        if self.mode == "twice":
            return web.Response(text=f'{{"keys":[],"keys":{json.dumps(self.keys)}}}')
        return web.json_response({"keys": self.keys})

    def token(self, key: Any = None, *, headers: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A good access token (RFC 9068), but for what is said; a claim of None is left out."""
        now = int(time.time())
        whole = {
            "iss": self.url,
            "aud": "ringwall",
            "sub": "u-1",
            "client_id": "web",
            "iat": now,
            "exp": now + 300,
            "scope": "chat",
            "groups": ["support"],
            **claims,
        }
        whole = {name: value for name, value in whole.items() if value is not None}
        head = {"kid": "k1", "typ": "at+jwt", **(headers or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(whole, key or self.signer, algorithm=algorithm, headers=head)


def public(key: Any, kid: str = "", **more: Any) -> dict[str, Any]:
    """The public half as a JWK."""
    kind = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    form = next((form for cls, form in kind.items() if isinstance(key, cls)), OKPAlgorithm)
    jwk = form.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **({"kid": kid} if kid else {}), **more}


@pytest.fixture(scope="session")
def rsa_keys() -> list[rsa.RSAPrivateKey]:
    return [rsa.generate_private_key(65537, 2048) for _ in range(2)]


@pytest.fixture(scope="session")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def jwk() -> Callable[..., dict[str, Any]]:
    return public


@pytest.fixture(scope="session")
def _provider(rsa_keys: list[rsa.RSAPrivateKey]) -> Iterator[Provider]:
    provider = Provider(rsa_keys[0])
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_get("/{path:.*}", provider.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    loop.run_until_complete(begin())
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield provider
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def provider(_provider: Provider) -> Provider:
    _provider.reset()
    return _provider


ROLES = Roles(PrincipalsSection(roles={"customer": {}, "agent": {"inherits": "customer"}}))


@dataclass
class Desk:
    """The issuers of a workload, with a clock of the test's."""

    issuers: Issuers
    cache: KeyCache
    clock: list[float]


@pytest.fixture
def desk(provider: Provider, tmp_path: Path) -> Callable[..., Desk]:
    """``desk(preset="okta", …)``: one that takes the provider's tokens."""

    def make(secret: bytes = b"", **settings: Any) -> Desk:
        given = {"issuer": provider.url, "audience": ["ringwall"], "roles": {"support": "agent"}, **settings}
        clock = [0.0]
        cache = KeyCache(now=lambda: clock[0])
        one = trust(IssuerSettings.model_validate(given), tmp_path, secret)
        return Desk(Issuers([one], ROLES, cache, now=lambda: time.time() + clock[0]), cache, clock)

    return make
