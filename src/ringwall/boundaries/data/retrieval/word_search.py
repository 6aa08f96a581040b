"""Ranked by words: the sum over a question's words of their rarity and their share of the best BM25
(Robertson & Zaragoza 2009, by FTS5) of that word, over keyed hashes.

Ranking costs some microseconds for each passage that holds any word of the query, so at a million passages
the common words of a question would cost seconds and say little. Rare words are asked first; common ones
only while too few passages were found. For one who may read few access classes, the classes are part of the
full-text query, and nothing outside them is looked at. Where even the rarest word of a question is common,
and its meaning has found passages already, only those are ranked by their words.

How rare a word is, is counted among the passages that one may read and among no others: a score, or an order
that follows from it, would tell of the rest.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from ringwall.storage.database import Database

from .asker import Asker
from .blind import BlindWords
from .narrowed import Narrowed
from .rarity import rarity
from .schema import CLASSES, WORDS, WORDS_WITHIN

_BUDGET = 4_000
"""Passages ranked in the first round; ten times as many in each next one."""
_NARROW = 64
"""Access classes up to which they are part of the full-text query."""
_COMMON = 8_000
"""Passages that hold a word from which on it is common."""
_COUNTS = 8_192
_EACH = 20_000
"""Passages with one word that are looked at, best first."""
_K1, _TITLE = 1.2, 3.0
"""How soon more of a word counts no more (as FTS5 has it); the weight of a title in ``schema.WORDS``."""
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
        """Passages and how well their words fit, best first; ``only``: none but these. With ``near`` (what
        was found by meaning, if anything) the first round that finds any is enough."""
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
        counts = {word: held for word in hashes if (held := self._count(word))}
        if near and only is None and min(counts.values(), default=0) > _COMMON:
            return self._ranked(counts, near)
        scores: dict[int, float] = {}
        for words in _rounds(counts):
            for word in words:
                asked = f'{{title body}}:"{word}"{within}'
                if only is None:
                    rows = self._db.all(WORDS, *who, asked, _EACH)
                else:
                    rows = self._db.all(WORDS_WITHIN, *who, asked, _EACH, only.documents, only.passages)
                for row in rows:
                    share = row["rank"] / rows[0]["rank"]
                    scores[row["id"]] = scores.get(row["id"], 0.0) + rarity(len(rows)) * share
            if len(scores) >= count or (scores and near is not None and only is None):
                break
        return _best(scores)[:count]

    def _ranked(self, words: Iterable[str], near: Sequence[int]) -> list[tuple[int, float]]:
        """These passages by the words in them."""
        rows = self._db.all(_TEXTS, orjson.dumps(near).decode())
        texts = [(row["id"], Counter(row["title"].split()), Counter(row["body"].split())) for row in rows]
        scores: dict[int, float] = {}
        for word in words:
            often = {one: _TITLE * title[word] + body[word] for one, title, body in texts}
            held = {one: f / (f + _K1) for one, f in often.items() if f}
            for one, share in held.items():
                scores[one] = scores.get(one, 0.0) + rarity(len(held)) * share
        return _best(scores)

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


def _best(scores: Mapping[int, float]) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))


def _rounds(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Ever more of the words, rarest first: those that come in each round."""
    counted = sorted((count, word) for word, count in counts.items())
    budget, taken, passages = _BUDGET, 0, 0
    while taken < len(counted):
        before = taken
        while taken < len(counted) and (not taken or passages + counted[taken][0] <= budget):
            passages += counted[taken][0]
            taken += 1
        if taken > before:
            yield [word for _, word in counted[before:taken]]
        budget *= 10
