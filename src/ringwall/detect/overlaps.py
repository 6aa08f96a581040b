"""Several detectors see the same characters; one finding is left for each."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from .scanner import Sighting

_CLEAR = 0.25
"""A finding that is surer than another by this much wins, however long the other is."""
_PLACE = attrgetter("start", "end")
_WORTH = 2
"""Letters and digits that a remainder must hold to stay a finding."""


def resolved(sightings: Iterable[Sighting], text: str = "") -> list[Sighting]:
    """Disjoint findings, ordered by place.

    Much surer beats longer, longer beats shorter, surer beats less sure. What the winner does not cover of a
    loser stays a finding: nothing that was found is laid bare by a better finding beside it. Findings that
    touch no other cost nothing; a chain of overlapping ones is resolved by itself.
    """
    ordered = sorted(sightings, key=_PLACE)
    if len(ordered) < 2 or all(one.end <= following.start for one, following in pairwise(ordered)):
        return ordered
    out: list[Sighting] = []
    for chain in _chains(ordered):
        out.extend(chain if len(chain) == 1 else _disjoint(chain, text))
    return out


def _chains(ordered: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    """Findings that overlap each other, one after the other."""
    chain: list[Sighting] = []
    reach = 0
    for one in ordered:
        if chain and one.start >= reach:
            yield chain
            chain = []
        reach = max(reach, one.end) if chain else one.end
        chain.append(one)
    if chain:
        yield chain


def _disjoint(chain: list[Sighting], text: str) -> list[Sighting]:
    """By the stretches between the edges of all: who comes first takes those that are free. Which are is a
    forest of links to the next free one (Tarjan 1975), so that none is passed twice."""
    edges = sorted({edge for one in chain for edge in (one.start, one.end)})
    place = {edge: at for at, edge in enumerate(edges)}
    following = list(range(len(edges)))
    taken: list[Sighting] = []
    for one in sorted(chain, key=_rank):
        first, last = place[one.start], place[one.end]
        for begin, stop in _free(following, first, last):
            start, end = edges[begin], edges[stop]
            if begin == first and stop == last:
                taken.append(one)
            elif sum(map(str.isalnum, text[start:end])) > _WORTH:
                taken.append(one._replace(start=start, end=end, reading=""))
            else:
                continue
            following[begin:stop] = [stop] * (stop - begin)
    return sorted(taken, key=_PLACE)


def _free(following: list[int], first: int, last: int) -> list[tuple[int, int]]:
    """Runs of free stretches, as numbers of edges."""
    runs = []
    at = _next(following, first)
    while at < last:
        stop = at
        while stop < last and following[stop] == stop:
            stop += 1
        runs.append((at, stop))
        at = _next(following, stop)
    return runs


def _next(following: list[int], at: int) -> int:
    """The first free stretch from this one on; what was passed is made to point there."""
    end = at
    while following[end] != end:
        end = following[end]
    while following[at] != end:
        following[at], at = end, following[at]
    return end


def _rank(one: Sighting) -> tuple[float, int, float, int, str]:
    tier = -(one.score // _CLEAR)
    return tier, one.start - one.end, -one.score, one.start, one.rule
