"""BM25 (Robertson & Zaragoza 2009, by FTS5) over keyed hashes.

Ranking costs some microseconds for each passage that holds any word of the query, so at a million passages
the common words of a question would cost seconds and say little. Rare words are asked first; common ones
only while too few passages were found. For one who may read few access classes, the classes are part of the
full-text query, and nothing outside them is looked at. Where even the rarest word of a question is common,
and its meaning has found passages already, only those are ranked by their words.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import orjson

from ringwall.storage.database import Database

from .asker import Asker
from .blind import BlindWords
from .narrowed import Narrowed
from .schema import CLASSES, WORDS, WORDS_WITHIN

_BUDGET = 4_000
"""Passages ranked in the first round; ten times as many in each next one."""
_NARROW = 64
"""Access classes up to which they are part of the full-text query."""
_COMMON = 8_000
"""Passages that hold a word from which on it is common."""
_COUNTS = 8_192
_K1, _B, _TITLE = 1.2, 0.75, 3.0
"""As FTS5 has them, and the weight of a title in ``schema.WORDS``."""
_TEXTS = "SELECT rowid AS id, title, body FROM data_words WHERE rowid IN (SELECT value FROM json_each(?))"


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
        near: Sequence[int] | None = None,
    ) -> list[tuple[int, float]]:
        """Passages and their BM25, best first; ``only``: none but these. With ``near`` (what was found by
        meaning, if anything) the first round that finds any is enough."""
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
        counts = {word: held for word in hashes if (held := self._count(word))}
        if near and only is None and min(counts.values(), default=0) > _COMMON:
            return self._ranked(counts, near)
        for words in _rounds(counts):
            asked = "{title body}:(" + " OR ".join(f'"{word}"' for word in words) + ")" + within
            if only is None:
                rows = self._db.all(WORDS, *who, asked, count)
            else:
                rows = self._db.all(WORDS_WITHIN, *who, asked, count, only.documents, only.passages)
            found = [(row["id"], -row["rank"]) for row in rows]
            if len(found) >= count or (found and near is not None and only is None):
                break
        return found

    def _ranked(self, counts: Mapping[str, int], near: Sequence[int]) -> list[tuple[int, float]]:
        """These passages by BM25 of the words in them."""
        row = self._db.one("SELECT max(id) AS n FROM data_passage")
        every = int(row["n"] or 0) if row else 0
        weights = {word: max(1e-6, math.log((every - n + 0.5) / (n + 0.5))) for word, n in counts.items()}
        rows = self._db.all(_TEXTS, orjson.dumps(near).decode())
        texts = [(row["id"], Counter(row["title"].split()), Counter(row["body"].split())) for row in rows]
        lengths = [title.total() + body.total() for _, title, body in texts]
        usual = max(1.0, sum(lengths) / max(1, len(lengths)))
        found = []
        for (passage, title, body), length in zip(texts, lengths, strict=True):
            flat = _K1 * (1 - _B + _B * length / usual)
            often = {word: _TITLE * title[word] + body[word] for word in weights}
            score = sum(weights[word] * f * (_K1 + 1) / (f + flat) for word, f in often.items() if f)
            found.append((passage, score))
        return sorted((one for one in found if one[1] > 0), key=lambda one: (-one[1], one[0]))

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


def _rounds(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Ever more of the words, rarest first, until all are in."""
    counted = sorted((count, word) for word, count in counts.items())
    budget, taken, passages = _BUDGET, 0, 0
    while taken < len(counted):
        before = taken
        while taken < len(counted) and (not taken or passages + counted[taken][0] <= budget):
            passages += counted[taken][0]
            taken += 1
        if taken > before:
            yield [word for _, word in counted[:taken]]
        budget *= 10
