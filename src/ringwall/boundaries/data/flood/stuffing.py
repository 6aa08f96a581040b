"""Text that was written to be found and not to be read: questions in a row, lists of keywords."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from .groups import TELLING, Space
from .leads import asks
from .terms import LONGEST

_UNIT = re.compile(r"[^.?!\n\u3002\uff1f\u061f]{1,2000}[.?!\u3002\uff1f\u061f]?")
_ASKING = re.compile(
    r"\b(?:who|whom|whose|what|when|where|which|why|how (?:many|much|long|old|far|often|does|did|is|are))\b"
)
_HOW_TO = re.compile(r"\W{0,4}(?:\d{1,3}\W{1,3})?(?:how|what|when|where) to\b", re.IGNORECASE)
_SPACED = (3, 20)
"""Words between two question words of a run-on list of questions."""
_RUN = 3
"""Questions that must stand behind each other, with nothing said between."""
_COMMON = 2
_MARKS = re.compile(r"[^\w ,;'-]+")
_LEAST = 25
"""Words of a list."""
_WORD = re.compile(r"[^\W\d_]{2,40}")
_BARE = 0.08
"""Part of a list's words that are among the most frequent ones; prose has some four in ten."""
_DISTINCT = 0.7
_KNOWN = 12
_TOPIC = 0.2
"""Part of the telling words of a list that a single approved passage has when it is on one topic."""


def in_a_row(text: str) -> list[str]:
    """Questions that stand behind each other with hardly an answer between them; of a run-on line without
    marks, what begins with each question word."""
    found: list[str] = []
    run: list[str] = []
    others = gap = 0
    for unit in (*_UNIT.findall(text[:LONGEST]), ""):
        plain = unit.strip(" \t\"'#*->")
        if not plain and unit:
            continue
        pieces = _questions(plain)
        if pieces:
            run, others, gap = run + pieces, others + gap, 0
        elif gap or not unit:
            found += run if len(run) >= max(_RUN, 2 * others) else []
            run, others, gap = [], 0, 0
        else:
            gap = 1
    return found


def _questions(unit: str) -> list[str]:
    pieces = _run_on(unit)
    if len(pieces) >= _RUN:
        return pieces
    return [unit] if unit and asks(unit) and not _HOW_TO.match(unit) else []


def _run_on(unit: str) -> list[str]:
    low = unit.lower()
    starts = [one.start() for one in _ASKING.finditer(low)]
    pieces = [unit[start:end] for start, end in pairwise([*starts, len(unit)])]
    good = [one for one in pieces if _SPACED[0] <= one.count(" ") <= _SPACED[1] and "," not in one]
    return good if len(good) >= _RUN and len(good) * 3 >= len(pieces) * 2 else []


def apart(space: Space, questions: Sequence[str]) -> list[str]:
    """Those with hardly a telling word in common with the ones before."""
    kept: list[str] = []
    sets: list[frozenset[int]] = []
    for one in questions:
        mine = frozenset(term for term in space.known(one) if space.rarity[term] > TELLING)
        if len(mine) >= 2 and all(len(mine & other) < _COMMON for other in sets):
            kept.append(one)
            sets.append(mine)
    return kept


def keywords(space: Space, frequent: frozenset[str], text: str) -> str:
    """The first list of words that make no sentence and are on no topic that any approved passage is on;
    empty when there is none. ``frequent``: the words that most texts have."""
    return next((one for one in _lists(frequent, text) if _scattered(space, one)), "")


def _lists(frequent: frozenset[str], text: str) -> Iterator[str]:
    """Runs of words without marks but commas, with hardly a frequent word in any 25 of them."""
    for stretch in _MARKS.split(text[:LONGEST]):
        words = _WORD.findall(stretch)
        if len(words) < _LEAST:
            continue
        held = np.cumsum([0, *(word.lower() in frequent for word in words)])
        bare = np.flatnonzero(held[_LEAST:] - held[:-_LEAST] <= _BARE * _LEAST)
        if len(bare):
            some = words[int(bare[0]) : int(bare[-1]) + _LEAST]
            if len(set(some)) >= _DISTINCT * len(some):
                yield " ".join(some)


def _scattered(space: Space, text: str) -> bool:
    known = space.known(text)
    telling = [term for term in known if space.rarity[term] > TELLING and space.old.frequency[term]]
    if len(telling) < _KNOWN:
        return False
    _, sums = space.old.scores(telling, space.rarity, len(space.approved_sets))
    return float(sums.max()) < _TOPIC * float(space.rarity[telling].sum())
