"""The egress list: which request of which tool may go where. Judges what is written; resolves nothing.

1. The URL is plain: printable, without backslashes, user part, or a host that two readers read in two ways.
2. A rule fits: scheme, host, port, method, path (segment by segment, as the most generous server decodes it)
   and tool.
3. The host is no private address by any spelling, unless the rule says so; metadata never.
4. The body of the request is within the rule's bound.
What is sent is written anew from what was judged, so that nobody reads it differently behind the list.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ringwall.core import RingwallError

from .addresses import Host, host_of, is_metadata
from .egress_settings import ANY, EgressRule

PORTS = {"https": 443, "http": 80}
MAX_URL = 8192
_SAFE = "/%:@!$&'()*+,;=~-._"
_UNREADABLE = re.compile("[\\x00-\\x20\\x7f\\\\\ud800-\udfff]")
_RUN = re.compile(r"[A-Za-z0-9_%+=-]{32,}")


class EgressRefused(RingwallError):
    """The egress list, or the address guard, does not let this request out."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """Bounds where a rule has none of its own."""

    bytes: int = 1_000_000
    """Of an answer."""
    seconds: float = 10.0
    """Of a whole answer; of an event stream until it begins."""
    request_bytes: int = 1_000_000
    """Of a request's body."""
    stream_bytes: int = 50_000_000
    """Of an event stream."""
    stream_seconds: float = 3600.0
    """Of an event stream."""

    def under(self, rule: EgressRule) -> "EgressLimits":
        """With the rule's own bounds."""
        return replace(
            self,
            bytes=rule.max_bytes or self.bytes,
            seconds=rule.timeout_s or self.seconds,
            request_bytes=self.request_bytes if rule.max_request_bytes is None else rule.max_request_bytes,
        )


@dataclass(frozen=True, slots=True)
class Outbound:
    """One request on its way out, as the list reads it."""

    tool: str
    method: str
    """``CONNECT`` for a tunnel."""
    scheme: str = ""
    host: Host = field(default_factory=Host)
    port: int = 0
    path: str = "/"
    query: str = field(default="", repr=False)
    body_bytes: int = 0
    rule: EgressRule | None = None
    problem: str = ""
    """Why it may not go out, as a sentence; empty when it may."""

    @property
    def name(self) -> str:
        """The host to contact: an ASCII name, or an address."""
        return self.host.name or (str(self.host.address) if self.host.address else "")

    @property
    def authority(self) -> str:
        host = f"[{self.name}]" if ":" in self.name else self.name
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Written anew, in the one form that everybody reads alike."""
        port = "" if self.port == PORTS.get(self.scheme) else f":{self.port}"
        host = f"[{self.name}]" if ":" in self.name else self.name
        target = quote(self.path, safe=_SAFE) + (
            "?" + quote(self.query, safe=_SAFE + "?") if self.query else ""
        )
        return f"{self.scheme}://{host}{port}{target}"

    def permitted(self) -> EgressRule:
        """The rule that lets it out. Raises EgressRefused when none does."""
        if self.problem or self.rule is None:
            raise EgressRefused(self.problem or _NOT_LISTED)
        return self.rule

    def facts(self) -> dict[str, Any]:
        """What a gate is told of it: sizes of path, query and body, never what they say."""
        return {
            "tool": self.tool,
            "method": self.method,
            "scheme": self.scheme,
            "host": self.name,
            "port": self.port,
            "path_chars": len(self.path),
            "query_chars": len(self.query),
            "opaque_chars": opaque(self.path + "?" + self.query),
            "label_chars": self._free_labels(),
            "body_bytes": self.body_bytes,
            "listed": self.rule is not None,
            "private": bool(self.rule and self.rule.private),
            "problem": self.problem,
        }

    def _free_labels(self) -> int:
        """Characters of the name that the list leaves to the caller: they reach a name server."""
        if self.rule is None or not self.rule.host.startswith("*."):
            return 0
        return len(self.name) - len(self.rule.known_host.name)


_NOT_LISTED = "The address is not on the egress list of this workload."


class EgressList:
    """Immutable. The first rule that fits counts."""

    def __init__(self, rules: Sequence[EgressRule], limits: EgressLimits | None = None) -> None:
        self.rules = tuple(rules)
        self._limits = limits or EgressLimits()

    def judge(self, url: str, method: str, tool: str, body_bytes: int = 0) -> Outbound:
        """Never raises: a refusal is in ``problem``."""
        given = Outbound(tool, method.upper()[:16], body_bytes=body_bytes)
        try:
            given = _read(given, url)
        except ValueError as error:
            return replace(given, problem=str(error))
        for rule in self.rules:
            if not misfits(rule, given):
                return self._fitting(replace(given, rule=rule))
        return replace(given, problem=_NOT_LISTED)

    def judge_tunnel(self, authority: str, tool: str) -> Outbound:
        """The same for ``CONNECT host:port``. What is inside can't be seen, so a rule that narrows path,
        methods or types lets no tunnel through unless it says ``tunnel: true``."""
        given = Outbound(tool, "CONNECT")
        if not re.fullmatch(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:/?#@\s]{1,253}):[0-9]{1,5}", authority):
            return replace(given, problem="A tunnel needs a host and a port.")
        try:
            given = _read(given, f"https://{authority}/")
        except ValueError as error:
            return replace(given, problem=str(error))
        narrowed = False
        for rule in self.rules:
            if {"method", "path"}.issuperset(misfits(rule, given)):
                if rule.tunnel or not rule.narrows:
                    return self._fitting(replace(given, rule=rule))
                narrowed = True
        if narrowed:
            return replace(given, problem="The egress list allows requests to this host, but no tunnel.")
        return replace(given, problem=_NOT_LISTED)

    def _fitting(self, given: Outbound) -> Outbound:
        assert given.rule is not None  # noqa: S101  the caller found it
        bound = self._limits.under(given.rule).request_bytes
        if given.body_bytes > bound:
            return replace(given, problem=f"The request is larger than {bound} bytes.")
        metadata = given.host.address is not None and is_metadata(given.host.address)
        if given.host.problem and (metadata or not given.rule.private):
            return replace(given, problem=f"The address can't be reached from here: {given.host.problem}.")
        return given


def host_matches(rule: EgressRule, name: str) -> bool:
    """Exact, or below a ``*.`` rule. The name is a normalised one (``Outbound.name``)."""
    known = rule.known_host
    wanted = known.name or str(known.address)
    if rule.host.startswith("*."):
        return bool(known.name) and name.endswith("." + wanted)
    return bool(name) and name == wanted


def misfits(rule: EgressRule, given: Outbound) -> list[str]:
    """Which keys of the rule don't fit the request: empty when it lets it out."""
    fits = {
        "schemes": given.scheme in rule.schemes,
        "host": host_matches(rule, given.name),
        "ports": given.port in (rule.ports or {PORTS.get(given.scheme)}),
        "method": given.method in rule.methods,
        "tools": not rule.tools or given.tool in rule.tools,
        "path": _under(rule, given.path),
    }
    return [key for key, fit in fits.items() if not fit]


