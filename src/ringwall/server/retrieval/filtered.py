"""A filter on attributes, as the passages that a store is to search among: right however few they are.

Attributes are sealed, so no store can compare them; the library can. What fits is found out here, of the
documents that the principal may read and of no others, and the store narrows its search to that. A document's
title is read only where a filter leaves it undecided otherwise, and numbers of passages are never listed: a
comparison holds for whole ranges of them.
"""

import math
from collections.abc import Iterator, Sequence

from ringwall.boundaries.data.library import Library
from ringwall.boundaries.data.retrieval.within import LAST, Piece, Within
from ringwall.boundaries.data.uploads.attached import Attributes
from ringwall.wire.errors import invalid
from ringwall.wire.vector_filters import Filter

from ..turn.state import Turn

_TITLE = frozenset({"title"})
_PASSAGE = frozenset({"passage"})
PASSAGES = 32
"""Numbers of passages that one filter may name: it is asked of all that lies between, of each document."""
TITLES = 20_000
"""Documents of one search whose titles are read."""


def fitting(turn: Turn, collections: Sequence[str], wanted: Filter) -> Within:
    """What the principal may read and the filter lets pass. Raises WireError (400) when too many documents'
    titles would have to be read, or it names too many passages."""
    titles = _Titles(turn.app.library) if any(True for _ in wanted.compared("title")) else None
    ranges = _ranges(wanted)
    return {
        name: [
            piece
            for document, attributes in turn.app.library.listed(turn.principal, name)
            for piece in _pieces((name, document), attributes, wanted, ranges, titles)
        ]
        for name in collections
    }


class _Titles:
    """The titles that one search has to know."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._left = TITLES

    def of(self, collection: str, document: str) -> str:
        """Raises WireError (400) for one too many."""
        self._left -= 1
        if self._left < 0:
            raise invalid(
                f"A filter on 'title' reads {TITLES} documents at most: join it with others.", "filters"
            )
        return self._library.title(collection, document)


def _pieces(
    place: tuple[str, str],
    attributes: Attributes,
    wanted: Filter,
    ranges: Sequence[tuple[int, int]],
    titles: _Titles | None,
) -> Iterator[Piece]:
    said = wanted.decided(attributes, _TITLE | _PASSAGE)
    if said is None and titles is not None:
        attributes = {**attributes, "title": titles.of(*place)}
        said = wanted.decided(attributes, _PASSAGE)
    if said:
        yield Piece(place[1])
    elif said is None:
        for first, last in ranges:
            if wanted.fits({**attributes, "passage": first}):
                yield Piece(place[1], first, last)


def _ranges(wanted: Filter) -> list[tuple[int, int]]:
    """Ranges of numbers of passages in each of which the filter says the same of all."""
    numbers = {
        math.floor(value) + step
        for value in wanted.compared("passage")
        if not isinstance(value, (str, bool)) and 0 <= value < LAST
        for step in (0, 1)
    }
    if len(numbers) > 2 * PASSAGES:
        raise invalid(f"A filter compares 'passage' with {PASSAGES} numbers at most.", "filters")
    starts = sorted({0, *numbers})
    return [(first, after - 1) for first, after in zip(starts, [*starts[1:], LAST + 1], strict=True)]
