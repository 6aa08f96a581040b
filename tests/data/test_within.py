"""A search narrowed to some passages finds what a search of everything finds of them, in both stores."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data import Access, CollectionSettings, Document, Index
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval.postgres.store import PostgresStore
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.boundaries.data.retrieval.store import RetrievalStore
from ringwall.boundaries.data.retrieval.within import LAST, Piece
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

PASSAGES = 6
DOCUMENTS = 8
SEARCHED = {
    "words": CollectionSettings(readers=("customer",)),
    "hybrid": CollectionSettings(readers=("customer",), search="hybrid"),
}
PIECES = st.builds(
    Piece,
    st.sampled_from([f"d{number}" for number in range(DOCUMENTS + 2)]),
    st.integers(0, PASSAGES),
    st.one_of(st.just(LAST), st.integers(-1, PASSAGES)),
)


def document(number: int, collection: str) -> Document:
    """Passages that all hold the words asked for, more of them or fewer; every third is not for everybody."""
    text = "\n\n".join(
        f"# Part {at}\n\n{'lamp ' * (1 + (number + at) % 4)}and glass" for at in range(PASSAGES)
    )
    access = Access("", frozenset({"manager"})) if number % 3 == 0 else Access()
    return Document(collection, f"d{number}", f"Number {number}", text, "", "ed", 1, access, revision=1)


def fill(store: Any, db: Database) -> Any:
    store.configure(SEARCHED, RETRIEVAL)
    for name in SEARCHED:
        made = [store.prepare(document(number, name), f"own_{number}") for number in range(DOCUMENTS)]
        with db.transaction():
            store.apply(name, made, [])
    return store


RETRIEVAL = RetrievalSettings(similarity=0, url_env="T_OWNER", reader_url_env="T_READER", timeout_s=30)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(
    request: pytest.FixtureRequest, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RetrievalStore]:
    folder: Path = tmp_path_factory.mktemp("within")
    db = Database(folder / "state.db")
    envelope = Envelope(folder, MasterKey.load(folder))
    keys = CollectionKeys(db, envelope)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "sqlite":
            yield fill(Index(db, envelope, keys), db)
        else:
            urls = postgres_server.database()
            patch.setenv("T_OWNER", urls.owner)
            patch.setenv("T_READER", urls.reader)
            store = fill(PostgresStore(RETRIEVAL, envelope, keys, b"k" * 32), db)
            yield store
            store.close()
    envelope.close()
    db.close()


@given(
    pieces=st.lists(PIECES, max_size=6),
    collection=st.sampled_from(sorted(SEARCHED)),
    manager=st.booleans(),
    most=st.integers(1, 50),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_what_a_naive_filter_leaves(
    filled: RetrievalStore,
    person: Callable[..., Principal],
    pieces: list[Piece],
    collection: str,
    manager: bool,
    most: int,
) -> None:
    who = person("casey", "customer", *(["manager"] if manager else []))
    everything = filled.search(who, [collection], "lamp glass", 50)
    assert len(everything) == (8 if manager else 5) * PASSAGES
    naive = [
        (one.document, one.ordinal)
        for one in everything
        if any(
            piece.document == one.document and piece.first <= one.ordinal <= piece.last for piece in pieces
        )
    ]
    found = [
        (one.document, one.ordinal)
        for one in filled.search(who, [collection], "lamp glass", most, {collection: pieces})
    ]
    assert len(found) == min(most, len(naive))
    assert set(found) <= set(naive)
    if most >= len(naive):
        assert set(found) == set(naive)
    if collection == "words":
        assert found == naive[:most]
    assert filled.search(who, [collection], "lamp glass", most, {}) == []
