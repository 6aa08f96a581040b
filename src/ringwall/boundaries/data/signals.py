"""What a document or passage shows to the detection engine: instructions to a model, credentials."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ringwall.detect.engine import Engine
from ringwall.detect.normalise import views
from ringwall.detect.rules import builtin

INSTRUCTION = frozenset({"injection", "jailbreak"})


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing seen in a text, at characters ``start`` to ``end`` of it."""

    rule: str
    cls: str
    message: str
    start: int
    end: int
    score: float
    view: str = ""


Scanner = Callable[[str], list[Signal]]


@cache
def _engine() -> Engine:
    wanted = {*INSTRUCTION, "secret"}
    return Engine([rule for rule in builtin() if rule.cls.split(".")[0] in wanted])


def scan(text: str) -> list[Signal]:
    """Injected instructions and secrets, in the text and in its decoded readings. Linear in its length."""
    found: dict[tuple[str, int, int], Signal] = {}
    for view in views(text):
        for hit in _engine().scan(view.text):
            start, end = view.locate(hit.start, hit.end)
            start, end = max(0, start), min(end, len(text))
            key = (hit.rule.id, start, end)
            if key not in found and start <= end:
                found[key] = Signal(
                    hit.rule.id, hit.rule.cls, hit.rule.message, start, end, hit.rule.score, view.name
                )
    return sorted(found.values(), key=lambda signal: (signal.start, signal.end, signal.rule))


_INVISIBLE = (
    ("tag-characters", re.compile("[\U000e0001-\U000e007f]{2,}"), "It holds invisible tag characters."),
    ("direction-override", re.compile("[\u202d\u202e]"), "It holds characters that reverse what is shown."),
    ("selector-run", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"), "It holds runs of selectors."),
    (
        "zero-width-run",
        re.compile("[\u200b-\u200d\u2060-\u2064\ufeff]{4,}"),
        "It holds runs of invisible signs.",
    ),
)
_FLAG = re.compile(
    "\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f"
)  # flags of regions, as emoji spell them


def invisible(text: str) -> list[Signal]:
    """Characters that people don't see and that carry text to a model."""
    if text.isascii():
        return []
    flags = {match.start() + 1 for match in _FLAG.finditer(text)}
    return [
        Signal(rule, "invisible", message, match.start(), match.end(), 0.9)
        for rule, pattern, message in _INVISIBLE
        for match in list(pattern.finditer(text))[:50]
        if match.start() not in flags
    ]
