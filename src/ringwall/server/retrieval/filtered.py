"""Searches with a filter: what fits it may rank below everything that the store hands out.

A store gives the best 50 passages, whatever the filter. Where too few of them fit, and the documents that do
are few, those are read and ranked by the words of the query.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ringwall.boundaries.data.index import Chunk
from ringwall.boundaries.data.library import About
from ringwall.boundaries.data.words import words
from ringwall.wire.vector_filters import Filter
from ringwall.wire.vector_stores import SearchCall

from ..turn.state import Turn

Scored: TypeAlias = tuple[float, Chunk, About]
DOCUMENTS = 200
"""Fitting documents that are read; with more of them, what the store gave is all."""
_LISTED = 20_000
"""Documents of a collection that are looked through for fitting ones."""
_PASSAGES = 5_000
_OF_PASSAGES = frozenset({"title", "passage"})
"""Attributes that only a passage has, which is not looked at before it is read."""


def more_fitting(
    turn: Turn, collections: Sequence[str], call: SearchCall, had: Sequence[Scored]
) -> list[Scored]:
    """Passages that fit the filter and hold words of the query, beside those that the search gave; best
    first, all below those."""
    if call.filter is None or call.filter.keys() & _OF_PASSAGES:
        return []
    known = {(chunk.name, chunk.ordinal) for _, chunk, _ in had}
    wanted = [frozenset(words(query)) for query in call.queries]
    ceiling = min((score for score, _, _ in had), default=1.0)
    found = []
    for chunk, about in _chunks(turn, _documents(turn, collections, call.filter)):
        held = frozenset(words(f"{chunk.title} {chunk.text}"))
        share = max(len(asked & held) / len(asked) if asked else 0.0 for asked in wanted)
        if share and (chunk.name, chunk.ordinal) not in known:
            found.append((ceiling * share, chunk, about))
    return sorted(found, key=lambda one: -one[0])


def _documents(turn: Turn, collections: Sequence[str], wanted: Filter) -> list[tuple[str, str, About]]:
    """Those that fit; none when they are too many to be read."""
    fitting: list[tuple[str, str, About]] = []
    for name in collections:
        listed = turn.app.library.listed(turn.principal, name, _LISTED)
        fitting += [
            (name, document, about) for document, attributes, about in listed if wanted.fits(attributes)
        ]
    return fitting if len(fitting) <= DOCUMENTS else []


def _chunks(turn: Turn, documents: Sequence[tuple[str, str, About]]) -> Iterator[tuple[Chunk, About]]:
    left = _PASSAGES
    for name, document, about in documents:
        chunks, _ = turn.app.library.chunks(turn.principal, name, document, 0, left)
        left -= len(chunks)
        yield from ((chunk, about) for chunk in chunks)
