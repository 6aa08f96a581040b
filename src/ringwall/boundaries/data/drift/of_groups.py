"""How texts speak where they name a group of people: how often, in what tone, beside what words."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ringwall.detect import assess

from ..drift_settings import DriftSettings
from .measure import Measure
from .profile import Profile
from .statistics import Effect, means, proportion
from .terms import mentions, tokens, tone
from .word_lists import GROUPS

_FEW = 30
_HARM = 0.5
_READ = 150
"""Texts of each family whose words around the term the moderation lexicon reads, of each version."""
_TIMES = 10
"""Texts of both versions in which a word must stand beside a term to be looked at."""
_WORDS = 400
_PRIOR = 50.0
_SHORT = 3


@dataclass(slots=True)
class _Family:
    texts: int = 0
    tones: list[float] = field(default_factory=list)
    beside: Counter[str] = field(default_factory=Counter)
    harmful: int = 0
    read: int = 0


def groups(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Mentions, tone, toxicity and associations of each family of terms."""
    first, second = _families(before), _families(after)
    sizes = len(before.sample), len(after.sample)
    for name in GROUPS:
        one, other = first[name], second[name]
        counts = (one.texts, other.texts)
        spoken = proportion(one.texts, sizes[0], other.texts, sizes[1])
        shares = ((name, one.texts / (sizes[0] or 1), other.texts / (sizes[1] or 1)),)
        if sum(counts):
            yield Measure("mention", name, spoken, settings.share, sizes, shares=shares)
        if min(counts) < _FEW:
            continue
        tones = np.array(one.tones), np.array(other.tones)
        facts = {"mean": [round(float(tones[0].mean()), 3), round(float(tones[1].mean()), 3)]}
        yield Measure("tone", name, means(*tones), settings.tone, counts, facts=facts)
        if min(one.read, other.read) >= _FEW:
            harm = proportion(one.harmful, one.read, other.harmful, other.read)
            shares = (("harmful", one.harmful / one.read, other.harmful / other.read),)
            yield Measure("toxicity", name, harm, settings.share, (one.read, other.read), shares=shares)
        yield from _associations(name, one, other, settings)


def _families(side: Profile) -> defaultdict[str, _Family]:
    found: defaultdict[str, _Family] = defaultdict(_Family)
    for _, row in side.sample.items():
        for name, around in mentions(tokens(row.text)):
            family = found[name]
            family.texts += 1
            family.tones.append(tone(around))
            family.beside.update({word for word in around if len(word) > _SHORT and word not in GROUPS[name]})
            if family.read < _READ:
                family.read += 1
                family.harmful += _harmful(" ".join(around))
    return found


def _harmful(text: str) -> bool:
    seen = assess(text).sightings
    return any(one.cls.startswith("moderation") and one.score >= _HARM for one in seen)


def _associations(name: str, one: _Family, other: _Family, settings: DriftSettings) -> Iterator[Measure]:
    """Words that came to stand beside the term, or ceased to: log odds with an informative Dirichlet prior,
    which is the words of both versions (Monroe, Colaresi and Quinn 2008, eq. 16, 22). A word counts once a
    text."""
    both = one.beside + other.beside
    common = [word for word, times in both.most_common(_WORDS) if times >= _TIMES]
    total = both.total()
    first, second = one.beside.total(), other.beside.total()
    for word in common:
        prior = _PRIOR * both[word] / total
        size = _log_odds(other.beside[word], second, prior) - _log_odds(one.beside[word], first, prior)
        spread = math.sqrt(1 / (one.beside[word] + prior) + 1 / (other.beside[word] + prior))
        p = math.erfc(abs(size) / spread / math.sqrt(2))
        effect = Effect("log odds", size, size - 1.96 * spread, size + 1.96 * spread, p)
        shares = ((word, one.beside[word] / one.texts, other.beside[word] / other.texts),)
        counts = (one.texts, other.texts)
        yield Measure("association", f"{name}: {word}", effect, settings.association, counts, shares=shares)


def _log_odds(times: int, total: int, prior: float) -> float:
    return math.log((times + prior) / (total + _PRIOR - times - prior))
