"""The one way by which tools that the gateway runs reach the network.

1. The URL must match a rule of the egress list: scheme, host, port, method, path, tool.
2. The host is read as the most generous client would; addresses that are private by any spelling are refused.
3. The name is resolved once, every address that comes back is checked, and the connection goes to those.
4. Redirects are followed on the same host only, each judged like a new request.
5. Size, type and time are bounded; compressed answers are not asked for and not read.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ringwall.core import RingwallError, UpstreamError

from .addresses import Host, host_of, is_metadata, refused
from .chain_token import CURRENT, HEADER
from .settings import EgressRule

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 3
_TYPES = ("text/", "application/json", "application/xml", "application/xhtml+xml", "application/problem+json")
_PORTS = {"https": 443, "http": 80}


class EgressRefused(RingwallError):
    """The egress list, or the address guard, does not let this request out."""


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    content_type: str
    text: str
    url: str
    """After redirects."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    bytes: int = 1_000_000
    seconds: float = 10.0


class Egress:
    """Shared by the tools of a workload. Call ``close`` at the end."""

    def __init__(
        self,
        rules: Sequence[EgressRule],
        *,
        limits: EgressLimits | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """``resolver`` replaces the system's; what it answers is checked all the same."""
        self._rules = tuple(rules)
        self._limits = limits or EgressLimits()
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        tool: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """Raises EgressRefused when it may not go out, UpstreamError when the other side fails."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(url, method.upper(), tool, headers or {}, body)
        except TimeoutError:
            raise UpstreamError("The page did not answer in time.", 504) from None
        except aiohttp.ClientError as error:
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _Guarded):
                raise EgressRefused(str(error.os_error)) from None
            raise UpstreamError("The page could not be reached.") from error

    def rule_for(self, url: str, method: str, tool: str) -> EgressRule:
        """The rule that lets the request out. Raises EgressRefused when none does."""
        try:
            split = urlsplit(url)
            port = split.port or _PORTS.get(split.scheme, 0)
        except ValueError:
            raise EgressRefused("The address can't be read.") from None
        host = host_of(url)
        plain = split.hostname or ""
        if split.username is not None or split.password is not None or not _same_reading(plain, host):
            raise EgressRefused("The address can be read in more than one way.")
        for rule in self._rules:
            if _matches(rule, split, host, port, method, tool):
                if host.problem and not _allowed_private(rule, host):
                    raise EgressRefused(f"The address can't be reached from here: {host.problem}.")
                return rule
        raise EgressRefused("The address is not on the egress list of this workload.")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(
        self, url: str, method: str, tool: str, headers: Mapping[str, str], body: bytes | None
    ) -> Fetched:
        origin = host_of(url)
        for _ in range(_MAX_REDIRECTS + 1):
            rule = self.rule_for(url, method, tool)
            session = self._opened()
            sent = {"Accept-Encoding": "identity", **headers, **_chain_header(rule)}
            async with session.request(method, url, headers=sent, data=body, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                    return await self._read(answer, url)
                url = urljoin(url, answer.headers["Location"])
            if host_of(url) != origin:
                raise EgressRefused("The page leads to another host.")
            if answer.status in (301, 302, 303) and method != "HEAD":
                method, body = "GET", None
        raise UpstreamError("The page leads in circles.")

    async def _read(self, answer: aiohttp.ClientResponse, url: str) -> Fetched:
        if answer.headers.get("Content-Encoding", "identity").casefold() != "identity":
            raise UpstreamError("The page came compressed, which was not asked for.")
        if not answer.content_type.startswith(_TYPES):
            raise UpstreamError("The page is not text.")
        body = bytearray()
        async for chunk in answer.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._limits.bytes:
                raise UpstreamError(f"The page is larger than {self._limits.bytes} bytes.")
        try:
            text = body.decode(answer.charset or "utf-8", "replace")
        except LookupError:
            text = body.decode("utf-8", "replace")
        return Fetched(answer.status, answer.content_type, text, url)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            private = tuple(rule.host for rule in self._rules if rule.private)
            guard = _GuardedResolver(self._resolver or aiohttp.ThreadedResolver(), private)
            connector = aiohttp.TCPConnector(resolver=guard, use_dns_cache=False, force_close=True, limit=32)
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "ringwall"},
            )
        return self._session


def _chain_header(rule: EgressRule) -> dict[str, str]:
    """Other agents are told on whose chain they are asked."""
    chain = CURRENT.get() if rule.agents else ""
    return {HEADER: chain} if chain else {}


class _Guarded(OSError):
    """An answer of the name service that must not be connected to."""


class _GuardedResolver(AbstractResolver):
    def __init__(self, inner: AbstractResolver, private: Sequence[str]) -> None:
        self._inner = inner
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await self._inner.resolve(host, port, family)
        inside = any(host_matches(rule, host_of(host).name) for rule in self._private)
        for answer in answers:
            address = ipaddress.ip_address(answer["host"].partition("%")[0])
            why = refused(address)
            if why and (not inside or is_metadata(address)):
                raise _Guarded(f"The name stands for {why}.")
        return answers

    async def close(self) -> None:
        await self._inner.close()


def host_matches(rule: str, name: str) -> bool:
    """Exact, or below a ``*.`` rule."""
    wanted = rule.casefold().rstrip(".")
    if wanted.startswith("*."):
        return name.endswith(wanted[1:]) and name != wanted[2:]
    return bool(name) and name == wanted


def _matches(rule: EgressRule, split: SplitResult, host: Host, port: int, method: str, tool: str) -> bool:
    ports: frozenset[Any] = rule.ports or frozenset({_PORTS.get(split.scheme)})
    name = host.name or (str(host.address) if host.address else "")
    return (
        split.scheme in rule.schemes
        and host_matches(rule.host, name)
        and port in ports
        and method in rule.methods
        and (not rule.tools or tool in rule.tools)
        and _under(rule.path, split.path or "/")
    )


def _under(prefix: str, path: str) -> bool:
    plain = unquote(unquote(path)).replace("\\", "/")
    if any(step in (".", "..") for step in plain.split("/")):
        return prefix == "/" and ".." not in plain.split("/")
    return plain == prefix or plain.startswith(prefix.rstrip("/") + "/")


def _allowed_private(rule: EgressRule, host: Host) -> bool:
    return rule.private and not (host.address is not None and is_metadata(host.address))


def _same_reading(plain: str, host: Host) -> bool:
    """Whether a strict parser and the generous one see the same host."""
    if host.address is not None:
        try:
            return ipaddress.ip_address(plain.partition("%")[0]) == host.address
        except ValueError:
            return False
    return bool(host.name) and plain.casefold().rstrip(".") == host.name
