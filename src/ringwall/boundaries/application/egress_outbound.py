"""One request on its way out: what the egress list says of it, and the bounds that it goes under."""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from ringwall.core import RingwallError

from .addresses import Host
from .egress_settings import EgressRule

PORTS = {"https": 443, "http": 80}
_SAFE = "/%:@!$&'()*+,;=~-._"
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
        query = "?" + quote(self.query, safe=_SAFE + "?") if self.query else ""
        return f"{self.scheme}://{host}{port}{quote(self.path, safe=_SAFE)}{query}"

    def permitted(self) -> EgressRule:
        """The rule that lets it out. Raises EgressRefused when none does."""
        if self.problem or self.rule is None:
            raise EgressRefused(self.problem or NOT_LISTED)
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


NOT_LISTED = "The address is not on the egress list of this workload."


def opaque(text: str) -> int:
    """Characters in long runs that are no words: where encoded data would be carried."""
    return sum(len(run) for run in _RUN.findall(text) if _wordless(run))


def _wordless(run: str) -> bool:
    """A fifth or more are digits, capitals or signs other than hyphens."""
    return 5 * sum(not (sign.islower() or sign == "-") for sign in run) >= len(run)
