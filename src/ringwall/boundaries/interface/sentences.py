"""Sentences of a text, for taking out those that give orders."""

import re

_END = re.compile(r"[.!?。！？]+[\"')\]]*(?:\s|$)|\n+")
_LIMIT = 1000


def sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence or sentences that the span lies in, at most 1,000 characters to each side."""
    low = max(0, start - _LIMIT)
    first = low
    for stop in _END.finditer(text, low, start):
        first = stop.end()
    stop_after = _END.search(text, max(start, end - 1), min(len(text), end + _LIMIT))
    last = (
        stop_after.start() + len(stop_after.group().rstrip()) if stop_after else min(len(text), end + _LIMIT)
    )
    return min(first, start), max(last, end)


def sentences(text: str, low: int, high: int) -> list[tuple[int, int]]:
    """The sentences between two places, those at the borders cut there. None is empty."""
    out, at = [], low
    for stop in _END.finditer(text, low, high):
        out.append((at, stop.start() + len(stop.group().rstrip())))
        at = stop.end()
    return [(start, end) for start, end in [*out, (at, high)] if text[start:end].strip()]
