"""Sentences of a text as it comes out of files: wrapped lines, lists, tables, any script."""

import math
import re

Span = tuple[int, int]

_END = re.compile(r"[.!?。！？]+[\"')\]]*(?:\s|$)|\n\s{0,80}\n|\n(?=[ \t]{0,40}[^a-z\s])")
"""A line that goes on in lower case is a wrapped one."""
LONGEST, SHORTEST = 400, 12
"""Characters: a longer sentence is cut, a shorter one says nothing."""
_BACK = 240
_USUAL, _RISE = 3000, 0.3
"""Characters of a usual text; log odds that the bar rises by for every ``e`` times as many. Fitted on the
worst scores of innocent manuals, books, licences and pages of 3 to 100 thousand characters."""


def rise(length: int) -> float:
    """How much worse, in log odds, the worst sentence of a longer innocent text looks than that of a usual
    one: it has more chances to."""
    return _RISE * max(0.0, math.log(max(length, 1) / _USUAL))


def sentences(text: str, low: int = 0, high: int | None = None) -> list[Span]:
    """Spans of the sentences that touch this part of the text, each whole as far as it is near."""
    high = len(text) if high is None else high
    first = max(0, low - _BACK)
    begin = max((end.end() for end in _END.finditer(text, first, low)), default=first if first else 0)
    stop = _END.search(text, max(begin, high - 1), min(len(text), high + _BACK))
    last = stop.end() if stop else min(len(text), high + _BACK)
    out: list[Span] = []
    at = begin
    for end in _END.finditer(text, begin, last):
        _cut(out, text, at, end.end())
        at = end.end()
    _cut(out, text, at, last)
    return out


def _cut(out: list[Span], text: str, low: int, high: int) -> None:
    for at in range(low, high, LONGEST):
        piece = text[at : min(high, at + LONGEST)]
        bare = piece.strip()
        if len(bare) >= SHORTEST:
            start = at + len(piece) - len(piece.lstrip())
            out.append((start, start + len(bare)))
