"""Is this language? Common words, letter pairs, and words written without spaces.

The list of words (``tables/words.txt``, by falling frequency) is English with what else prompts
hold often; the letter pairs tell any language in Latin letters from a cipher of it.
"""

import math
import re
from functools import cache
from importlib.resources import files

from .rules import builtin

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST = 20
_UNKNOWN = 9.0
"""Cost of a letter that is in no known word."""
_SHORT_WORDS = frozenset(["a", "i"])
_WORD = re.compile(r"[a-z]{2,}")


@cache
def ranks() -> dict[str, int]:
    """Common words and all words of the examples of the rules, with their place by frequency."""
    text = (files(__package__) / "tables/words.txt").read_text("utf-8")
    out: dict[str, int] = {}
    for word in text.split():
        out.setdefault(word, len(out))
    for rule in builtin():
        if rule.cls in ("injection", "jailbreak"):
            for word in _WORD.findall(" ".join(rule.positive).lower()):
                if len(word) > 3:
                    out.setdefault(word, len(out))
    return out


@cache
def words() -> frozenset[str]:
    return frozenset(ranks()) | _SHORT_WORDS


@cache
def _pairs() -> dict[str, float]:
    """Log probability of each pair of letters, words weighted by their place (Zipf)."""
    counts = dict.fromkeys((a + b for a in _LETTERS for b in _LETTERS), 0.02)
    for word, rank in ranks().items():
        weight = 1 / (rank + 20)
        for at in range(len(word) - 1):
            pair = word[at : at + 2]
            if pair in counts:
                counts[pair] += weight
    firsts = {a: sum(counts[a + b] for b in _LETTERS) for a in _LETTERS}
    return {pair: math.log(count / firsts[pair[0]]) for pair, count in counts.items()}


def fluency(letters: str) -> float:
    """Mean log probability of the pairs of a string of lower-case letters: language lies near -2.5, random
    letters and ciphers near -4."""
    if len(letters) < 2:
        return -9.0
    pairs = _pairs()
    return sum(pairs.get(letters[at : at + 2], -6.0) for at in range(len(letters) - 1)) / (len(letters) - 1)


def segmented(letters: str) -> str:
    """The cheapest split of at most some hundred letters into known words; case is kept."""
    lower = letters.lower()
    known = ranks()
    best = [0.0] + [math.inf] * len(lower)
    back = [0] * (len(lower) + 1)
    for end in range(1, len(lower) + 1):
        for start in range(max(0, end - _LONGEST), end):
            cost = best[start] + _cost(lower[start:end], known)
            if cost < best[end]:
                best[end], back[end] = cost, start
    out: list[str] = []
    end = len(lower)
    while end:
        out.append(letters[back[end] : end])
        end = back[end]
    return " ".join(_joined(out[::-1], known))


def _cost(word: str, known: dict[str, int]) -> float:
    if word in _SHORT_WORDS:
        return 6.0
    rank = known.get(word)
    if rank is not None:
        return math.log(rank + 20) + (2.5 if len(word) < 3 else 0.5)
    return _UNKNOWN + 1 if len(word) == 1 else math.inf


def _joined(parts: list[str], known: dict[str, int]) -> list[str]:
    """Unknown letters beside each other make one word."""
    out: list[str] = []
    loose = False
    for part in parts:
        single = len(part) == 1 and part.lower() not in _SHORT_WORDS
        if single and loose:
            out[-1] += part
        else:
            out.append(part)
        loose = single
    return out
