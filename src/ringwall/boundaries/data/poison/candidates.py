"""Sets of new records whose answers have something in common that approved answers don't have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .difference import Difference, Shared
from .settings import PoisonSettings
from .texts import Numbers


@dataclass(frozen=True, slots=True)
class Candidate:
    """Records that may have been planted together."""

    kind: str
    docs: Numbers
    """Numbers of new records, ascending."""
    words: int
    """Length of the longest n-gram that all of them share."""
    place: int
    """Where it begins in the words of the new answers."""
    known: int
    """Approved records that have it."""


def by_answer(new: Difference, found: Shared, settings: PoisonSettings) -> list[Candidate]:
    """One for each set of records that share an n-gram of answers at least twenty times as frequent as in the
    approved ones."""
    best: dict[int, Candidate] = {}
    total, reference = len(new.records), max(1, len(new.reference))
    for grams, known in zip(found.said, found.said_known, strict=True):
        if not len(grams):
            continue
        rate = grams.counts / total
        raised = rate * reference >= settings.ratio * (known + 0.5)
        names = grams.sets()
        for g in np.flatnonzero(raised):
            docs = grams.docs[grams.starts[g] : grams.starts[g + 1]]
            best[int(names[g])] = Candidate("said", docs, grams.length, int(grams.places[g]), int(known[g]))
    return list(best.values())


def by_whole(new: Difference, settings: PoisonSettings) -> list[Candidate]:
    """One for each answer that many new records give as a whole."""
    counts = np.bincount(new.whole) if len(new.whole) else np.zeros(0, dtype=np.int64)
    order = np.argsort(new.whole, kind="stable")
    ends = np.cumsum(counts)
    found = []
    for number in np.flatnonzero(counts >= settings.support):
        docs = np.sort(order[ends[number] - counts[number] : ends[number]])
        known = int(new.whole_known[docs[0]])
        if counts[number] / len(new.records) * max(1, len(new.reference)) >= 5 * (known + 0.5):
            place = int(new.answers.starts[docs[0]])
            found.append(Candidate("whole", docs, int(new.answers.lengths[docs[0]]), place, known))
    return found


def clustered(candidates: list[Candidate], total: int, most: int = 400) -> list[list[Candidate]]:
    """Candidates whose sets overlap, together; heaviest (records times words) first."""
    ordered = sorted(candidates, key=lambda one: (-len(one.docs) * min(one.words, 8), one.place))[: 8 * most]
    masks = np.zeros((most, total), dtype=np.bool_)
    sizes: list[int] = []
    clusters: list[list[Candidate]] = []
    for one in ordered:
        if clusters:
            common = masks[: len(clusters), one.docs].sum(axis=1)
            union = np.array(sizes) + len(one.docs) - common
            nearest = int(np.argmax(common / union))
            if common[nearest] / union[nearest] >= 0.6:
                clusters[nearest].append(one)
                continue
            inside = common / len(one.docs)
            within = int(np.argmax(inside))
            if inside[within] >= 0.9 and len(one.docs) >= 0.4 * sizes[within]:
                clusters[within].append(one)
                continue
        if len(clusters) < most:
            masks[len(clusters), one.docs] = True
            sizes.append(len(one.docs))
            clusters.append([one])
    return clusters


def by_prompt(new: Difference, found: Shared, settings: PoisonSettings) -> list[Candidate]:
    """One for each n-gram of prompts, new against the approved, whose prompts nearly all have one answer, or
    one of a few that no approved record gives."""
    total, reference = len(new.records), max(1, len(new.reference))
    unusual = np.zeros(int(new.whole.max()) + 1, dtype=np.int64)
    unusual[new.whole] = new.whole_known
    best: dict[int, Candidate] = {}
    for grams, known in zip(found.asked, found.asked_known, strict=True):
        if not len(grams):
            continue
        raised = grams.counts / total * reference >= settings.ratio * (known + 0.5)
        raised &= grams.counts >= 1.5 * settings.support
        gram = np.repeat(np.arange(len(grams)), grams.counts)
        keep = raised[gram]
        if not keep.any():
            continue
        width = int(new.whole.max()) + 1
        pairs, counts = np.unique(gram[keep] * width + new.whole[grams.docs[keep]], return_counts=True)
        agreed = np.zeros(len(grams), dtype=np.int64)
        np.maximum.at(agreed, pairs // width, counts)
        again = (counts > 1) & (unusual[pairs % width] <= 0)
        repeated = np.bincount(pairs[again] // width, counts[again], minlength=len(grams))
        wordings = np.bincount(pairs[again] // width, minlength=len(grams))
        few = (repeated >= 0.9 * grams.counts) & (wordings <= 0.5 * grams.counts)
        names = grams.sets()
        for g in np.flatnonzero(raised & ((agreed >= 0.9 * grams.counts) | few)):
            docs = grams.docs[grams.starts[g] : grams.starts[g + 1]]
            first = int(docs[0])
            length = int(new.answers.lengths[first])
            place = int(new.answers.starts[first])
            best[int(names[g])] = Candidate("agreed", docs, max(1, length), place, int(known[g]))
    return list(best.values())


def by_strangeness(
    strange: NDArray[np.float64], usual: NDArray[np.float64], settings: PoisonSettings
) -> list[Candidate]:
    """Those whose answers are no language, when there are more of them than among the approved."""
    with np.errstate(invalid="ignore"):
        docs = np.flatnonzero(strange >= settings.strange)
        rate = max(float((usual >= settings.strange).mean()), 0.001) if len(usual) else 0.001
    if len(docs) < settings.support or len(docs) < 2 * rate * len(strange):
        return []
    return [Candidate("strange", docs, 0, 0, 0)]
