"""Values that count only near the words that announce them: ``SSN`` and then nine digits.

The engine finds the words, which are rare, and only their neighbourhood is read for values, so that the
digits of a log cost nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import re2

from .checks import CHECKS
from .engine import Hit
from .gates import numeric
from .rules import AFTER, WORD, Rule, Value

BEFORE = 40
"""Characters before the words in which a value may begin: ``123-45-6789 is my SSN``."""
_DIGIT = re.compile("[0-9]")
_LETTER = re.compile("[A-Za-z]")

Span = tuple[int, int]


def announced(text: str, hits: list[Hit]) -> list[Hit]:
    """The hits, with those that only announce something replaced by what they announce."""
    if not any(hit.rule.value for hit in hits):
        return hits
    out: list[Hit] = []
    words: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        (words[hit.rule.id] if hit.rule.value else out).append(hit)
    for group in words.values():
        rule, places = group[0].rule, [(hit.start, hit.end) for hit in group]
        out.extend(Hit(rule, start, end) for start, end in values(text, rule, places))
    return out


def values(text: str, rule: Rule, words: Iterable[Span]) -> Iterator[Span]:
    """Spans of the values that these places announce, each once.

    The first one behind the words counts, and then those of the same shape, for as long as no gap is wider
    than ``AFTER``: a list, a column. With none behind them, the nearest one before counts; but a value whose
    pattern begins with ``^`` must follow the words at once. Time is linear in the text and in the number of
    places.
    """
    value = rule.value
    if value is None:
        return
    done, given = 0, set[Span]()
    pattern = _compiled(value.pattern, rule.sensitive)
    digit = _numeric(value.pattern)
    for start, end in sorted(words):
        if done > end:  # inside a column that has been read
            continue
        if digit and not _DIGIT.search(text, max(0, start - BEFORE - WORD), end + AFTER + WORD + value.width):
            continue
        found = list(_column(text, value, pattern, end))
        if found:
            done = found[-1][1]
        elif not value.pattern.startswith("^"):
            found = list(_good(text, value, pattern, _left(text, start - BEFORE), start))[-1:]
        yield from (one for one in found if one not in given)
        given.update(found)


def _column(text: str, value: Value, pattern: Any, at: int) -> Iterator[Span]:
    shape = ""
    while True:
        found = next(
            (
                one
                for one in _good(text, value, pattern, at, at + AFTER)
                if not shape or _shape(text, one) == shape
            ),
            None,
        )
        if found is None:
            return
        yield found
        shape, at = shape or _shape(text, found), found[1]


def _shape(text: str, span: Span) -> str:
    return _LETTER.sub("a", _DIGIT.sub("9", text[slice(*span)]))


def _good(text: str, value: Value, pattern: Any, start: int, stop: int) -> Iterator[Span]:
    """Values that begin in ``start..stop`` and pass the check of the rule."""
    check = CHECKS.get(value.check)
    piece = text[start : _right(text, stop + value.width)]
    # The bindings count characters for a string, and need not for what has as many bytes.
    for match in pattern.finditer(piece.encode() if piece.isascii() else piece):
        first, last = match.span(value.group)
        if start + first >= stop:
            return
        if first >= 0 and (check is None or check(piece[first:last])):
            yield start + first, start + last


@lru_cache(maxsize=1024)
def _numeric(pattern: str) -> bool:
    return numeric(pattern)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, sensitive: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.case_sensitive = sensitive
    return re2.compile(pattern, options)


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
