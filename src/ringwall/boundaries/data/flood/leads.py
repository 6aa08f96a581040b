"""The question that the passages of a group begin with, if they do."""

import re
from collections.abc import Sequence

from ..words import words

_FIRST = re.compile(r"[^.?!\n]{3,400}[.?!\n]")
_ASKS = re.compile(
    r"(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|may|should|will|"
    r"would|has|have|had|name|tell|in what|in which|on what|on which|at what|for what)\b",
    re.IGNORECASE,
)
_ALIKE = 0.5
_SHORT = 3


def lead(text: str) -> str:
    """The first sentence or line, with its mark; empty when there is none within 400 characters."""
    found = _FIRST.match(text[:500].lstrip("\"'#*-> \t\n"))
    return found[0].strip() if found else ""


def asks(sentence: str) -> bool:
    """Whether it is put as a question."""
    return sentence.endswith("?") or bool(_ASKS.match(sentence))


def body(text: str) -> str:
    """What follows a leading question; all of it when it begins with none."""
    first = lead(text)
    return text.partition(first)[2] if first and asks(first) and first in text else text


def shared_question(texts: Sequence[str]) -> tuple[str, float]:
    """The question that most of the texts begin with, word for word or nearly, and the share of the texts
    that do. Compared as sets of search words, so that order and endings do not count."""
    leads = [first if asks(first) else "" for first in map(lead, texts)]
    sets = [frozenset(words(first)) for first in leads]
    best, most = "", 0
    for first, mine in zip(leads, sets, strict=True):
        like = sum(_alike(mine, other) for other in sets)
        if len(mine) >= 2 and like > most:
            best, most = first, like
    return best, most / len(texts) if texts else 0.0


def _alike(left: frozenset[str], right: frozenset[str]) -> bool:
    smaller = min(len(left), len(right))
    if not smaller:
        return False
    shared = len(left & right)
    return shared >= min(smaller, _SHORT) and shared / len(left | right) >= _ALIKE