def opaque(text: str) -> int:
    """Characters in long runs that are no words: where encoded data would be carried."""
    return sum(len(run) for run in _RUN.findall(text) if _wordless(run))


def _wordless(run: str) -> bool:
    """A fifth or more are digits, capitals or signs other than hyphens."""
    return 5 * sum(not (sign.islower() or sign == "-") for sign in run) >= len(run)


def _read(given: Outbound, url: str) -> Outbound:
    """Raises ValueError with the sentence of the refusal."""
    if len(url) > MAX_URL or _UNREADABLE.search(url):
        raise ValueError("The address can't be read.")
    try:
        split = urlsplit(url)
        port = PORTS.get(split.scheme, 0) if split.port is None else split.port
    except ValueError:
        raise ValueError("The address can't be read.") from None
    host = host_of(url)
    plain = split.hostname or ""
    if split.username is not None or split.password is not None or not _same_reading(plain, host):
        raise ValueError("The address can be read in more than one way.")
    return replace(
        given, scheme=split.scheme, host=host, port=port, path=split.path or "/", query=split.query
    )


def _same_reading(plain: str, host: Host) -> bool:
    """Whether a strict parser and the generous one see the same host."""
    if host.address is not None:
        try:
            return "%" not in plain and ipaddress.ip_address(plain) == host.address
        except ValueError:
            return False
    return bool(host.name) and plain.casefold().rstrip(".") == host.name


def _under(rule: EgressRule, path: str) -> bool:
    """Segment by segment. A segment that decodes to a separator or to a step up fits no rule."""
    segments = list(_segments(path))
    if any(segment is None for segment in segments):
        return False
    wanted = [part for part in rule.path.split("/")[1:]]
    if wanted[-1] == "" and not rule.exact:
        wanted.pop()
    if len(segments) < len(wanted) or (rule.exact and len(segments) != len(wanted)):
        return False
    return all(
        (part in (ANY, segment) and segment != "") or part == segment == ""
        for part, segment in zip(wanted, segments, strict=False)
    )


def _segments(path: str) -> Iterator[str | None]:
    """Decoded twice, as a proxy before a server may; None for one that would change the path."""
    for raw in path.split("/")[1:]:
        text = unquote(unquote(raw))
        step = text.partition(";")[0].strip()
        hidden = any(sign in text for sign in "/\\") or any(ord(sign) < 32 for sign in text)
        yield None if hidden or step in (".", "..") else text
