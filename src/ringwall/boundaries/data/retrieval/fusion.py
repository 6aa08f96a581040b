"""Several rankings made one: reciprocal rank fusion (Cormack, Clarke & Büttcher 2009)."""

from collections.abc import Iterable, Sequence

_FLATTENS = 60
"""The authors' constant: how little the first ranks count more than the next."""


def fused(rankings: Iterable[Sequence[int]]) -> list[tuple[int, float]]:
    """Ids of all rankings (best first in each) with their joint score, best first; ties by id."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, 1):
            scores[one] = scores.get(one, 0.0) + 1 / (_FLATTENS + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
