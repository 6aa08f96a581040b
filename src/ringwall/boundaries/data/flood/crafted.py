"""New passages that were written for the search: what single ones show."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .groups import Space
from .letters import Letters, no_language
from .order import Order
from .passage import PassageLike
from .stuffing import apart, in_a_row, keywords

_QUESTIONS = 5
"""Questions on different things in a row that a passage is raised for."""
_FREQUENT = 200
"""Words that are the frequent ones of the index."""
_FREQUENT_IN = 0.02
"""Part of the passages that has them."""
_LEAST = 200
"""Approved passages from which an order of words can be learnt."""
_LOWEST, _BELOW = -1.3, 0.4
"""Nats a pair of words, and how far below all but one in 200 approved texts; words drawn come to some -2."""
_STRANGE, _ABOVE = 4.2, 0.2
"""Nats a character, and how far above all but one in 200 approved texts."""
_WORD = re.compile(r"[^\W\d_]{1,40}")
_READ = 5_000


@dataclass(frozen=True, slots=True)
class Crafted:
    """A new passage, by row."""

    row: int
    questions: tuple[str, ...] = ()
    """In a row, each on something else."""
    keywords: str = ""
    """A list of words on no topic."""
    gibberish: str = ""
    """How little its words or letters are like any approved text."""


def crafted(space: Space, approved: Sequence[PassageLike], new: Sequence[PassageLike]) -> Iterator[Crafted]:
    """Those with questions in a row, with a list of keywords, or with words in no order."""
    frequent = _frequent([*approved, *new])
    gibberish = _Gibberish([one.text for one in approved])
    documents: defaultdict[str, list[int]] = defaultdict(list)
    for row, passage in enumerate(new):
        documents[passage.document].append(row)
    for row, passage in enumerate(new):
        beside = (new[at].text for at in documents[passage.document] if at != row)
        questions = _unanswered(space, passage.text, beside)
        listed = keywords(space, frequent, passage.text)
        odd = gibberish.of(passage.text)
        if questions or listed or odd:
            yield Crafted(row, tuple(questions), listed, odd)


class _Gibberish:
    """What no approved text is like."""

    def __init__(self, approved: Sequence[str]) -> None:
        self._learnt = len(approved) >= _LEAST
        if self._learnt:
            self._order, self._letters = Order(approved), Letters(approved)
            self._lowest = min(_LOWEST, float(np.percentile(self._order.held_out, 0.5)) - _BELOW)
            self._highest = max(_STRANGE, float(np.percentile(self._letters.held_out, 99.5)) + _ABOVE)

    def of(self, text: str) -> str:
        """What is wrong with a text; empty when nothing is."""
        if not self._learnt:
            return ""
        if (lowest := self._order.lowest(text)) < self._lowest:
            return f"{lowest:.1f} nats a pair of words"
        strangest = self._letters.strangest(text)
        if strangest > self._highest and no_language(text):
            return f"{strangest:.1f} nats a character"
        return ""


def _unanswered(space: Space, text: str, beside: Iterator[str]) -> list[str]:
    """Not those of a page's own contents, which stand once more over their answers."""
    questions = in_a_row(text)
    if len(questions) < _QUESTIONS or len(kept := apart(space, questions)) < _QUESTIONS:
        return []
    rest = "\n".join(beside)
    return [] if 2 * sum(one in rest for one in kept) >= len(kept) else kept


def _frequent(passages: Sequence[PassageLike]) -> frozenset[str]:
    some = passages[:: max(1, len(passages) // _READ)]
    counts: Counter[str] = Counter()
    for passage in some:
        counts.update(set(_WORD.findall(passage.text[:2000].lower())))
    return frozenset(
        word for word, count in counts.most_common(_FREQUENT) if count >= _FREQUENT_IN * len(some)
    )
