"""Sizes and shapes beyond which a request is refused before anything dear looks at it."""

import re

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Services,
    Settings,
    Verdict,
    verdict,
)

from .settings import InterfaceSection, LimitSettings

ID = "interface.limits"
DECLARATION = Declaration(
    id=ID,
    boundary=Boundary.INTERFACE,
    summary="Stops requests of a size or shape that serves only to exhaust or to hide.",
    crossings=frozenset({CrossingKind.REQUEST}),
    parts=frozenset(),
    threats=("LLM04@2023", "LLM01@2023", "LLM10@2025", "LLM01@2025"),
    csf=("PR.IR-04", "PR.PS-01"),
    inline=True,
)


class LimitOverrides(Settings):
    """What differs from ``interface.limits`` for one application. (Bytes, headers and nesting are
    checked by the listener, ahead of any application.)"""

    messages: int | None = None
    """Most messages of one request."""
    parts: int | None = None
    """Most parts of one request."""
    depth: int | None = None
    """Deepest nesting of the JSON body."""
    text_chars: int | None = None
    """Characters of all texts of one request together."""


class LimitsControl:
    """Counts what crosses. ``context["messages"]`` and ``context["depth"]`` are the gateway's own counts."""

    declaration = DECLARATION

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits

    def inspect(self, crossing: Crossing) -> Verdict:
        limits = self._limits
        counts = (
            ("messages", _count(crossing, "messages", _messages(crossing)), limits.messages, "messages"),
            ("parts", len(crossing.parts), limits.parts, "parts"),
            ("text", sum(len(part.text) for part in crossing.parts), limits.text_chars, "characters of text"),
            ("depth", _count(crossing, "depth", 0), limits.depth, "levels of nesting"),
        )
        over = [
            Finding(ID, rule, f"{count} {what}; at most {most} are served.", cls="limit")
            for rule, count, most, what in counts
            if count > most
        ]
        if not over:
            return ALLOW
        return verdict(Action.BLOCK, "The request is too large: " + " ".join(f.message for f in over), over)


def _messages(crossing: Crossing) -> int:
    """Parts that come from a message. Several parts of one message count each: never too few."""
    return sum(1 for part in crossing.parts if part.role)


def _count(crossing: Crossing, name: str, otherwise: int) -> int:
    value = crossing.context.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _build(settings: LimitOverrides, services: Services) -> LimitsControl:
    base = services.get(InterfaceSection).limits
    changes = {name: value for name, value in settings.model_dump().items() if value is not None}
    return LimitsControl(base.model_copy(update=changes))


CONTROL = ControlFactory(ID, LimitOverrides, _build)

# The closing quote is optional: a string without one runs to the end, and is not searched for from every
# quote inside it, which would take quadratic time.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_SQUARE = bytes(byte for byte in range(256) if byte not in b"[]{}")


def json_depth(body: bytes, limit: int = 200) -> int:
    """How deep a JSON text nests, found without parsing it: 0 for a scalar, ``limit + 1`` for anything
    deeper than ``limit``.

    For a text in UTF-8 that is no valid JSON, at least the depth that a parser reaches before it notices.
    Takes time linear in the length (times ``limit``), never recursion: strings are cut out, all but the
    brackets is dropped, and then every pass takes away the innermost pairs, which are one level.
    """
    brackets = _STRING.sub(b"", body).translate(_TO_SQUARE, _NOT_SQUARE)
    depth = 0
    while b"[]" in brackets:
        if depth >= limit:
            return limit + 1
        brackets = brackets.replace(b"[]", b"")
        depth += 1
    return min(depth + brackets.count(b"["), limit + 1)
