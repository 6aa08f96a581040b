"""Rules for single routes, ahead of any credential: what is refused by its outside alone.

They look at the request as it comes off the wire. A pattern on the body sees its bytes, before JSON escapes
are resolved: it is a coarse sieve in front of the controls, which see what was meant.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, Field

from ringwall.core import Settings
from ringwall.core.rate import Rate, RateField

_LONGEST_PATTERN = 500
_MEMORY = 8 << 20


def _pattern(written: str) -> str:
    try:
        compiled(written)
    except re2.error:
        raise ValueError(
            "this is no regular expression of RE2 (no look-around, no back-references)"
        ) from None
    return written


def compiled(pattern: str) -> Any:
    """Linear in the length of the text, whatever the pattern."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)


def _lower(written: str) -> str:
    return written.lower()


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~\-]{1,100}$"), AfterValidator(_lower)]
Pattern = Annotated[str, Field(min_length=1, max_length=_LONGEST_PATTERN), AfterValidator(_pattern)]


class HeaderRules(Settings):
    """What headers a request must, may and may not have. Patterns are found anywhere unless anchored."""

    required: tuple[HeaderName, ...] = ()
    """Headers that must be there."""
    forbidden: tuple[HeaderName, ...] = ()
    """Headers that must not be there."""
    match: dict[HeaderName, Pattern] = Field(default_factory=dict)
    """RE2 pattern that every value of the header must match, where it is there."""
    refuse: dict[HeaderName, Pattern] = Field(default_factory=dict)
    """RE2 pattern that no value of the header may match."""


class BodyRules(Settings):
    """What the raw body must and may not hold."""

    refuse: tuple[Pattern, ...] = ()
    """RE2 patterns of which none may match."""
    match: Pattern | None = None
    """RE2 pattern that must match."""


class RouteRule(Settings):
    """Rules for the requests to some paths. All rules whose path fits hold."""

    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]{0,200}$")]
    """Path, exactly; ``*`` stands for a step of it, ``**`` for any rest."""
    methods: tuple[Annotated[str, Field(pattern=r"^[A-Z]{1,20}$")], ...] = ()
    """The only methods taken; empty: any."""
    max_body: int | None = Field(default=None, ge=0, le=64 * 1_048_576)
    """Largest body, in bytes."""
    rate: RateField | None = None
    """Requests of one network address, such as ``100/min``. (IPv6: of its /64 network.)"""
    content_types: tuple[Annotated[str, AfterValidator(_lower)], ...] = ()
    """The only content types that a body may have, without parameters; empty: any."""
    headers: HeaderRules = HeaderRules()
    """Rules on headers."""
    body: BodyRules = BodyRules()
    """Rules on the raw body."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused; ``status`` is that of HTTP."""

    status: int
    code: str
    message: str


class Route:
    """One rule, made ready."""

    def __init__(self, rule: RouteRule, number: int) -> None:
        self.rule = rule
        self.name = f"route {number} {rule.path}"
        self._path = compiled(_as_regex(rule.path))
        self._match = {name: compiled(pattern) for name, pattern in rule.headers.match.items()}
        self._refuse = {name: compiled(pattern) for name, pattern in rule.headers.refuse.items()}
        self._body = [compiled(pattern) for pattern in rule.body.refuse]
        self._must = compiled(rule.body.match) if rule.body.match else None

    @property
    def reads_body(self) -> bool:
        return bool(self._body) or self._must is not None

    @property
    def rate(self) -> Rate | None:
        return self.rule.rate

    def fits(self, path: str) -> bool:
        return self._path.fullmatch(path) is not None

    def head(self, method: str, headers: dict[str, list[str]]) -> Refusal | None:
        """What is wrong with method and headers. Names of headers are in lower case."""
        rule = self.rule
        if rule.methods and method not in rule.methods:
            return Refusal(405, "method_not_allowed", f"Only {', '.join(rule.methods)} can be sent here.")
        if rule.content_types and _has_body(headers) and _kind(headers) not in rule.content_types:
            return Refusal(415, "unsupported_media_type", f"Send {' or '.join(rule.content_types)}.")
        if self._header(headers):
            return Refusal(400, "route_rule", "The headers of the request are not taken on this route.")
        declared = headers.get("content-length", ["0"])[0]
        if rule.max_body is not None and declared.isdecimal() and int(declared[:20]) > rule.max_body:
            return self.too_large()
        return None

    def too_large(self) -> Refusal:
        return Refusal(413, "body_too_large", f"The body is larger than {self.rule.max_body} bytes.")

    def _header(self, headers: dict[str, list[str]]) -> bool:
        rules = self.rule.headers
        return (
            any(name not in headers for name in rules.required)
            or any(name in headers for name in rules.forbidden)
            or any(not p.search(value) for name, p in self._match.items() for value in headers.get(name, ()))
            or any(p.search(value) for name, p in self._refuse.items() for value in headers.get(name, ()))
        )

    def content(self, body: bytes) -> Refusal | None:
        """What is wrong with the body."""
        missing = self._must is not None and not self._must.search(body)
        if missing or any(pattern.search(body) for pattern in self._body):
            return Refusal(403, "route_rule", "The body of the request is not taken on this route.")
        return None


def _as_regex(path: str) -> str:
    pieces = re.split(r"(\*\*|\*)", path)
    return "(?s)" + "".join({"**": ".*", "*": "[^/]*"}.get(piece) or re.escape(piece) for piece in pieces)


def _kind(headers: dict[str, list[str]]) -> str:
    values = headers.get("content-type", [])
    return values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""


def _has_body(headers: dict[str, list[str]]) -> bool:
    return headers.get("content-length", ["0"]) != ["0"] or "transfer-encoding" in headers
