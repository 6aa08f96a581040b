"""Phrases to tool calls, for the extractive model: RE2 patterns, and arguments fitted to the tool's schema.

A configured intent names its tool and arguments. A built-in one names a part of a tool's name and what its
groups mean; which property of the offered manifest takes which group is found by the property's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from .settings import IntentSettings

_MAX_MESSAGE = 4000
_URL = r"https?://[^\s<>\"']{1,1000}"
_MAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool that a phrase asks for."""

    tool: str
    arguments: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    """Required arguments that the phrase does not give."""


@dataclass(frozen=True, slots=True)
class _Builtin:
    tools: tuple[str, ...]
    """Parts of tool names; the first that fits an offered tool is taken."""
    pattern: Any


_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "order": ("order", "id", "number"),
    "amount": ("amount", "sum", "total", "value"),
    "to": ("to", "recipient", "email", "address"),
    "subject": ("subject", "title", "about"),
    "body": ("body", "text", "message", "content"),
    "url": ("url", "uri", "link", "address", "page"),
    "reason": ("reason", "note", "comment"),
}
"""Group to what a property that takes it is called, best first."""


def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)


_ORDER = r"(?:order\s*)?(?:number|no\.?|#)?\s*#?(?P<order>(?:[A-Za-z]{1,4}-)?\d{3,12})\b"
_AMOUNT = r"(?:\$|€|£|eur|usd)?\s*(?P<amount>\d{1,7}(?:[.,]\d{1,2})?)\b"

_REFUND = ("refund",)
_SEND = ("mail", "message")
_FETCH = ("fetch", "page", "browse", "url")
_LOOKUP = ("lookup_order", "order_status", "get_order", "track", "order")

_BUILTIN = (
    _Builtin(
        _REFUND,
        _compiled(
            rf"(?i)\brefund\s+(?:of\s+)?{_AMOUNT}[^0-9]{{0,10}}\border\b[^0-9]{{0,10}}?"
            r"(?P<order>(?:[A-Za-z]{1,4}-)?\d{3,12})\b"
        ),
    ),
    _Builtin(_REFUND, _compiled(rf"(?i)\brefund\b[^0-9]{{0,40}}?{_ORDER}(?:[^0-9]{{0,20}}{_AMOUNT})?")),
    _Builtin(
        _SEND,
        _compiled(
            rf"(?is)\bsend\s+(?:an?\s+)?(?:e-?mail|message)\s+to\s+(?P<to>{_MAIL})"
            r"(?:\s+(?:about|saying|re:?)\s+(?P<subject>.{1,500}))?"
        ),
    ),
    _Builtin(
        _SEND,
        _compiled(
            rf"(?is)\b(?:e-?mail|send|write)\s+(?P<body>.{{1,900}}?)\s+to\s+(?P<to>{_MAIL})"
            r"(?:\s+(?:about|re:?)\s+(?P<subject>.{1,500}))?"
        ),
    ),
    _Builtin(
        _SEND,
        _compiled(
            rf"(?is)\b(?:e-?mail|write)\s+(?:to\s+)?(?P<to>{_MAIL})"
            r"(?:\s+(?:about|saying|re:?)\s+(?P<subject>.{1,500}))?"
        ),
    ),
    _Builtin(
        _FETCH,
        _compiled(
            r"(?is)\b(?:fetch|open|read|get|show|visit|summari[sz]e|load)\b.{0,80}?"
            rf"(?P<url>{_URL})"
        ),
    ),
    _Builtin(_LOOKUP, _compiled(r"(?i)\border\b[^0-9]{0,24}?#?(?P<order>(?:[A-Za-z]{1,4}-)?\d{3,12})\b")),
)


class Intents:
    """The table of one provider."""

    def __init__(self, configured: Sequence[IntentSettings] = (), *, builtin: bool = True) -> None:
        self._configured = [(intent, _compiled(intent.pattern)) for intent in configured]
        self._builtin = _BUILTIN if builtin else ()

    def find(self, message: str, tools: Iterable[Mapping[str, Any]]) -> Wanted | None:
        """The first intent that the message matches, for a tool that is offered."""
        offered = dict(_offered(tools))
        text = message[:_MAX_MESSAGE].encode("utf-8", "replace").decode()
        if not offered or not text:
            return None
        for intent, pattern in self._configured:
            if intent.tool in offered and (match := pattern.search(text)):
                groups = match.groupdict()
                given = {name: groups.get(group) for name, group in intent.arguments.items()}
                return _wanted(intent.tool, offered[intent.tool], given)
        for builtin in self._builtin:
            tool = _named(builtin.tools, offered)
            if tool and (match := builtin.pattern.search(text)):
                given = _fit(match.groupdict(), _properties(offered[tool]))
                return _wanted(tool, offered[tool], given)
        return None


def _offered(tools: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            parameters = function.get("parameters")
            yield function["name"], parameters if isinstance(parameters, Mapping) else {}


def _named(parts: tuple[str, ...], offered: Mapping[str, Any]) -> str:
    for part in parts:
        for name in sorted(offered, key=len):
            if part in name.lower():
                return name
    return ""


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {str(name): spec for name, spec in properties.items() if isinstance(spec, Mapping)}


def _fit(groups: Mapping[str, str | None], properties: Mapping[str, Any]) -> dict[str, str | None]:
    """Each group's value under the property that is called like it."""
    out: dict[str, str | None] = {}
    for group, value in groups.items():
        if not value:
            continue
        for word in _PROPERTIES[group]:
            taken = next((n for n in properties if n not in out and _called(n, word)), None)
            if taken:
                out[taken] = value.rstrip(".,;:!?)") if group == "url" else value.strip()
                break
    if "to" in groups:
        _fill_mail(out, properties, groups.get("subject") or groups.get("body"))
    return out


def _fill_mail(out: dict[str, str | None], properties: Mapping[str, Any], said: str | None) -> None:
    """An e-mail said in one phrase has a subject or a body: one stands in for the other."""
    for part in ("subject", "body"):
        name = next((n for n in properties if _called_any(n, part)), "")
        if name and said and not out.get(name):
            out[name] = said.strip()


def _called(name: str, word: str) -> bool:
    return word in name.lower().split("_") or name.lower() == word


def _called_any(name: str, group: str) -> bool:
    return any(_called(name, word) for word in _PROPERTIES[group])


def _wanted(tool: str, schema: Mapping[str, Any], given: Mapping[str, str | None]) -> Wanted:
    properties = _properties(schema)
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        if value:
            coerced = _coerced(value, properties.get(name, {}))
            if coerced is not None:
                arguments[name] = coerced
    required = schema.get("required")
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return Wanted(tool, arguments, tuple(name for name in names if name not in arguments))


def _coerced(value: str, spec: Mapping[str, Any]) -> Any:
    """The value as the schema's type; None when it is none."""
    kind = spec.get("type", "string")
    kinds = kind if isinstance(kind, list) else [kind]
    number = value.replace(",", ".")
    if "integer" in kinds and re2.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    if "number" in kinds and re2.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", number):
        return float(number)
    return value if "string" in kinds else None
