"""A view: a text derived from the original, and the way back from its offsets to the original's."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Protocol

Span = tuple[int, int]
Piece = tuple[int, int, str]
"""``source[start:end]`` became this text."""
Refine = Callable[[str, str], "Way | None"]
"""From what replaced a run to the offsets of that run, where it is known more finely than as a whole. Called
with the run and what replaced it, and only for runs that hold a hit."""


class Way(Protocol):
    """From a character of a view to the span of the source that it was made of."""

    def back(self, at: int) -> Span: ...


@dataclass(frozen=True, slots=True)
class InStep:
    """Characters were replaced one by one."""

    def back(self, at: int) -> Span:
        return at, at + 1


@dataclass(frozen=True, slots=True)
class Whole:
    """Every character stands for the same span."""

    start: int
    end: int

    def back(self, at: int) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Mirrored:
    """``source[start:end]`` backwards."""

    end: int

    def back(self, at: int) -> Span:
        return max(0, self.end - 1 - at), max(0, self.end - at)


@dataclass
class Encoded:
    """A run of which each byte of the decoded text has a place."""

    text: str
    """The decoded text."""
    encoding: str
    places: Callable[[], Sequence[Span]] = field(repr=False)
    """Span in the source for every byte of the text in this encoding."""

    @cached_property
    def _places(self) -> Sequence[Span]:
        return self.places()

    @cached_property
    def _offsets(self) -> list[int]:
        """Bytes before each character."""
        sizes = (len(char.encode(self.encoding, "replace")) for char in self.text)
        return list(accumulate(sizes, initial=0))

    def back(self, at: int) -> Span:
        places, offsets = self._places, self._offsets
        first = offsets[min(at, len(offsets) - 1)]
        last = max(first + 1, offsets[min(at + 1, len(offsets) - 1)])
        top = len(places) - 1
        return places[min(first, top)][0], places[min(last - 1, top)][1]


_BLOCK = 4096


@dataclass
class Translated:
    """``source`` went through ``str.translate``."""

    source: str = field(repr=False)
    table: Mapping[int, str] = field(repr=False)

    @cached_property
    def _blocks(self) -> list[int]:
        """Where in the view each block of the source begins."""
        starts = [0]
        for at in range(0, len(self.source), _BLOCK):
            starts.append(starts[-1] + len(self.source[at : at + _BLOCK].translate(self.table)))
        return starts

    def back(self, at: int) -> Span:
        index = max(0, bisect_right(self._blocks, at, 0, len(self._blocks) - 1) - 1)
        begin, ends = index * _BLOCK, self._ends(index)
        offset = begin + bisect_right(ends, at - self._blocks[index])
        if offset < min(len(self.source), begin + _BLOCK):
            return offset, offset + 1
        return len(self.source), len(self.source)

    @cached_property
    def _known(self) -> dict[int, list[int]]:
        return {}

    def _ends(self, index: int) -> list[int]:
        """Where, from the beginning of the block in the view, each of its characters ends."""
        if index not in self._known:
            block = self.source[index * _BLOCK : (index + 1) * _BLOCK]
            self._known[index] = list(accumulate(len(self.table[ord(char)]) for char in block))
        return self._known[index]


@dataclass
class Replaced:
    """Disjoint pieces of the source, in order, were replaced; the rest is as it was."""

    pieces: Sequence[Piece]
    source: str = field(repr=False)
    refine: Refine | None = None

    @cached_property
    def _starts(self) -> list[int]:
        """Where each piece begins in the view."""
        starts, moved = [], 0
        for start, end, new in self.pieces:
            starts.append(start + moved)
            moved += len(new) - (end - start)
        return starts

    @cached_property
    def _finer(self) -> dict[int, Way | None]:
        return {}

    def back(self, at: int) -> Span:
        nearest = index = bisect_right(self._starts, at) - 1
        while index >= 0 and not self.pieces[index][2] and self._starts[index] == at:
            index -= 1  # taken out: it stands for nothing
        if index < 0 or at - self._starts[index] >= len(self.pieces[index][2]):
            place = at + (self._after(nearest) if nearest >= 0 else 0)
            return place, place + 1
        start, end, _ = self.pieces[index]
        into = at - self._starts[index]
        finer = self._fine(index)
        if finer is None:
            return start, end
        low, high = finer.back(into)
        return start + min(low, end - start), start + min(high, end - start)

    def _after(self, index: int) -> int:
        """What to add to a view's offset behind the last piece that begins at or before it."""
        last = bisect_right(self._starts, self._starts[index]) - 1
        _start, end, new = self.pieces[last]
        return end - (self._starts[last] + len(new))

    def _fine(self, index: int) -> Way | None:
        if self.refine is None:
            return None
        if index not in self._finer:
            start, end, new = self.pieces[index]
            self._finer[index] = self.refine(self.source[start:end], new)
        return self._finer[index]


def by_pieces(pieces: Iterable[Piece], run: str, new: str) -> Way | None:
    """A finer way for a run of which the pieces make what replaced it."""
    found = list(pieces)
    return Replaced(found, run) if rewrite(run, found) == new else None


def by_letters(run: str, new: str, codes: re.Pattern[str]) -> Way | None:
    """A finer way where each letter of what replaced a run stands for one code of the run."""
    places = [found.span() for found in codes.finditer(run)]
    if not places or len(places) != len(new) - new.count(" "):
        return None
    spans, at = [], -1
    for char in new:
        at += char != " "
        spans.append(places[max(0, at)])
    return Encoded(new, "utf-32-le", lambda: [span for span in spans for _ in range(4)])


@dataclass
class View:
    """``name`` is empty for the text as it came, else how it was read: ``base64``, ``unicode+leet``…"""

    name: str
    text: str
    source: "View | None" = None
    way: Way = field(default_factory=InStep, repr=False)
    depth: int = 0
    """How many decodings deep."""

    def locate(self, start: int, end: int) -> Span:
        """The span of the original that this span of the view was made of."""
        if self.source is None:
            return start, end
        first = self.way.back(start)
        last = self.way.back(max(start, end - 1))
        longest = len(self.source.text)
        low = min(first[0], last[0], longest)
        return self.source.locate(low, max(low, min(longest, max(first[1], last[1]))))


def rewrite(text: str, pieces: Iterable[Piece]) -> str:
    """The text with the pieces (ordered, disjoint) put in."""
    out: list[str] = []
    at = 0
    for start, end, new in pieces:
        out.append(text[at:start])
        out.append(new)
        at = end
    out.append(text[at:])
    return "".join(out)


def changed(name: str, view: View, pieces: Sequence[Piece], refine: Refine | None = None) -> View:
    """A view in which the pieces are put in. One ``depth`` deeper where it has a name."""
    text = rewrite(view.text, pieces)
    return View(named(view, name), text, view, Replaced(pieces, view.text, refine), view.depth + bool(name))


def named(view: View, name: str) -> str:
    return f"{view.name}+{name}" if view.name and name else view.name or name
