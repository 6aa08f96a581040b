"""Text that may be hostile, made safe and plain to look at.

A reader must see what a model would have seen: characters that hide, reorder or smuggle text are shown as
``␣U+202E``. Findings are marked in the text, also where their spans overlap.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from markupsafe import Markup, escape

LIMIT = 40_000
"""Characters of one part that a page shows."""
_SHORT, _AROUND = 8_000, 500
"""Characters of a text that is shown as a whole; those shown around a finding in a longer one."""
MAX_REFERENCES = 6
"""Findings named at one place; the list below the text has all."""

_HIDING_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that have no ink: fillers, joiners, variation selectors, blanks.
_INKLESS = frozenset(
    chain(
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)
_TAGS = range(0xE0020, 0xE007F)
# Written languages and emoji need these; shown as they are in a chat, where no decision is taken on them.
_JOINERS = frozenset("\u200c\u200d\ufe0f")


@dataclass(frozen=True, slots=True)
class Span:
    """``number`` is the finding's number in the list that goes with the text."""

    start: int
    end: int
    number: int


def hides(char: str) -> bool:
    """Whether the character shows nothing, or changes how others are shown."""
    if " " <= char <= "~" or char in "\n\t":
        return False
    category = unicodedata.category(char)
    return category in _HIDING_CATEGORIES or ord(char) in _INKLESS or (category == "Zs" and char != " ")


def reveal(text: str) -> str:
    """Plain text with every hiding character replaced by its name. Can always be encoded as UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"␣U+{ord(char):04X}" if hides(char) else char for char in text)


def reveal_chat(text: str) -> Markup:
    """As ``reveal``, but joiners of scripts and emoji stay as they are."""
    shown = "".join(char if char in _JOINERS else reveal(char) for char in text)
    return escape(shown)


def mark(text: str, spans: Iterable[Span] = (), limit: int = LIMIT) -> Markup:
    """HTML of the text (escaped) with each span in ``<mark>`` and its number behind it.

    Where spans overlap, the text is cut at every start and end, so marks never nest wrongly. Empty spans
    (findings about the whole) mark nothing.
    """
    shown = text[:limit]
    out: list[Markup] = []
    for start, end, numbers in _segments(len(shown), spans):
        inner = _visible(shown[start:end])
        if not numbers:
            out.append(inner)
            continue
        out.append(Markup('<mark class="hit">{}</mark>').format(inner))
        out.append(_references(numbers))
    return Markup("").join(out)


@dataclass(frozen=True, slots=True)
class Passage:
    """Part of a long text, characters ``start`` to ``end`` of it."""

    start: int
    end: int
    marked: Markup


def passages(text: str, spans: Sequence[Span]) -> list[Passage]:
    """Where a text is long: how it begins, and what was found with some text around it, in order. Empty
    for a short one, which is read as a whole."""
    if len(text) <= _SHORT:
        return []
    wanted = [(0, _AROUND)]
    room = LIMIT
    for span in spans:
        low, high = max(0, span.start - _AROUND), min(len(text), span.end + _AROUND, span.start + _SHORT)
        room -= high - low
        if span.start < span.end and room > 0:
            wanted.append((low, high))
    joined: list[tuple[int, int]] = []
    for low, high in sorted(wanted):
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return [Passage(low, high, _part(text, spans, low, high)) for low, high in joined]


def _part(text: str, spans: Iterable[Span], low: int, high: int) -> Markup:
    inside = (Span(span.start - low, span.end - low, span.number) for span in spans)
    return mark(text[low:high], (span for span in inside if span.end > 0))


def _segments(length: int, spans: Iterable[Span]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Consecutive pieces of the text, each with the numbers of the spans that cover it."""
    opens: dict[int, list[int]] = {}
    closes: dict[int, list[int]] = {}
    for span in spans:
        start, end = max(0, span.start), min(span.end, length)
        if start < end:
            opens.setdefault(start, []).append(span.number)
            closes.setdefault(end, []).append(span.number)
    cuts = sorted({0, length, *opens, *closes})
    covering: set[int] = set()
    pieces: list[tuple[int, int, tuple[int, ...]]] = []
    for start, end in pairwise(cuts):
        covering.difference_update(closes.get(start, ()))
        covering.update(opens.get(start, ()))
        pieces.append((start, end, tuple(sorted(covering))))
    return pieces


def _references(numbers: Sequence[int]) -> Markup:
    links = [Markup('<a href="#finding-{0}">{0}</a>').format(number) for number in numbers[:MAX_REFERENCES]]
    more = Markup("…") if len(numbers) > MAX_REFERENCES else Markup("")
    return Markup('<sup class="refs">{}{}</sup>').format(Markup(" ").join(links), more)


def _visible(text: str) -> Markup:
    out: list[Markup] = []
    plain: list[str] = []
    tags: list[str] = []

    def flush() -> None:
        if plain:
            out.append(escape("".join(plain)))
            plain.clear()
        if tags:
            out.append(_ghost("␣tags “" + "".join(tags) + "”", "hidden text in Unicode tag characters"))
            tags.clear()

    for char in text:
        if ord(char) in _TAGS:
            if plain:
                flush()
            tags.append(chr(ord(char) - 0xE0000))
            continue
        if tags or hides(char):
            flush()
        if hides(char):
            name = unicodedata.name(char, "unnamed character")
            out.append(_ghost(f"␣U+{ord(char):04X}", name.lower()))
        else:
            plain.append(char)
    flush()
    return Markup("").join(out)


def _ghost(label: str, title: str) -> Markup:
    return Markup('<span class="ghost" title="{}">{}</span>').format(title, label)
