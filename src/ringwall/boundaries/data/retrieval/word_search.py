"""BM25 (Robertson & Zaragoza 2009, by FTS5) over keyed hashes.

Ranking costs some microseconds for each passage that holds any word of the query, so at a million passages
the common words of a question would cost seconds and say little. Rare words are asked first; common ones
only while too few passages were found. For one who may read few access classes, the classes are part of the
full-text query, and nothing outside them is looked at.
"""

from collections.abc import Iterator, Sequence

import orjson

from ringwall.storage.database import Database

from .asker import Asker
from .blind import BlindWords
from .narrowed import Narrowed
from .schema import CLASSES, WORDS, WORDS_WITHIN

_BUDGET = 8_000
"""Passages ranked in the first round; ten times as many in each next one."""
_NARROW = 64
"""Access classes up to which they are part of the full-text query."""
_COUNTS = 8_192


class WordSearch:
    """Thread-safe."""

    def __init__(self, db: Database, words: BlindWords) -> None:
        self._db = db
        self._words = words
        self._counts: dict[str, int] = {}

    def search(
        self,
        asker: Asker,
        collections: Sequence[str],
        query: str,
        count: int,
        only: Narrowed | None = None,
        *,
        thorough: bool = True,
    ) -> list[tuple[int, float]]:
        """Passages and their BM25, best first; ``only``: none but these. Not ``thorough``: the first round
        that finds any is enough."""
        hashes = {word for name in collections for word in self._words.of_query(name, query)}
        if not hashes:
            return []
        who = (orjson.dumps(collections).decode(), asker.roles_json, asker.tenant, asker.subject)
        classes = [row["id"] for row in self._db.all(CLASSES, *who)]
        if not classes:
            return []
        within = (
            f" AND class:({' OR '.join(f'k{one}' for one in classes)})" if len(classes) <= _NARROW else ""
        )
        found: list[tuple[int, float]] = []
        for words in self._rounds(hashes):
            asked = "{title body}:(" + " OR ".join(f'"{word}"' for word in words) + ")" + within
            if only is None:
                rows = self._db.all(WORDS, *who, asked, count)
            else:
                rows = self._db.all(WORDS_WITHIN, *who, asked, count, only.documents, only.passages)
            found = [(row["id"], -row["rank"]) for row in rows]
            if len(found) >= count or (found and not thorough):
                break
        return found

    def _rounds(self, hashes: set[str]) -> Iterator[list[str]]:
        """Ever more of the words, rarest first, until all that occur are in."""
        counted = sorted((count, word) for word in hashes if (count := self._count(word)))
        budget, taken, passages = _BUDGET, 0, 0
        while taken < len(counted):
            before = taken
            while taken < len(counted) and (not taken or passages + counted[taken][0] <= budget):
                passages += counted[taken][0]
                taken += 1
            if taken > before:
                yield [word for _, word in counted[:taken]]
            budget *= 10

    def _count(self, word: str) -> int:
        """Passages that hold a word. Common words' counts are kept: they only order the words."""
        known = self._counts.get(word)
        if known is None:
            row = self._db.one("SELECT doc FROM data_words_count WHERE term = ?", word)
            known = int(row["doc"]) if row else 0
            if known >= _BUDGET // 10:
                if len(self._counts) >= _COUNTS:
                    self._counts.clear()
                self._counts[word] = known
        return known
