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
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from .addresses import Host, host_of, is_metadata
from .egress_outbound import NOT_LISTED, PORTS, EgressLimits, Outbound
from .egress_settings import ANY, EgressRule

MAX_URL = 8192
_DECODINGS = 4
_UNREADABLE = re.compile("[\\x00-\\x20\\x7f\\\\\ud800-\udfff]")


class EgressList:
    """Immutable. The first rule that fits counts."""

    def __init__(self, rules: Sequence[EgressRule], limits: EgressLimits | None = None) -> None:
        self.rules = tuple(rules)
        self._hosts = [(*_host(rule), rule) for rule in rules]
        self._limits = limits or EgressLimits()

    def judge(self, url: str, method: str, tool: str, body_bytes: int = 0) -> Outbound:
        """Never raises: a refusal is in ``problem``."""
        given = Outbound(tool, method.upper()[:16], body_bytes=body_bytes)
        try:
            given = _read(given, url)
        except ValueError as error:
            return replace(given, problem=str(error))
        for rule in self._at(given.name):
            if fits(rule, given):
                return self._fitting(replace(given, rule=rule))
        return replace(given, problem=NOT_LISTED)

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
        for rule in self._at(given.name):
            if {"method", "path"}.issuperset(misfits(rule, given)):
                if rule.tunnel or not rule.narrows:
                    return self._fitting(replace(given, rule=rule))
                narrowed = True
        if narrowed:
            return replace(given, problem="The egress list allows requests to this host, but no tunnel.")
        return replace(given, problem=NOT_LISTED)

    def _at(self, name: str) -> Iterator[EgressRule]:
        """The rules for this host, in their order."""
        for wanted, below, rule in self._hosts:
            if name == wanted or (below and name.endswith(wanted)):
                yield rule

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
    wanted, below = _host(rule)
    return name == wanted or (below and name.endswith(wanted))


def _host(rule: EgressRule) -> tuple[str, bool]:
    """What a name must be or, with a dot before it, end in. No name is empty or begins with a dot."""
    known = rule.known_host
    below = rule.host.startswith("*.")
    return ("." if below else "") + (known.name or str(known.address)), below


def fits(rule: EgressRule, given: Outbound) -> bool:
    """Whether the rule lets the request out. Stops at the first key that doesn't fit: mostly the host."""
    return all(fit(rule, given) for fit in _KEYS.values())


def misfits(rule: EgressRule, given: Outbound) -> list[str]:
    """Which keys of the rule don't fit the request: empty when it lets it out."""
    return [key for key, fit in _KEYS.items() if not fit(rule, given)]


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
    if None in segments:
        return False
    wanted = rule.path.split("/")[1:]
    if not rule.exact and wanted[-1] == "":
        wanted.pop()
    if len(segments) < len(wanted) or (rule.exact and len(segments) != len(wanted)):
        return False
    pairs = zip(wanted, segments, strict=False)
    return all(part == segment or (part == ANY and segment) for part, segment in pairs)


def _segments(path: str) -> Iterator[str | None]:
    """Decoded as often as it takes, as proxies before a server may; None for one that would change the path,
    also where a server folds what looks like a dot, or takes bytes that are no UTF-8."""
    for raw in path.split("/")[1:]:
        text = _decoded(raw)
        if text is None:
            yield None
            continue
        folded = unicodedata.normalize("NFKC", text)
        step = folded.partition(";")[0].strip()
        hidden = any(sign in "/\\\ufffd" or ord(sign) < 32 for sign in folded)
        yield None if hidden or step in (".", "..") else text


def _decoded(raw: str) -> str | None:
    """None for what is escaped more often than anybody does."""
    for _ in range(_DECODINGS):
        text = unquote(raw)
        if text == raw:
            return text
        raw = text
    return None


_KEYS: Mapping[str, Callable[[EgressRule, Outbound], bool]] = {
    "host": lambda rule, given: host_matches(rule, given.name),
    "schemes": lambda rule, given: given.scheme in rule.schemes,
    "ports": lambda rule, given: given.port in (rule.ports or {PORTS.get(given.scheme)}),
    "method": lambda rule, given: given.method in rule.methods,
    "tools": lambda rule, given: not rule.tools or given.tool in rule.tools,
    "path": lambda rule, given: _under(rule, given.path),
}
