"""Values that count only near the words that announce them: ``SSN`` and then nine digits.

The engine finds the words, which are rare, and only their neighbourhood is read for values, so that the
digits of a log cost nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from .checks import CHECKS
from .engine import Place
from .finder import Finder, finder
from .gates import numeric
from .rules import AFTER, WORD, Rule, Value

BEFORE = 40
"""Characters before the words in which a value may begin: ``123-45-6789 is my SSN``."""
_DIGIT = re.compile("[0-9]")
_LETTER = re.compile("[A-Za-z]")

Span = tuple[int, int]
_NOTHING: Mapping[int, int] = MappingProxyType({})


class _Reader(NamedTuple):
    """What there is to know of the pattern of a value."""

    find: Finder
    digit: bool
    """Whether there is a digit in each match."""
    follows: bool
    """Whether it must follow the words at once."""


@lru_cache(maxsize=1024)
def _reader(pattern: str, sensitive: bool) -> _Reader:
    return _Reader(finder(pattern, sensitive=sensitive), numeric(pattern), pattern.startswith("^"))


def announced(
    text: str, places: Sequence[Place], rules: Sequence[Rule], *, again: bool = True
) -> Sequence[Place]:
    """The places, with those that only announce something replaced by what they announce. ``again``: also
    where a surer rule of the family has found the same."""
    out: list[Place] = []
    words: dict[int, list[Span]] = {}
    for place in places:
        index, start, end = place
        if rules[index].value is None:
            out.append(place)
        elif index in words:
            words[index].append((start, end))
        else:
            words[index] = [(start, end)]
    seen = tuple(out)
    for index, group in words.items():
        rule = rules[index]
        known = {
            start: end
            for other, start, end in seen
            if rules[other].family == rule.family and rules[other].score >= rule.score
        }
        found = values(text, rule, group, known)
        out.extend([(index, start, end) for start, end in found if again or known.get(start) != end])
    return out


def values(
    text: str, rule: Rule, words: Iterable[Span], known: Mapping[int, int] = _NOTHING
) -> Iterable[Span]:
    """Spans of the values that these places announce, each once.

    The first one behind the words counts, and then those of the same shape, for as long as no gap is wider
    than ``AFTER``: a list, a column. With none behind them, the nearest one before counts; but a value whose
    pattern begins with ``^`` must follow the words at once. ``known``: where values begin and end that need
    not be read again. Time is linear in the text and in the number of places.
    """
    value = rule.value
    if value is None:
        return ()
    done = 0
    given: dict[Span, None] = {}
    read = _reader(value.pattern, rule.sensitive)
    for start, end in sorted(words):
        if done > end:  # inside a column that has been read
            continue
        found = _column(text, value, read, end, known)
        if found:
            done = found[-1][1]
        elif not read.follows:
            low = _left(text, start - BEFORE)
            if read.digit and not _DIGIT.search(text, low, start + value.width + WORD):
                continue
            found = list(_good(text, value, read, low, start))[-1:]
        for span in found:
            given[span] = None
    return given


def _column(text: str, value: Value, read: _Reader, at: int, known: Mapping[int, int]) -> list[Span]:
    out: list[Span] = []
    if known and (digit := _DIGIT.search(text, at, at + AFTER)) and digit.start() in known:
        at = known[digit.start()]
        out.append((digit.start(), at))
    while not read.digit or _DIGIT.search(text, at, at + AFTER + WORD + value.width):
        shape = _shape(text, out[0]) if out else ""
        for one in _good(text, value, read, at, at + AFTER):
            if not shape or _shape(text, one) == shape:
                break
        else:
            break
        out.append(one)
        at = one[1]
    return out


def _shape(text: str, span: Span) -> str:
    return _LETTER.sub("a", _DIGIT.sub("9", text[slice(*span)]))


def _good(text: str, value: Value, read: _Reader, start: int, stop: int) -> Iterator[Span]:
    """Values that begin in ``start..stop`` and pass the check of the rule."""
    check = CHECKS.get(value.check)
    piece = text[start : _right(text, stop + value.width)]
    data = piece.encode("utf-8", "replace")
    at, size = 0, len(data)
    while at < size:
        spans = read.find(data, at, size)
        if spans[0][0] < 0:
            return
        at = max(at + 1, spans[0][1])
        first, last = spans[value.group]
        if first < 0:
            continue
        if size != len(piece):
            first, last = len(data[:first].decode()), len(data[:last].decode())
        if start + first >= stop:
            return
        if check is None or check(piece[first:last]):
            yield start + first, start + last


def _left(text: str, at: int) -> int:
    at = max(0, at)
    low = max(0, at - WORD)
    while at > low and text[at - 1].isalnum():
        at -= 1
    return at


def _right(text: str, at: int) -> int:
    at = min(len(text), at)
    high = min(len(text), at + WORD)
    while at < high and text[at].isalnum():
        at += 1
    return at
