"""Rows of the PostgreSQL index that a superuser changed: ``verify`` names the document and the passage."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ringwall.boundaries.data import Access, CollectionSettings, Document
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval.postgres.store import PostgresStore
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.boundaries.data.vault import Vault
from ringwall.boundaries.data.verify import verify
from ringwall.core import ConfigError
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.blobs import LocalBlobs
from ringwall.storage.database import Database

RETRIEVAL = RetrievalSettings(url_env="T_OWNER", reader_url_env="T_READER", similarity=0, timeout_s=30)
SEARCHED = {"handbook": CollectionSettings(readers=("customer",), search="hybrid", chunk_chars=200)}
LONG = "\n\n".join(f"Paragraph {number} tells of lamps and pumps. " * 4 for number in range(3))
NARROW = Access("north", frozenset({"chief"}), frozenset({"ann"}))
DOCUMENTS = [
    Document("handbook", "open", "Open", f"# Lamps\n\n{LONG}", "", "ed", 1),
    Document("handbook", "narrow", "Narrow", "Margins are low.", "", "ed", 1, NARROW),
    Document("handbook", "empty", "Empty", "  \n ", "", "ed", 1),
]


class Bench:
    def __init__(self, urls: Any, folder: Path) -> None:
        self.urls = urls
        self._db = Database(folder / "state.db")
        self._envelope = Envelope(folder, MasterKey.load(folder))
        keys = CollectionKeys(self._db, self._envelope)
        self.open: Callable[[], PostgresStore] = lambda: PostgresStore(
            RETRIEVAL, self._envelope, keys, b"k" * 32
        )
        self.store = self.open()
        self.store.configure(SEARCHED, RETRIEVAL)
        self.vault = Vault(self._db, LocalBlobs(folder / "blobs"), self._envelope, keys, self.store)
        self.vault.commit("handbook", add=DOCUMENTS, author="ed")

    def told(self) -> list[str]:
        return [f"{one.document}: {one.message}" for one in verify(self.vault, self.store)]

    def admin(self, *statements: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.urls.admin)
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    def close(self) -> None:
        self.store.close()
        self._envelope.close()
        self._db.close()


@pytest.fixture(scope="module")
def bench(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        urls = postgres_server.database()
        patch.setenv("T_OWNER", urls.owner)
        patch.setenv("T_READER", urls.reader)
        made = Bench(urls, tmp_path_factory.mktemp("bench"))
        assert made.told() == []
        yield made
        made.close()


OPEN = "(SELECT id FROM ringwall.document WHERE document = 'open')"
OTHER = "(SELECT id FROM ringwall.document WHERE document = 'narrow')"
FIRST = f"(SELECT id FROM ringwall.passage WHERE document = {OPEN} AND ordinal = 0)"
SECOND = f"(SELECT id FROM ringwall.passage WHERE document = {OPEN} AND ordinal = 1)"
ALIEN = f"(SELECT id FROM ringwall.passage WHERE document = {OTHER})"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (f"UPDATE ringwall.passage SET sealed = '\\x00' WHERE id = {SECOND}", "open", "passage 1"),
        (f"UPDATE ringwall.words SET words = words || 'abc:1' WHERE passage = {FIRST}", "open", "passage 0"),
        (f"UPDATE ringwall.words SET words = ts_delete(words, (tsvector_to_array(words))[1]) "
         f"WHERE passage = {SECOND}", "open", "passage 1"),
        (f"UPDATE ringwall.vector SET vector = (SELECT vector FROM ringwall.vector WHERE passage = {ALIEN}) "
         f"WHERE passage = {SECOND}", "open", "passage 1"),
        (f"UPDATE ringwall.code SET code = ~code WHERE passage = {FIRST}", "open", "passage 0"),
        (f"DELETE FROM ringwall.vector WHERE passage = {FIRST}", "open", "passage 0"),
        (f"DELETE FROM ringwall.words WHERE passage = {FIRST}", "open", "passage 0"),
        (f"DELETE FROM ringwall.mark WHERE passage = {SECOND}", "open", "passage 1"),
        (f"DELETE FROM ringwall.passage WHERE id = {FIRST}", "open", "Passage 0"),
        (f"DELETE FROM ringwall.passage WHERE document = {OPEN} AND ordinal > 1", "open", "after 1"),
        (f"DELETE FROM ringwall.passage WHERE document = {OTHER}", "narrow", "missing"),
        (f"INSERT INTO ringwall.passage (document, class, ordinal, sealed) SELECT document, class, ordinal, "
         f"sealed FROM ringwall.passage WHERE id = {SECOND}", "open", "twice"),
        (f"UPDATE ringwall.passage SET ordinal = 1 - ordinal WHERE document = {OPEN} AND ordinal < 2",
         "open", "passage 0"),
        (f"UPDATE ringwall.passage SET document = {OPEN}, ordinal = 9 WHERE document = {OTHER}",
         "narrow", "missing"),
        (f"UPDATE ringwall.code SET class = 1 + class WHERE passage = {FIRST}", "open", "access class"),
        (f"UPDATE ringwall.passage SET class = 1 + class WHERE id = {FIRST}", "open", "access class"),
        (f"UPDATE ringwall.document SET class = (SELECT class FROM ringwall.document WHERE id = {OPEN}) "
         f"WHERE id = {OTHER}", "narrow", "list of readers"),
        ("UPDATE ringwall.access_class SET listed = false", "narrow", "list of readers"),
        ("UPDATE ringwall.access_class SET tenant = '' WHERE tenant = 'north'", "narrow", "list of readers"),
        ("INSERT INTO ringwall.class_reader SELECT 'role', 'customer', id FROM ringwall.access_class "
         "WHERE listed", "narrow", "list of readers"),
        (f"UPDATE ringwall.document SET revision = 7 WHERE id = {OPEN}", "open", "disagree"),
        (f"UPDATE ringwall.document SET owner = 'me' WHERE id = {OPEN}", "open", "passage 0"),
        ("INSERT INTO ringwall.document (class, collection, document, revision, owner) "
         "SELECT class, collection, 'ghost', 1, owner FROM ringwall.document LIMIT 1", "ghost", "disagree"),
        (f"DELETE FROM ringwall.document WHERE id = {OTHER}", "narrow", "disagree"),
    ],
)  # fmt: skip
def test_each_change_by_a_superuser_is_found_and_located(
    bench: Bench, change: str, where: str, what: str
) -> None:
    bench.admin(change)
    found = bench.told()
    assert any(f"handbook/{where}" in one.partition(": ")[0] and what in one for one in found), found
    bench.admin("TRUNCATE ringwall.document, ringwall.access_class CASCADE")
    bench.vault.reindex("handbook")
    assert bench.told() == []


@pytest.mark.parametrize(
    "change",
    [
        "CREATE OR REPLACE FUNCTION ringwall.permitted() RETURNS integer[] LANGUAGE sql STABLE SECURITY "
        "DEFINER AS 'SELECT array_agg(id) FROM ringwall.access_class'",
        "CREATE FUNCTION ringwall.every() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS "
        "'SELECT count(*) FROM ringwall.passage'",
        "CREATE FUNCTION public.every() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS "
        "'SELECT count(*) FROM ringwall.passage'; ALTER FUNCTION public.every() OWNER TO rw_owner",
    ],
)
def test_a_function_that_gives_more_refuses_the_start(
    postgres_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    urls = postgres_server.database()
    monkeypatch.setenv("T_OWNER", urls.owner)
    monkeypatch.setenv("T_READER", urls.reader)
    made = Bench(urls, tmp_path)
    made.admin(change)
    again = made.open()
    with pytest.raises(ConfigError, match="functions in the schema"):
        again.configure(SEARCHED, RETRIEVAL)
    again.close()
    made.close()
