"""What the texts tell: length, form, duplicates, language, topics."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ringwall.detect import language

from ..drift_settings import DriftSettings
from .measure import Measure, aligned, shares_of
from .profile import Profile, Sampled
from .statistics import distribution, jensen_shannon, proportion, shape, stability
from .topics import Topics

_TOPICS = 4000
"""Texts of each version that topics and languages are found in."""
_START = 400
_FORMS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "code block": re.compile(r"```").search,
        "list": re.compile(r"^\s{0,8}(?:[-*]|\d{1,3}[.)])\s", re.MULTILINE).search,
        "heading": re.compile(r"^#{1,6}\s", re.MULTILINE).search,
        "link": re.compile(r"https?://").search,
        "markup": re.compile(r"</[a-z]{1,20}>").search,
        "question": re.compile(r"\?\s{0,8}\Z").search,
        "capitals": lambda text: len(text) > 20 and text.upper() == text and text.lower() != text,
        "empty": lambda text: not text.strip(),
    }
)
_UNKNOWN = "not told"


def lengths(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Characters of prompts and of responses."""
    readings: tuple[tuple[str, Callable[[Sampled], str]], ...] = (
        ("prompt", lambda one: one.prompt),
        ("response", lambda one: one.response),
    )
    for name, read in readings:
        one, other = (
            np.array([len(read(row)) for _, row in side.sample.items()], float) for side in (before, after)
        )
        if len(one) and len(other) and (one.any() or other.any()):
            facts = {"median": [float(np.median(one)), float(np.median(other))]}
            yield Measure(
                "length", name, shape(one, other), settings.shape, (len(one), len(other)), facts=facts
            )


def formats(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Share of responses of a form."""
    first = [row.response for _, row in before.sample.items()]
    second = [row.response for _, row in after.sample.items()]
    for name, has in _FORMS.items():
        yield _share("format", name, _hits(first, has), len(first), _hits(second, has), len(second), settings)


def duplicates(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Share of rows whose text another row has as well, word for word."""
    counts = [[known.times for _, known in side.known.items()] for side in (before, after)]
    rows = [sum(side) for side in counts]
    again = [sum(times - 1 for times in side) for side in counts]
    yield _share("duplicates", "repeated texts", again[0], rows[0], again[1], rows[1], settings)


def languages(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Mix of the languages of the responses, as far as they are long enough to be told."""
    first, second = _languages(_texts(before)), _languages(_texts(after))
    if first.total() and second.total():
        yield _mix("language", "languages", first, second, settings)


def topics(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Mix of topics, and the share of each."""
    one, other = _texts(before), _texts(after)
    if not one or not other:
        return
    found = Topics(one, other)
    if len(found.names) < 2:
        return
    names = [f"{number + 1}: {name}" for number, name in enumerate(found.names)]
    yield _mix(
        *("topic", "topics", Counter(dict(zip(names, found.before, strict=True)))),
        *(Counter(dict(zip(names, found.after, strict=True))), settings),
    )
    for name, hits, later in zip(names, found.before, found.after, strict=True):
        yield _share("topic", name, hits, len(one), later, len(other), settings)


def _mix(
    kind: str, subject: str, first: Counter[str], second: Counter[str], settings: DriftSettings
) -> Measure:
    one, other = aligned(first, second)
    facts = {"js": round(jensen_shannon(one, other), 4), "psi": round(stability(one, other), 4)}
    counts = (first.total(), second.total())
    return Measure(
        *(kind, subject, distribution(one, other), settings.distribution, counts),
        shares=shares_of(first, second),
        facts=facts,
    )


def _share(
    kind: str, subject: str, hits: int, of: int, later: int, later_of: int, settings: DriftSettings
) -> Measure:
    return Measure(
        *(kind, subject, proportion(hits, of, later, later_of), settings.share, (of, later_of)),
        shares=((subject, hits / (of or 1), later / (later_of or 1)),),
    )


def _hits(texts: Sequence[str], has: Callable[[str], object]) -> int:
    return sum(bool(has(text)) for text in texts)


def _texts(side: Profile) -> list[str]:
    return [row.text for _, row in side.sample.items() if row.text.strip()][:_TOPICS]


def _languages(texts: Sequence[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        guess = language.guess(text[-_START:])
        found[guess.language if guess else _UNKNOWN] += 1
    return found
