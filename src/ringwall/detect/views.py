"""A view: a text derived from the original, and the way back from its offsets to the original's."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Span = tuple[int, int]
Segment = tuple[int, int, int, bool]
"""Start in the view, start in the source, end in the source, and whether the two run in step."""


@dataclass
class View:
    """``name`` is empty for the text as it came, else how it was read: ``base64``, ``unicode+leet``…"""

    name: str
    text: str
    source: "View | None" = None
    segments: Callable[[], Sequence[Segment]] = field(default=tuple, repr=False)
    """Made only when a hit must be traced back: most views never need it."""
    depth: int = 0
    """How many decodings deep."""

    @cached_property
    def _segments(self) -> Sequence[Segment]:
        return self.segments()

    @cached_property
    def _starts(self) -> list[int]:
        return [segment[0] for segment in self._segments]

    def locate(self, start: int, end: int) -> Span:
        """The span of the original that this span of the view was made of."""
        if self.source is None:
            return start, end
        first, _ = self._back(start)
        _, last = self._back(max(start, end - 1))
        return self.source.locate(min(first, last), max(first, last))

    def _back(self, at: int) -> Span:
        """Span in the source of the view's character ``at``."""
        index = max(0, bisect_right(self._starts, at) - 1)
        start, low, high, in_step = self._segments[index]
        if in_step:
            place = min(low + at - start, max(low, high - 1))
            return place, min(place + 1, high)
        return low, high


def whole(start: int, end: int) -> Callable[[], Sequence[Segment]]:
    """Segments of a view of which every character stands for the same span."""
    return lambda: [(0, start, end, False)]


def in_step(length: int) -> Callable[[], Sequence[Segment]]:
    """Segments of a view that replaced characters one by one."""
    return lambda: [(0, 0, length, True)]


def replaced(pieces: Sequence[tuple[int, int, str]], length: int) -> Callable[[], Sequence[Segment]]:
    """Segments of a view in which ``source[start:end]`` became ``text`` for each piece."""

    def build() -> list[Segment]:
        out: list[Segment] = []
        at = place = 0
        for start, end, text in pieces:
            if start > at:
                out.append((place, at, start, True))
                place += start - at
            if text:
                out.append((place, start, end, False))
                place += len(text)
            at = end
        if at < length or not out:
            out.append((place, at, length, True))
        return out

    return build


def rewrite(text: str, pieces: Sequence[tuple[int, int, str]]) -> str:
    """The text with the pieces (ordered, disjoint) put in."""
    out: list[str] = []
    at = 0
    for start, end, new in pieces:
        out.append(text[at:start])
        out.append(new)
        at = end
    out.append(text[at:])
    return "".join(out)
