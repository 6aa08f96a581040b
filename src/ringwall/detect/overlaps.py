"""Several detectors see the same characters; one finding is left for each."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace

from .scanner import Sighting

_CLEAR = 0.25
"""A finding that is surer than another by this much wins, however long the other is."""
_WORTH = 2
"""Letters and digits that a remainder must hold to stay a finding."""


def resolved(sightings: Iterable[Sighting], text: str = "") -> list[Sighting]:
    """Disjoint findings, ordered by place.

    Much surer beats longer, longer beats shorter, surer beats less sure. What the winner does not cover of a
    loser stays a finding: nothing that was found is laid bare by a better finding beside it.
    """
    taken: list[Sighting] = []
    for one in sorted(sightings, key=_rank):
        at = bisect_left(taken, one.start, key=lambda other: other.end)  # the first that could overlap
        while at < len(taken) and taken[at].end <= one.start:
            at += 1
        stop = at
        while stop < len(taken) and taken[stop].start < one.end:
            stop += 1
        taken[at:stop] = sorted([*taken[at:stop], *_left(one, taken[at:stop], text)], key=_place)
    return taken


def _place(one: Sighting) -> tuple[int, int]:
    return one.start, one.end


def _rank(one: Sighting) -> tuple[float, int, float, int, str]:
    tier = -(one.score // _CLEAR)
    return tier, one.start - one.end, -one.score, one.start, one.rule


def _left(one: Sighting, over: list[Sighting], text: str) -> list[Sighting]:
    """The pieces of ``one`` that none of these covers."""
    if not over:
        return [one]
    edges = [one.start, *(edge for other in over for edge in (other.start, other.end)), one.end]
    return [
        replace(one, start=start, end=end, reading="")
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if start < end and sum(map(str.isalnum, text[start:end])) > _WORTH
    ]
