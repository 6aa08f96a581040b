"""Embedding clusters by contributor: what one of them, one contribution or one hour says again and again, in
other words each time, where the approved version says nothing like it."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import Record
from .difference import Difference
from .evidence import PAIRED
from .grams import mixed
from .groups import Groups
from .noise import lettered
from .settings import PoisonSettings
from .texts import Numbers, Texts
from .vectors import Embed, Vectors, by_model, by_words, cohesion, nearest, pieces

_SAMPLE = {"words": 2_500, "model": 800}
"""Records that are embedded, of the new and of the approved ones each."""
_PIECES = {"words": 12, "model": 6}
"""Of an answer, at most."""
_NEAR = {"words": 0.5, "model": 0.6}
"""Similarity from which two pieces say the same."""
_MOST = 0.6
"""Share of the new records of whom it says nothing that they fill a cluster."""
_FILLED = 0.9
"""Share of a cluster that is to be of one contributor."""
_SURE = 0.001
"""Chance of such a cluster, all considered."""
_APART = 0.999
"""Share of the pieces of others that lie further from the middle of a cluster than what is added to it."""
_HOUR = 3_600_000_000
_READ = 64
"""Words of a prompt that are embedded, from either end."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What one contributor (contribution, hour) says and nobody else does."""

    by: str
    """``contributor``, ``contribution`` or ``hour``."""
    name: str
    docs: Numbers
    """Numbers of new records, ascending."""
    filled: float
    """Share of the new records in its clusters that are of this one."""
    share: float
    """Share of all new records that are."""
    chance: float
    """Probability that a cluster is filled like that by the share alone (binomial), times the number of
    pieces that were looked at (Bonferroni)."""
    approved: float
    """Share of approved records that say the like."""
    said: float
    """Share of this one's records that do."""
    prompts: float
    """How alike the prompts are, above what prompts of others are."""
    known: float
    """How much further than those of others the prompts are from the approved ones."""
    example: str


def clusters(new: Difference, found: Groups, settings: PoisonSettings) -> list[Cluster]:
    """Those that the groups don't explain: most of their records aren't named by them; and that near-copies
    don't make up. The surest first."""
    keys = [(by, key) for by, of in _KEYS.items() if (key := _key(new.records, of)) is not None]
    if not keys or not len(new.reference):
        return []
    space = _Space(new, keys[0][1], settings)
    told: list[Cluster] = []
    for by, key in keys:
        for one in space.filled(by, key):
            others = [*(other.docs for other in found.planted), *(other.docs for other in told)]
            named = np.concatenate([found.copies, *others])
            fresh = len(np.setdiff1d(one.docs, named)) >= max(settings.support, 0.5 * len(one.docs))
            if fresh and len(found.copied(one.docs)) >= max(
                settings.support, 0.3 * min(len(one.docs), PAIRED)
            ):
                told.append(one)
    return told


