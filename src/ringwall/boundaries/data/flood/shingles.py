"""Near-copies: sets of word shingles (Broder 1997)."""

import re

_WORD = re.compile(r"\w+")
WIDTH = 4
"""Words of a shingle."""
_LONGEST = 8000

Shingles = frozenset[str]


def shingles(text: str) -> Shingles:
    """Runs of four words, in lower case. Figures count as one and the same: a new date makes no new text."""
    found = ["0" if word[0].isdigit() else word for word in _WORD.findall(text[:_LONGEST].lower())]
    if len(found) <= WIDTH:
        return frozenset([" ".join(found)] if found else [])
    return frozenset(" ".join(found[at : at + WIDTH]) for at in range(len(found) - WIDTH + 1))


def containment(left: Shingles, right: Shingles) -> float:
    """Share of the smaller set that the larger one has."""
    smaller = min(len(left), len(right))
    return len(left & right) / smaller if smaller else 0.0
