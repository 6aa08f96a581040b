"""The client through which everything that the gateway runs reaches the network.

1. The egress list judges the request as it is written (``egress_list``).
2. The application's gate decides, and the decision is on the ledger, before a name is looked up.
3. The name is resolved once, every address that comes back is checked, and the connection goes to those
   (``egress_resolve``). TLS verifies the name.
4. Redirects are followed on the same host only, each judged and decided like a new request.
5. Size, type and time are bounded. Compressed answers are not asked for and not read, so the bound is on
   what the answer says.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from ringwall.core import UpstreamError

from .addresses import host_of
from .chain_token import CURRENT, HEADER
from .egress_answer import REDIRECTS, Answer, Fetched, check_head, read_text
from .egress_crossing import Decide
from .egress_headers import Headers, outgoing
from .egress_list import EgressList
from .egress_outbound import EgressLimits, EgressRefused, Outbound
from .egress_resolve import GuardedResolver, NotThere, dial
from .egress_settings import EgressRule

_MAXREDIRECTS = 3
_CONNECTIONS = 256
"""For each rule at the same time; event streams keep theirs."""


class Egress:
    """Shared by the tools of a workload. Call ``close`` at the end."""

    def __init__(
        self,
        rules: Sequence[EgressRule],
        *,
        limits: EgressLimits | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``resolver`` replaces the system's; what it answers is checked all the same. ``tls`` replaces the
        system's trust store."""
        self._limits = limits or EgressLimits()
        self.list = EgressList(rules, self._limits)
        self._resolver = resolver
        self._tls = tls
        self._sessions: dict[EgressRule, aiohttp.ClientSession] = {}

    def rule_for(self, url: str, method: str, tool: str) -> EgressRule:
        """The rule that lets the request out. Raises EgressRefused when none does."""
        return self.list.judge(url, method, tool).permitted()

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        tool: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        decide: Decide | None = None,
    ) -> Fetched:
        """Raises EgressRefused when it may not go out, UpstreamError when the other side fails."""
        method = method.upper()
        origin = first = self.list.judge(url, method, tool, len(body or b""))
        for _ in range(_MAXREDIRECTS + 1):
            sent = outgoing((headers or {}).items(), own=_origin(origin) == _origin(first))
            async with self.open(origin, sent, body, decide) as answer:
                if answer.status not in REDIRECTS or not answer.location:
                    return await read_text(answer, origin.url)
            url = _joined(origin.url, answer.location)
            if host_of(url) != first.host:
                raise EgressRefused("The page leads to another host.")
            if answer.status in (301, 302, 303) and method != "HEAD":
                method, body = "GET", None
            origin = self.list.judge(url, method, tool, len(body or b""))
        raise UpstreamError("The page leads in circles.")

    @asynccontextmanager
    async def open(
        self,
        outbound: Outbound,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        decide: Decide | None = None,
    ) -> AsyncIterator[Answer]:
        """One request, without following redirects; its body may be read while the context is open. The
        errors are those of ``fetch``."""
        rule = await self.admit(outbound, decide)
        limits = self._limits.under(rule)
        sent = [*outgoing(headers), *_chain(rule), ("Accept-Encoding", "identity")]
        try:
            async with asyncio.timeout(limits.seconds):
                answer = await self._session(rule).request(
                    outbound.method,
                    URL(outbound.url, encoded=True),
                    headers=sent,
                    data=body,
                    allow_redirects=False,
                )
        except TimeoutError:
            raise UpstreamError("The page did not answer in time.", 504) from None
        except aiohttp.ClientError as error:
            raise await self._failed(error, outbound, decide) from None
        try:
            check_head(answer, rule, limits)
            yield Answer(answer, limits)
        finally:
            answer.close()

    async def tunnel(
        self, outbound: Outbound, decide: Decide | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection for a tunnel that ``EgressList.judge_tunnel`` has judged. The errors are those of
        ``fetch``."""
        rule = await self.admit(outbound, decide)
        try:
            async with asyncio.timeout(self._limits.under(rule).seconds):
                return await dial(outbound, self._resolver)
        except TimeoutError:
            raise UpstreamError("The host did not answer in time.", 504) from None
        except EgressRefused as error:
            await _spoiled(outbound, str(error), decide)
            raise
        except OSError:
            raise UpstreamError("The host could not be reached.") from None

    async def admit(self, outbound: Outbound, decide: Decide | None) -> EgressRule:
        """The rule that lets it out, after the gate's decision. What the list refuses is decided as well, so
        that it is on the record; it stays in whatever the gate says."""
        if decide is not None:
            await decide(outbound)
        return outbound.permitted()

    def bound(self, tool: str, decide: Decide | None = None) -> "ToolEgress":
        """The client as one tool holds it."""
        return ToolEgress(self, tool, decide)

    async def close(self) -> None:
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def _failed(
        self, error: aiohttp.ClientError, outbound: Outbound, decide: Decide | None
    ) -> Exception:
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotThere):
            await _spoiled(outbound, str(error.os_error), decide)
            return EgressRefused(str(error.os_error))
        return UpstreamError("The page could not be reached.")

    def _session(self, rule: EgressRule) -> aiohttp.ClientSession:
        """One for each rule: a connection that one rule opened never serves another."""
        if rule not in self._sessions:
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(rule, self._resolver),
                use_dns_cache=False,
                limit=_CONNECTIONS,
                ssl=self._tls or True,
            )
            self._sessions[rule] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "ringwall"},
            )
        return self._sessions[rule]


class ToolEgress:
    """The guarded client in the hands of one tool: it can't speak in another one's name."""

    def __init__(self, egress: Egress, tool: str, decide: Decide | None) -> None:
        self._egress = egress
        self._tool = tool
        self._decide = decide

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        tool: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """As ``Egress.fetch``."""
        if tool not in ("", self._tool):
            raise EgressRefused("A tool can't send in the name of another one.")
        return await self._egress.fetch(
            url, method=method, tool=self._tool, headers=headers, body=body, decide=self._decide
        )


async def _spoiled(outbound: Outbound, problem: str, decide: Decide | None) -> None:
    """Put on the record that a permitted name stood for a forbidden address."""
    if decide is not None:
        await decide(replace(outbound, problem=problem))


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:
        raise EgressRefused("The page leads to an address that can't be read.") from None


def _origin(outbound: Outbound) -> tuple[str, str, int]:
    return outbound.scheme, outbound.name, outbound.port


def _chain(rule: EgressRule) -> Headers:
    """Other agents are told on whose chain they are asked."""
    token = CURRENT.get() if rule.agents else ""
    return [(HEADER, token)] if token else []
