"""What a document or passage shows to the detection engine: instructions to a model, credentials."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ringwall.detect import assess, best_tier, judge, scanner
from ringwall.detect.assess import weighed
from ringwall.detect.batch import ORDERS, batches
from ringwall.detect.scanner import Sighting

INSTRUCTION = ORDERS


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


def scan(text: str) -> list[Signal]:
    """Injected instructions and secrets, in the text and in its decoded readings. Linear in its length."""
    orders = [one for one in assess(text).sightings if one.cls.split(".")[0] in INSTRUCTION]
    secrets = [one for one in scanner().scan(text) if one.cls.split(".")[0] == "secret"]
    length = len(text)
    return [
        Signal(
            *(one.rule, one.cls, one.message, min(one.start, length), min(one.end, length)),
            *(one.score, one.view),
        )
        for one in (*orders, *secrets)
    ]


_ENDS = frozenset({"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<eos>", "</s>", "<end_of_turn>"})


def scan_row(text: str) -> list[Signal]:
    """As ``scan``, of the fields of a row, each from a new line on: many public sets end an answer with the
    mark that ends a text, which is nothing at the end of a line."""
    return [one for one in scan(text) if one.view or not _ends_line(text, one)]


def scan_rows(texts: Sequence[str]) -> list[list[Signal]]:
    """What gives orders in each of many texts, as ``scan_row`` sees it but for what is encoded: some five
    times as fast."""
    found = batches(ORDERS).find(texts, minimum=0.0)
    return [
        [
            Signal(*(one.rule, one.cls, one.message, one.start, one.end), one.score, one.view)
            for one in (weighed(text, seen) for seen in row)
            if not _ends_line(text, one)
        ]
        for text, row in zip(texts, found, strict=True)
    ]


def _ends_line(text: str, one: Signal | Sighting) -> bool:
    return text[one.start : one.start + 40].split("\n", 1)[0].rstrip() in _ENDS


LEARNED = "learned"
_LONG, _AROUND, _MOST = 2000, 220, 50
"""Characters from which a text is long; those around a signature that are judged with it; signatures of one
text that are judged so."""


def orders(text: str) -> list[Signal]:
    """What the learned detectors make of a text that should give no orders: one signal, at its worst part."""
    found = judge(text, untrusted=True, tier=best_tier())
    message = "It reads like an order to the model that will read it."
    span, view = found.opinion.span, found.opinion.view
    return [Signal(LEARNED, "injection", message, *span, found.attack, view)]


def in_place(text: str, found: Sequence[Signal]) -> list[Signal]:
    """Signatures in a long text are no surer than all detectors together make of what they stand in: among a
    hundred pages some words always look like one. Those in decoded readings, and what is no order, stay."""
    if len(text) <= _LONG:
        return list(found)
    weak = [one for one in found if not one.view and one.cls.split(".")[0] in INSTRUCTION][:_MOST]
    sure = {one: judge(_around(text, one), untrusted=True, tier=best_tier()).attack for one in weak}
    return [replace(one, score=min(one.score, sure.get(one, 1.0))) for one in found]


def _around(text: str, one: Signal) -> str:
    return text[max(0, one.start - _AROUND) : one.end + _AROUND]


def warmed(scan: Scanner) -> Scanner:
    """The scanner after its first use, in which it compiles its rules: that belongs to the start, not to the
    first crossing and its deadline."""
    scan("Caf\u00e9 \u200b aGVsbG8gd29ybGQsIGhlbGxv &#104;&#105; %68%69")
    return scan


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
