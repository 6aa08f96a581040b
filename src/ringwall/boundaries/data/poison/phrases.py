"""Phrases of one source: several things that answers have in common, and one who says them all."""

from collections import Counter
from dataclasses import replace

import numpy as np

from .difference import Difference
from .evidence import Evidence
from .score import own_trigger, raw
from .texts import Numbers

_ONE = 0.9
"""Share of a group's records from which its contributor is the one."""
_MOST = 0.6
"""Share of all new records beyond which it says nothing that one contributor gave them."""
_MANY = 4
"""Groups that a person would have to look at one by one."""
_SURE = 1.5
"""Raw score from which a group stands for itself wherever in the answer its phrase is."""


_WEAK = 0.6
"""Raw score below which many phrases at once are a new way of writing: one attack has one, or a few."""


def joined(kept: list[Evidence], new: Difference) -> list[Evidence]:
    """With groups that no trigger tells apart as one where they come from one source: some records have the
    phrases of both, or one contributor brought both. When many are left, also the weaker ones that all stand
    at the same end of the answers. What a model wrote has
    such phrases by the dozen, and so has one attack in several wordings. At last the weakest, wherever they
    stand."""
    bare = [one for one in kept if _bare(one)]
    names = [_contributor(one.docs, new) for one in bare]
    links = [
        (a, b)
        for b in range(len(bare))
        for a in range(b)
        if (names[a] and names[a] == names[b]) or _overlap(bare[a].docs, bare[b].docs)
    ]
    sources = _connected(len(bare), links)
    if len(set(sources)) >= _MANY:
        ends = [_end(one, new) if raw(one) < _SURE else "" for one in bare]
        links += [(a, b) for b in range(len(bare)) for a in range(b) if ends[a] and ends[a] == ends[b]]
        sources = _connected(len(bare), links)
    result = [one for one in kept if not _bare(one)]
    for source in dict.fromkeys(sources):
        result.append(_one([one for one, at in zip(bare, sources, strict=True) if at == source]))
    weak = [one for one in result if one.seed.kind != "strange" and not own_trigger(one) and raw(one) < _WEAK]
    if len(weak) >= _MANY:
        result = [*(one for one in result if all(one is not other for other in weak)), _one(weak)]
    return result


def _one(some: list[Evidence]) -> Evidence:
    best = max(some, key=raw)
    docs = np.unique(np.concatenate([one.docs for one in some]))
    also = tuple(seed for one in some for seed in (one.seed, *one.also) if seed is not best.seed)
    return replace(best, docs=docs, also=also)


def _bare(one: Evidence) -> bool:
    known = one.seed.known > 0.02 * len(one.docs)
    return one.seed.kind in ("said", "whole") and not known and not own_trigger(one)


def _contributor(docs: Numbers, new: Difference) -> str:
    """The one who brought nearly all of these, and not most of everything; else empty."""
    name, many = Counter(new.records[number].source.contributor for number in docs).most_common(1)[0]
    if not name or many < _ONE * len(docs):
        return ""
    every = sum(record.source.contributor == name for record in new.records)
    return name if every <= _MOST * len(new.records) else ""


def _overlap(some: Numbers, others: Numbers) -> bool:
    """Some records have both phrases, and most have one: neither is a part of the other."""
    both = len(np.intersect1d(some, others, assume_unique=True))
    return 2 <= both <= 0.6 * min(len(some), len(others))


def _end(one: Evidence, new: Difference) -> str:
    """Whether the phrase stands at the beginning or at the end of the answer that it was seen in first."""
    ids, seed = new.answers.ids, one.seed
    if seed.place == 0 or 0 in ids[max(0, seed.place - 1) : seed.place + 1]:
        return "begin"
    return "end" if 1 in ids[seed.place + 1 : seed.place + seed.words + 1] else ""


def _connected(count: int, links: list[tuple[int, int]]) -> list[int]:
    """For each of so many the smallest that it is linked with, directly or through others."""
    first = list(range(count))
    changed = True
    while changed:
        changed = False
        for a, b in links:
            low = min(first[a], first[b])
            changed |= first[a] != low or first[b] != low
            first[a] = first[b] = low
    return first
