"""Near-copies: sets of word shingles, compared exactly for a few and by MinHash for many."""

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
WIDTH = 4
"""Words of a shingle."""
_HASHES = 64
_BANDS = 16
"""Of four hashes each: two texts with a Jaccard of .5 meet with a chance of .64, of .7 with .99."""
_LONGEST = 8000
_PRIME = np.uint64((1 << 31) - 1)
_DRAWN = random.Random(20)  # noqa: S311 (the same hashes every time: no secret)
_FACTORS = np.array([[_DRAWN.randrange(1, int(_PRIME))] for _ in range(_HASHES)], dtype=np.uint64)
_SHIFTS = np.array([[_DRAWN.randrange(int(_PRIME))] for _ in range(_HASHES)], dtype=np.uint64)

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


def jaccard(left: Shingles, right: Shingles) -> float:
    both = len(left & right)
    return both / (len(left) + len(right) - both) if left or right else 0.0


def families(sets: Sequence[Shingles], least: float) -> list[list[int]]:
    """Positions of texts that are near-copies (Jaccard of at least ``least``) of a first one, two or more;
    largest family first. MinHash with banding (Broder 1997) proposes, the exact Jaccard decides."""
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for position, found in enumerate(sets):
        if found:
            signature = _signature(found)
            for band in range(_BANDS):
                buckets[band, signature[band * 4 : band * 4 + 4].tobytes()].append(position)
    near: defaultdict[int, set[int]] = defaultdict(set)
    for members in buckets.values():
        first = members[0]
        for other in members[1:]:
            near[first].add(other)
    taken: set[int] = set()
    out = []
    for first in sorted(near):
        if first in taken:
            continue
        family = [first]
        family += [
            other
            for other in sorted(near[first])
            if other not in taken and jaccard(sets[first], sets[other]) >= least
        ]
        if len(family) > 1:
            taken.update(family)
            out.append(family)
    return sorted(out, key=lambda family: (-len(family), family))


def _signature(found: Shingles) -> NDArray[np.uint64]:
    digests = b"".join(
        hashlib.blake2b(one.encode("utf-8", "replace"), digest_size=4).digest() for one in found
    )
    numbers = np.frombuffer(digests, dtype=np.uint32).astype(np.uint64)
    signature: NDArray[np.uint64] = ((numbers * _FACTORS + _SHIFTS) % _PRIME).min(axis=1)
    return signature