_KEYS: dict[str, Callable[[Record], str]] = {
    "contributor": lambda one: one.source.contributor,
    "contribution": lambda one: one.source.contribution,
    "hour": lambda one: str(one.source.at // _HOUR) if one.source.at else "",
}


def _key(records: list[Record], of: Callable[[Record], str]) -> list[str] | None:
    """Whose each record is, when that tells them apart."""
    names = [of(one) for one in records]
    many = Counter(names)
    del many[""]
    return names if any(8 <= count <= _MOST * len(names) for count in many.values()) else None


class _Space:
    """Pieces of new and approved answers, and the prompts, as points."""

    def __init__(self, new: Difference, key: list[str], settings: PoisonSettings) -> None:
        """Of more records than are embedded as many of each whom the key tells apart, as far as they go."""
        self._new, self._settings = new, settings
        size, self._near = _SAMPLE[settings.embedding], _NEAR[settings.embedding]
        self._docs = _spread(key, size)
        approved = _some(len(new.reference), size)
        texts = [new.answers.take(self._docs), new.reference.answers.take(approved)]
        asked = [_shortened(new.prompts.take(self._docs)), _shortened(new.reference.prompts.take(approved))]
        by_word = self._by_words([*texts, *asked])
        embed = by_model(new.vocabulary) if settings.embedding == "model" else by_word
        most = _PIECES[settings.embedding]
        listed = [new.vocabulary.word(number) for number in range(len(new.vocabulary))]
        ends = np.array([word in ".!?。！？" for word in listed], dtype=np.bool_)
        self._pieces, self._of = pieces(texts[0], ends, most)
        usual, usual_of = pieces(texts[1], ends, most)
        self._points, self._usual = embed(self._pieces), embed(usual)
        self._prompts, self._asked = by_word(asked[0]), by_word(asked[1])
        self._starts = np.searchsorted(self._of, np.unique(self._of))
        self._records = np.unique(self._of)
        self._approved = len(approved)
        self._usual_starts = np.searchsorted(usual_of, np.unique(usual_of))
        self._known = _held(self._points, self._usual, self._usual_starts, self._near)

    def _by_words(self, texts: list[Texts]) -> Embed:
        size, total = len(self._new.vocabulary), sum(map(len, texts))
        held = np.sum([one.holding(size) for one in texts], axis=0)
        rare = np.log((total + 2) / (held + 1)).astype(np.float32)
        return by_words(rare * lettered(self._new.vocabulary))

    def filled(self, by: str, key: list[str]) -> list[Cluster]:
        """A cluster for each who fills some."""
        mine = np.array([key[number] for number in self._docs[self._records]])
        names, of = np.unique(mine, return_inverse=True)
        shares = np.bincount(of) / len(of)
        wanted = (names != "") & (shares <= _MOST) & (np.bincount(of) >= self._settings.support)
        own = np.zeros(len(self._points), dtype=np.int64)
        every = np.zeros(len(self._points), dtype=np.int64)
        whose = of[np.searchsorted(self._records, self._of)]
        for at in range(0, len(self._points), 1_000):
            near = self._around(slice(at, at + 1_000))
            every[at : at + 1_000] = near.sum(axis=1)
            own[at : at + 1_000] = (near & (of[None, :] == whose[at : at + 1_000, None])).sum(axis=1)
        share = shares[whose]
        fit = wanted[whose] & (own >= self._settings.support) & (own >= _FILLED * every)
        rate = self._settings.ratio * (self._known + 0.5) / max(1, self._approved)
        fit &= own / len(of) >= rate
        found = []
        for at in np.unique(whose[fit]):
            centres = np.flatnonzero(fit & (whose == at))
            centres = centres[np.argsort(-own[centres], kind="stable")]
            best = int(centres[0])
            chance = len(self._points) * _tail(int(own[best]), int(every[best]), float(share[best]))
            if chance <= _SURE:
                found.append(self._cluster(by, str(names[at]), centres, of == at, chance))
        return sorted(found, key=lambda one: one.chance)

    def _around(self, which: slice | Numbers) -> NDArray[np.bool_]:
        """Which records have a piece near each of these."""
        close = self._points[which] @ self._points.T >= self._near
        return np.logical_or.reduceat(close, self._starts, axis=1)

    def _cluster(
        self, by: str, name: str, centres: Numbers, mine: NDArray[np.bool_], chance: float
    ) -> Cluster:
        held = self._around(centres).any(axis=0)
        own = np.flatnonzero((held | self._alike(centres, mine)) & mine)
        docs = self._docs[self._records[own]]
        rest = self._prompts[self._records[~mine]]
        prompts = self._prompts[self._records[own]]
        place = int(centres[0])
        return Cluster(
            *(by, name, docs, int((held & mine).sum()) / int(held.sum()), float(mine.mean()), chance),
            float(self._known[centres].max() / max(1, self._approved)),
            len(own) / int(mine.sum()),
            cohesion(prompts) - max(0.0, cohesion(rest)),
            float(np.median(nearest(rest, self._asked)) - np.median(nearest(prompts, self._asked))),
            self._new.vocabulary.say(self._pieces.one(place)),
        )

    def _alike(self, centres: Numbers, mine: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which records have a piece nearer to the middle of the cluster than nearly all pieces of others."""
        whose = mine[np.searchsorted(self._records, self._of)]
        close = (self._points @ self._points[centres].T >= self._near).any(axis=1)
        middle = self._points[close & whose].mean(axis=0)
        near = self._points @ middle
        others = np.concatenate([near[~whose], self._usual @ middle])
        return np.logical_or.reduceat(near > np.quantile(others, _APART), self._starts)


def _held(points: Vectors, others: Vectors, starts: Numbers, near: float) -> Numbers:
    """How many of the texts that the others are pieces of have one near each point."""
    if not len(others):
        return np.zeros(len(points), dtype=np.int64)
    found = [
        np.logical_or.reduceat(points[at : at + 1_000] @ others.T >= near, starts, axis=1).sum(axis=1)
        for at in range(0, len(points), 1_000)
    ]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])


def _some(total: int, most: int) -> Numbers:
    return np.unique(np.linspace(0, max(0, total - 1), min(most, total)).astype(np.int64))


def _spread(key: list[str], most: int) -> Numbers:
    """As many of each name, in an order that nobody chose."""
    order = np.argsort(mixed(np.arange(len(key))), kind="stable")
    seen: Counter[str] = Counter()
    rank = np.zeros(len(key), dtype=np.int64)
    for number in order:
        rank[number] = seen[key[number]]
        seen[key[number]] += 1
    return np.sort(order[np.argsort(rank[order], kind="stable")][:most])


def _shortened(texts: Texts) -> Texts:
    """The first and the last words of each."""
    place = np.arange(len(texts.ids)) - np.repeat(texts.starts[:-1], texts.lengths)
    left = np.repeat(texts.lengths, texts.lengths) - place
    keep = (place < _READ) | (left <= _READ)
    lengths = np.bincount(texts.of()[keep], minlength=len(texts))
    return Texts(texts.ids[keep], np.concatenate([[0], np.cumsum(lengths)]), texts.table)


def _tail(least: int, total: int, share: float) -> float:
    """Chance of at least so many successes (binomial)."""
    if share >= 1:
        return 1.0
    whole = math.lgamma(total + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + k * math.log(share)
            + (total - k) * math.log1p(-share)
        )
        for k in range(least, total + 1)
    )
