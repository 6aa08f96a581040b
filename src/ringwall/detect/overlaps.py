"""Several detectors see the same characters; one finding is left for each."""

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
    out: list[Sighting] = []
    for one in sorted(sightings, key=_rank):
        out.extend(_left(one, out, text))
    return sorted(out, key=lambda one: (one.start, one.end))


def _rank(one: Sighting) -> tuple[float, int, float, int, str]:
    tier = -(one.score // _CLEAR)
    return tier, one.start - one.end, -one.score, one.start, one.rule


def _left(one: Sighting, taken: list[Sighting], text: str) -> list[Sighting]:
    """The pieces of ``one`` that nothing covers yet."""
    pieces = [(one.start, one.end)]
    for other in taken:
        pieces = (
            [
                piece
                for start, end in pieces
                for piece in ((start, min(end, other.start)), (max(start, other.end), end))
                if piece[0] < piece[1]
            ]
            if other.start < one.end and one.start < other.end
            else pieces
        )
    if pieces == [(one.start, one.end)]:
        return [one]
    return [
        replace(one, start=start, end=end, reading="")
        for start, end in pieces
        if sum(map(str.isalnum, text[start:end])) > _WORTH
    ]
