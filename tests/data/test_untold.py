"""What one may not read leaves no trace in what one is given: neither in scores, nor in their order."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data import Access, CollectionSettings, DataStores, Document, Index
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval.postgres.store import PostgresStore
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope
from ringwall.storage.database import Database

RETRIEVAL = RetrievalSettings(similarity=0, url_env="T_OWNER", reader_url_env="T_READER", timeout_s=30)
HIDDEN = Access("", frozenset({"board"}))
OPEN = Access()


def doc(name: str, text: str, access: Access, collection: str = "handbook", revision: int = 1) -> Document:
    return Document(collection, name, name, text, "", "ed", 1, access, revision=revision)


@pytest.fixture(params=["sqlite", "postgres"])
def store(
    request: pytest.FixtureRequest,
    db: Database,
    envelope: Envelope,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Any]:
    keys = CollectionKeys(db, envelope)
    if request.param == "sqlite":
        yield Index(db, envelope, keys)
        return
    urls = request.getfixturevalue("postgres_server").database()
    monkeypatch.setenv("T_OWNER", urls.owner)
    monkeypatch.setenv("T_READER", urls.reader)
    made = PostgresStore(RETRIEVAL, envelope, keys, b"k" * 32)
    yield made
    made.close()


@pytest.mark.parametrize("search", ["words", "hybrid"])
def test_hidden_documents_do_not_weigh_words(
    store: Any, db: Database, person: Callable[..., Principal], search: Any
) -> None:
    """Somebody who may write learns from two documents of their own how many others hold a word: not here."""

    def put(*documents: Document) -> None:
        with db.transaction():
            store.apply("handbook", [store.prepare(one, f"own_{one.id}") for one in documents], [])

    def given() -> list[tuple[str, float]]:
        found = store.search(person("casey", "customer"), ["handbook"], "merger zebra lamp", 10)
        return [(one.document, one.score) for one in found]

    store.configure({"handbook": CollectionSettings(readers=("customer",), search=search)}, RETRIEVAL)
    put(
        doc("a", "A merger is told of.", OPEN),
        doc("b", "A zebra is told of.", OPEN),
        doc("c", "Lamps, and a zebra.", OPEN),
    )
    before = given()
    assert len(before) == 3
    put(*(doc(f"h{number}", "The merger, the merger. Lamp!", HIDDEN) for number in range(12)))
    after = given()
    assert [name for name, _ in after] == [name for name, _ in before]
    assert [score for _, score in after] == pytest.approx([score for _, score in before], rel=0.02)


def test_an_index_put_back_is_not_believed(
    stores: DataStores, db: Database, person: Callable[..., Principal]
) -> None:
    """Rows of an earlier revision, or of a removed document, are genuine and old: the vault tells."""
    casey = person("casey", "customer")
    stores.vault.commit("handbook", add=[doc("price", "Lamps cost ten.", OPEN)], author="ed")
    entry = stores.vault.manifest("handbook").entries[0]
    before = stores.index.prepare(stores.vault.open("handbook", entry), entry.owner)

    def put_back() -> None:
        with db.transaction():
            stores.index.apply("handbook", [before], [])

    stores.vault.commit("handbook", add=[doc("price", "Lamps cost twelve.", OPEN)], author="ed")
    put_back()
    assert [one.version for one in stores.index.search(casey, ["handbook"], "lamps cost")] == [1]
    assert stores.retriever.search(casey, ["handbook"], "lamps cost") == []
    assert "handbook/price" in [one.document for one in stores.verify()]
    stores.vault.reindex("handbook")
    stores.vault.commit("handbook", remove=["price"], author="ed")
    put_back()
    assert stores.retriever.search(casey, ["handbook"], "lamps cost") == []
