"""Passages in PostgreSQL. Whatever this code asks, row-level security hands out only what the principal may
read.

A search runs as a role that owns nothing, in one read-only transaction: it asks which backend and
transaction it is in, signs a claim for just that one, and then queries. See ``schema.py`` for what the
database makes of the claim.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ringwall.core import Principal

from ...document import Document
from ...keys import CollectionKeys, Sealer
from ...settings import CollectionSettings
from ..asker import Asker
from ..chunk import Chunk, Prepared, open_chunk
from ..fusion import fused
from ..installed import check_installed
from ..prepare import Preparer
from ..settings import RetrievalSettings
from ..store import Progress
from ..within import Piece, Within
from .claims import Claims
from .link import Link
from .marks import examine, mark
from .queries import AMONG, BEGUN_AND_PID, CLAIM, CLASSES, FEW, NEAR, ROWS, WORDED
from .setup import set_up
from .words import NARROW, Asked, Rarity
from .write import replace, signs_text, vector_text, write_collections

_MOST = 50
_DEPTH = 5
_PICKED = 2_000
"""Passages that are picked by the signs of their vectors, to be scored by the vectors themselves."""
_FEW = 20_000
"""Passages of the permitted classes up to which all words are asked at once: the classes, which are part of
the query, keep it short."""
_LISTED = 1_000
"""Access classes up to which a query names them."""


class PostgresStore:
    """Thread-safe; any number of processes may use the same database."""

    def __init__(
        self, settings: RetrievalSettings, envelope: Sealer, keys: CollectionKeys, claim_key: bytes
    ) -> None:
        """ConfigError when a URL is not one that may be used."""
        self._envelope = envelope
        self._keys = keys
        self._preparer = Preparer(envelope, keys)
        self._claims = Claims(claim_key)
        self._retrieval = settings
        self._settings: dict[str, CollectionSettings] = {}
        self._rarity = Rarity()
        self._ready = False
        self._link = Link(settings.url_env, settings.reader_url_env, settings.timeout_s)

    def configure(
        self, collections: Mapping[str, CollectionSettings], retrieval: RetrievalSettings | None = None
    ) -> None:
        """As ``RetrievalStore.configure``; makes the tables first. ConfigError when a role has more rights
        than it may have, DataError when the database can't be reached."""
        collections = {name: one for name, one in collections.items() if one.kind == "index"}
        check_installed(collections)
        self._link.run(self._configure(collections))
        self._settings = dict(collections)
        self._retrieval = retrieval or self._retrieval

    def prepare(self, document: Document, owner: str) -> Prepared:
        """The slow part of adding a document, to be done outside the transaction."""
        settings = self._settings.get(document.collection, CollectionSettings())
        return self._preparer.prepare(document, owner, settings)

    def apply(self, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> None:
        """Replace and remove documents in one transaction of this database. It ends before the vault's:
        when that one fails, ``missing`` names the documents and a rebuild puts them right."""
        self._link.run(self._apply(collection, list(put), list(removed)))

    def search(
        self,
        principal: Principal,
        collections: Sequence[str],
        query: str,
        top_k: int = 4,
        within: Within | None = None,
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first; ``within``: only of these. DataError
        when a returned row was tampered with, or the database can't be reached."""
        asker = Asker.of(principal)
        known = [name for name in dict.fromkeys(collections) if name in self._settings]
        if asker is None or not known:
            return []
        limit = max(1, min(top_k, _MOST))
        found: list[tuple[float, Any]] = []
        for name in known:  # vectors and words of two collections have different keys
            only = None if within is None else within.get(name, ())
            found += self._search(asker, name, query, limit, only)
        best = sorted(found, key=lambda item: (-item[0], item[1]["id"]))[:limit]
        return [open_chunk(self._envelope, dict(row), score) for score, row in best]

    def indexed(self, collection: str) -> list[str]:
        """Ids of the documents that it holds of a collection."""
        rows = self._link.run(
            self._fetched("SELECT document FROM ringwall.document WHERE collection = $1", collection)
        )
        return [row["document"] for row in rows]

    def missing(self, current: Mapping[tuple[str, str], int]) -> list[str]:
        """Where the index and the vault's current revisions differ, or a hybrid collection lacks vectors."""
        rows = self._link.run(self._fetched("SELECT collection, document, revision FROM ringwall.document"))
        have = {(row["collection"], row["document"]): row["revision"] for row in rows}
        wrong = {key for key in {*have, *current} if have.get(key) != current.get(key)}
        hybrid = [name for name, settings in self._settings.items() if settings.search == "hybrid"]
        lacking = self._link.run(self._fetched(_LACKING, hybrid)) if hybrid else []
        wrong |= {(row["collection"], row["document"]) for row in lacking}
        return sorted("/".join(key) for key in wrong)

    def examine(self, documents: Sequence[Document]) -> list[str]:
        """See ``RetrievalStore``: by the marks of its passages."""
        return self._link.run(self._examined(documents))

    def warm(self, progress: Progress | None = None) -> None:
        """Connect as both roles and load the model."""
        for name, settings in self._settings.items():
            if settings.search == "hybrid":
                self._preparer.embedding.of_query(name, "warm")
        self._link.run(self._connected())

    def close(self) -> None:
        """Let go of the connections."""
        self._link.close()

    def _search(
        self, asker: Asker, name: str, query: str, limit: int, only: Sequence[Piece] | None
    ) -> list[tuple[float, Any]]:
        hybrid = self._settings[name].search == "hybrid" and bool(query.strip())
        hashes = self._preparer.words.of_query(name, query)
        asked = None
        if hybrid:
            vector = self._preparer.embedding.of_query(name, query)
            asked = (signs_text(vector), vector_text(vector))
        return self._link.run(self._asked(asker, name, hashes, asked, limit, only))

    async def _asked(
        self,
        asker: Asker,
        name: str,
        hashes: Sequence[str],
        asked: tuple[str, str] | None,
        limit: int,
        only: Sequence[Piece] | None,
    ) -> list[tuple[float, Any]]:
        rounds = await self._rarity.rounds(await self._link.owner(), hashes) if hashes else []
        depth = limit * _DEPTH if asked else limit
        async with self._claimed(asker, name) as connection:
            classes = await connection.fetchval(CLASSES)
            if not classes:
                return []
            ids = None if only is None else await _passages(connection, only)
            thorough = asked is None or ids is not None
            if asked and len(classes) <= NARROW and await connection.fetchval(FEW, classes, _FEW):
                rounds = rounds[-1:]
            scores = await _worded(connection, rounds, classes, depth, ids, thorough=thorough)
            if asked:
                found = await nearest(connection, *asked, classes, depth, ids)
                close = [passage for passage, score in found if score >= self._retrieval.similarity]
                scores = fused(([one for one, _ in scores], close))[:limit]
            wanted = [passage for passage, _ in scores]
            by_id = {row["id"]: row for row in await connection.fetch(ROWS, wanted)}
        return [(score, by_id[passage]) for passage, score in scores if passage in by_id]

    @asynccontextmanager
    async def _claimed(self, asker: Asker, name: str) -> AsyncIterator[Any]:
        """A connection of the reading role in a transaction that may read what the asker may of a
        collection."""
        pool = await self._link.reader()
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            moment = await connection.fetchrow(BEGUN_AND_PID)
            claim = self._claims.made(asker, [name], moment["pid"], moment["begun"])
            await connection.execute(CLAIM, claim)
            yield connection

    async def _configure(self, collections: Mapping[str, CollectionSettings]) -> None:
        owners, readers = await self._link.owner(), await self._link.reader()
        async with owners.acquire() as owner:
            if not self._ready:
                async with readers.acquire() as reader:
                    await set_up(owner, reader, self._claims)
                self._ready = True
            await write_collections(owner, collections)

    async def _apply(self, collection: str, put: list[Prepared], removed: list[str]) -> None:
        async with (await self._link.owner()).acquire() as owner, owner.transaction():
            keys = await replace(owner, collection, put, removed)
            for key, one in zip(keys, put, strict=True):
                await mark(owner, self._keys, key, one.document, one.owner)

    async def _connected(self) -> None:
        for pool in (await self._link.owner(), await self._link.reader()):
            await pool.fetchval("SELECT 1")

    async def _examined(self, documents: Sequence[Document]) -> list[str]:
        return await examine(await self._link.owner(), self._keys, documents)

    async def _fetched(self, sql: str, *values: object) -> list[Any]:
        return list(await (await self._link.owner()).fetch(sql, *values))


async def nearest(
    connection: Any,
    signs: str,
    vector: str,
    classes: Sequence[int],
    count: int,
    ids: Sequence[int] | None = None,
) -> list[tuple[int, float]]:
    """Passages and their cosine, nearest first; ``ids``: none but these."""
    narrow = len(classes) <= _LISTED
    values = (signs, _PICKED, vector, count, classes if narrow else None, ids)
    rows = await connection.fetch(NEAR, *values)
    return [(row["passage"], row["score"]) for row in rows]


async def _passages(connection: Any, only: Sequence[Piece]) -> list[int]:
    """Ids of the passages of these pieces that the asker may read."""
    columns = zip(*((one.document, max(0, one.first), one.last) for one in only), strict=True)
    return list(await connection.fetchval(AMONG, *map(list, columns))) if only else []


async def _worded(
    connection: Any,
    rounds: Sequence[Asked],
    classes: Sequence[int],
    count: int,
    ids: Sequence[int] | None,
    *,
    thorough: bool,
) -> list[tuple[int, float]]:
    """By words, rarest first; commoner ones while too few passages were found. ``ids``: none but these."""
    found: list[tuple[int, float]] = []
    for one in rounds:
        asked = (one.query(classes), list(one.words), count, ids)
        rows = await connection.fetch(WORDED, *asked)
        found = [(row["passage"], row["score"]) for row in rows]
        if len(found) >= count or (found and not thorough):
            break
    return found


_LACKING = """
SELECT d.collection, d.document FROM ringwall.document d
WHERE d.collection = ANY ($1::text[])
  AND EXISTS (SELECT 1 FROM ringwall.passage p WHERE p.document = d.id
              AND NOT EXISTS (SELECT 1 FROM ringwall.vector v WHERE v.passage = p.id))
"""
