"""Blind words as PostgreSQL's full-text search takes them, and which of a query's words are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..chunk import PreparedPassage
from .queries import COUNTED, SAMPLED
from .schema import SAMPLE

_BUDGET = 4_000
"""Passages ranked in the first round; ten times as many in each next one."""
_MOST_WORDS = 12
NARROW = 64
"""Access classes up to which they are part of the full-text query."""
_RARE = 3
"""Passages of the sample up to which a word is counted exactly."""
_COUNTS = 8_192
_POSITION = 16_383


def vector_of(passage: PreparedPassage, access: int) -> str:
    """A ``tsvector``: each hash with a position for each time that it occurs (in hash order: no order of
    words is kept), those of the title with weight A, and the access class as one more word."""
    places: dict[str, list[str]] = {f"k{access}": []}
    for weight, hashes in (("A", passage.title), ("", passage.body)):
        for at, word in enumerate(hashes, 1):
            places.setdefault(word, []).append(f"{min(at, _POSITION)}{weight}")
    return " ".join(word + (":" + ",".join(at[:255]) if at else "") for word, at in places.items())


@dataclass(frozen=True, slots=True)
class Asked:
    """One round of a search by words."""

    words: tuple[str, ...]

    def query(self, classes: Sequence[int]) -> str:
        """A ``tsquery`` of hexadecimal hashes and class numbers only."""
        asked = "(" + "|".join(self.words) + ")"
        if len(classes) > NARROW:
            return asked
        return f"{asked}&({'|'.join(f'k{one}' for one in classes)})"


class Rarity:
    """Counts of words, as the writing role sees them: they order the words and weigh none, for a score would
    tell of passages that one may not read. Used on one event loop."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    async def rounds(self, owner: Any, hashes: Sequence[str]) -> list[Asked]:
        """Ever more of the words, rarest first: common ones cost much and say little."""
        counts = await self._counted(owner, hashes)
        counted = sorted((count, word) for word, count in counts.items())
        counted = [(count, word) for count, word in counted if count][:_MOST_WORDS]
        found: list[Asked] = []
        budget, taken, passages = _BUDGET, 0, 0
        while taken < len(counted):
            before = taken
            while taken < len(counted) and (not taken or passages + counted[taken][0] <= budget):
                passages += counted[taken][0]
                taken += 1
            if taken > before:
                found.append(Asked(tuple(word for _, word in counted[:taken])))
            budget *= 10
        return found

    async def _counted(self, owner: Any, hashes: Sequence[str]) -> dict[str, int]:
        """Passages that hold each word: of common words an estimate, which is kept: it only orders them."""
        counts = {word: self._counts[word] for word in hashes if word in self._counts}
        unknown = [word for word in hashes if word not in counts]
        if not unknown:
            return counts
        rows = await owner.fetch(SAMPLED, unknown, 10 * _BUDGET // SAMPLE)
        common = {row["word"]: row["passages"] * SAMPLE for row in rows if row["passages"] > _RARE}
        if len(self._counts) + len(common) > _COUNTS:
            self._counts.clear()
        self._counts.update(common)
        rare = [word for word in unknown if word not in common]
        rows = await owner.fetch(COUNTED, rare, _BUDGET) if rare else []
        return {**counts, **common, **{row["word"]: row["passages"] for row in rows}}
