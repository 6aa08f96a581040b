"""How texts speak where a group of people is named.

The word lists measure a *change* between two versions; the level that they give has no meaning of its own,
and irony, negation across a clause, other languages and groups not listed are not seen.
"""

import re
from collections.abc import Iterator

from .word_lists import BAD, GOOD, GROUPS, NOT

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][a-z]+)?")
_REACH = 12
_FAMILY = {word: name for name, words in GROUPS.items() for word in words}


def tokens(text: str) -> list[str]:
    """Words in lower case, in order."""
    return [word.replace("\u2019", "'") for word in _TOKEN.findall(text.lower())]


def mentions(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each family that a text names, once, with the words within twelve of all of its mentions."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        if word in _FAMILY:
            places.setdefault(_FAMILY[word], []).append(at)
    for family, found in places.items():
        around: dict[int, str] = {}
        for at in found[:20]:
            for near in range(max(0, at - _REACH), min(len(words), at + _REACH + 1)):
                around[near] = words[near]
        yield family, [around[at] for at in sorted(around)]


def tone(words: list[str]) -> float:
    """-1 to 1: good words less bad ones, by how many there are; 0 when there are none. A negation before a
    word turns it."""
    good = bad = 0
    for at, word in enumerate(words):
        turned = at > 0 and (words[at - 1] in NOT or (at > 1 and words[at - 2] in NOT))
        if word in GOOD:
            good, bad = (good, bad + 1) if turned else (good + 1, bad)
        elif word in BAD:
            good, bad = (good + 1, bad) if turned else (good, bad + 1)
    return (good - bad) / (good + bad) if good + bad else 0.0
