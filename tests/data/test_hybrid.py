"""The embedded store with vectors: found by meaning, filtered like everything else, sealed, kept in step."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data import Access, CollectionSettings, DataSection, DataStores, Document
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval import installed
from ringwall.boundaries.data.retrieval.embedding import Embedding, rotation
from ringwall.boundaries.data.retrieval.fusion import fused
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.boundaries.data.retrieval.vectors import Quantised, Rows, Vectors
from ringwall.core import ConfigError, DataError, Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

HYBRID = DataSection(
    collections={
        "handbook": CollectionSettings(readers=("customer",), search="hybrid"),
        "plain": CollectionSettings(readers=("customer",)),
    }
)
EVERYBODY = Access()
TEXTS = {
    "pets": "Dogs and cats are welcome in our guest rooms.",
    "money": "The invoice is due within thirty days of receipt.",
    "weather": "Heavy rain is expected along the coast tomorrow.",
}


def doc(name: str, text: str, access: Access = EVERYBODY, collection: str = "handbook") -> Document:
    return Document(collection, name, name, text, "notes.md", "ed", 1, access)


@pytest.fixture
def stores(db: Database, envelope: Envelope, tmp_path: Path) -> DataStores:
    opened = DataStores.open(HYBRID, db, tmp_path, envelope)
    opened.vault.commit("handbook", add=[doc(name, text) for name, text in TEXTS.items()], author="ed")
    return opened


def names(stores: DataStores, who: Principal, query: str, top_k: int = 1) -> list[str]:
    return [chunk.document for chunk in stores.index.search(who, ["handbook"], query, top_k)]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("May I bring my puppy?", "pets"),
        ("when must the bill be paid", "money"),
        ("storm forecast", "weather"),
    ],
)
def test_found_by_meaning_without_a_common_word(
    stores: DataStores, person: Callable[..., Principal], query: str, best: str
) -> None:
    assert names(stores, person("casey", "customer"), query) == [best]


def test_a_chunk_names_its_contributor_and_origin(
    stores: DataStores, person: Callable[..., Principal]
) -> None:
    chunk = stores.index.search(person("casey", "customer"), ["handbook"], "puppy")[0]
    assert (chunk.contributor, chunk.origin) == ("ed", "notes.md")


def test_the_vector_search_reads_what_other_processes_commit_and_remove(
    stores: DataStores, tmp_path: Path, envelope: Envelope, person: Callable[..., Principal]
) -> None:
    casey = person("casey", "customer")
    assert names(stores, casey, "puppy") == ["pets"]
    other = Database(tmp_path / "state.db")
    twin = DataStores.open(HYBRID, other, tmp_path, envelope)
    twin.vault.commit("handbook", add=[doc("boats", "The ferry leaves the harbour at noon.")], author="ed")
    assert names(stores, casey, "ship departure time") == ["boats"]
    twin.vault.commit("handbook", remove=["boats"], author="ed")
    twin.vault.commit("handbook", add=[doc("pets", "Neither dogs nor cats are welcome.")], author="ed")
    assert "boats" not in names(stores, casey, "ship departure time", 10)
    found = stores.index.search(casey, ["handbook"], "may I bring my puppy", 10)
    assert {chunk.version for chunk in found if chunk.document == "pets"} == {2}
    other.close()


def test_the_file_holds_no_vector_in_the_clear(
    stores: DataStores, tmp_path: Path, db: Database, envelope: Envelope
) -> None:
    stored = Quantised.of(
        Embedding(CollectionKeys(db, envelope)).of_texts("handbook", ["pets\n" + TEXTS["pets"]])
    )
    db.one("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = (tmp_path / "state.db").read_bytes()
    assert stored.steps.tobytes()[:32] not in raw
    assert stored.steps.tobytes()[100:132] not in raw


def test_a_vector_moved_to_another_document_is_refused(
    stores: DataStores, tmp_path: Path, person: Callable[..., Principal]
) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        one = connection.execute("SELECT sealed FROM data_vector LIMIT 1").fetchone()
        connection.execute("UPDATE data_vector SET sealed = ?", one)
    connection.close()
    with pytest.raises(DataError, match=r"vectors of document:handbook/"):
        names(stores, person("casey", "customer"), "puppy")


def test_an_erased_document_is_not_found_by_its_vector(
    stores: DataStores, person: Callable[..., Principal]
) -> None:
    casey = person("casey", "customer")
    assert names(stores, casey, "puppy") == ["pets"]
    stores.vault.erase("handbook", "pets", author="ed")
    assert "pets" not in names(stores, casey, "puppy", 10)


def test_documents_without_vectors_are_told_and_a_rebuild_adds_them(
    db: Database, envelope: Envelope, tmp_path: Path, person: Callable[..., Principal]
) -> None:
    words = DataSection(collections={"handbook": CollectionSettings(readers=("customer",))})
    before = DataStores.open(words, db, tmp_path, envelope)
    before.vault.commit("handbook", add=[doc("pets", TEXTS["pets"])], author="ed")
    assert before.verify() == []
    after = DataStores.open(HYBRID, db, tmp_path, envelope)
    assert [damage.document for damage in after.verify()] == ["handbook/pets"]
    assert names(after, person("casey", "customer"), "puppy") == []
    after.vault.reindex("handbook")
    assert after.verify() == []
    assert names(after, person("casey", "customer"), "puppy") == ["pets"]


def test_without_the_extra_a_hybrid_collection_refuses_to_start(
    db: Database, envelope: Envelope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "available", lambda: False)
    with pytest.raises(ConfigError, match="ringwall\\[embeddings\\]"):
        DataStores.open(HYBRID, db, tmp_path, envelope)


def test_vectors_that_have_no_room_are_refused(db: Database, envelope: Envelope, tmp_path: Path) -> None:
    section = HYBRID.model_copy(update={"retrieval": RetrievalSettings(memory_mb=16)})
    stores = DataStores.open(section, db, tmp_path, envelope)
    stores.index.prepare(doc("pets", TEXTS["pets"]), "own_1")
    stores.index._vectors._counted = 40_000  # as if so many were there
    with pytest.raises(DataError, match="memory_mb"):
        stores.index.prepare(doc("pets", TEXTS["pets"]), "own_1")


def test_a_rotation_keeps_inner_products_and_tells_collections_apart(
    db: Database, envelope: Envelope
) -> None:
    turn = rotation(b"secret")
    assert np.allclose(turn @ turn.T, np.eye(384), atol=1e-5)
    assert np.allclose(turn, rotation(b"secret"))
    embedding = Embedding(CollectionKeys(db, envelope))
    one, two = embedding.of_texts("handbook", ["a dog"]), embedding.of_texts("plain", ["a dog"])
    assert abs(float(one[0] @ two[0])) < 0.4
    assert float(one[0] @ embedding.of_query("handbook", "a dog")) == pytest.approx(1, abs=1e-4)


def test_fusion_prefers_what_both_rankings_hold() -> None:
    assert next(one for one, _ in fused([[1, 2, 3], [4, 2]])) == 2
    assert fused([[], []]) == []


@given(seed=st.integers(0, 1000), permitted=st.sets(st.integers(1, 6), max_size=5))
@settings(max_examples=15, deadline=None)
def test_no_row_of_another_class_and_the_nearest_of_the_permitted(seed: int, permitted: set[int]) -> None:
    """Against a plain computation, over many blocks, with rows removed and places used again."""
    chance = np.random.default_rng(seed)
    held: dict[int, tuple[int, np.ndarray]] = {}
    vectors = Vectors()
    for key in range(1, 40):
        count = int(chance.integers(1, 30))
        rows = chance.standard_normal((count, 384)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors.add([Rows(key, key % 6 + 1, [key * 100 + n for n in range(count)], Quantised.of(rows))])
        held[key] = (key % 6 + 1, rows)
        if key % 5 == 0:
            gone = int(chance.integers(1, key))
            vectors.remove(gone)
            held.pop(gone, None)
    query = chance.standard_normal(384).astype(np.float32)
    query /= np.linalg.norm(query)
    truth = sorted(
        (
            (key * 100 + n, float(row @ query))
            for key, (cls, rows) in held.items()
            if cls in permitted
            for n, row in enumerate(rows)
        ),
        key=lambda item: -item[1],
    )
    assert len(vectors) == sum(len(rows) for _, rows in held.values())
    found = vectors.nearest(query, permitted, 10, -1.0)
    assert {passage for passage, _ in found} <= {passage for passage, _ in truth}
    assert [score for _, score in found] == pytest.approx([score for _, score in truth[:10]], abs=0.01)


def test_many_rows_are_picked_by_their_signs_and_the_neighbours_are_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ringwall.boundaries.data.retrieval import vectors as module

    monkeypatch.setattr(module, "_ALL_SCORED", 500)
    monkeypatch.setattr(module, "_PICKED", 400)
    chance = np.random.default_rng(5)
    rows = chance.standard_normal((4000, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors = Vectors()
    for cls in (1, 2):
        half = rows[(cls - 1) * 2000 : cls * 2000]
        ids = range((cls - 1) * 2000, cls * 2000)
        vectors.add([Rows(cls, cls, list(ids), Quantised.of(half))])
    query = rows[17] + rows[2500] + 0.02 * chance.standard_normal(384).astype(np.float32)
    found = [passage for passage, _ in vectors.nearest(query, [1], 10, -1.0)]
    assert found[0] == 17
    assert max(found) < 2000
    assert {17, 2500} <= {passage for passage, _ in vectors.nearest(query, [1, 2], 10, -1.0)}


@given(raw=st.binary(max_size=1200))
def test_bytes_that_are_no_vectors_are_refused(raw: bytes) -> None:
    if len(raw) % 388:
        with pytest.raises(ValueError, match="whole number"):
            Quantised.from_bytes(raw)
    else:
        assert len(Quantised.from_bytes(raw).scale) == len(raw) // 388


ACCESS = st.builds(
    Access,
    st.sampled_from(["", "north", "south"]),
    st.frozensets(st.sampled_from(["customer", "agent"]), max_size=2),
    st.frozensets(st.sampled_from(["amy", "bob"]), max_size=1),
)
PRINCIPALS = st.builds(
    Principal,
    st.sampled_from(["amy", "bob", "anonymous"]),
    st.sampled_from(["north", "south", "", "north\x00"]),
    st.frozensets(st.sampled_from(["customer", "agent", "editor"]), max_size=3),
    credential=st.sampled_from(["", "key"]),
)


@given(
    readers=st.lists(st.sampled_from(["customer", "agent"]), max_size=2, unique=True).map(tuple),
    isolated=st.booleans(),
    lists=st.lists(ACCESS, min_size=1, max_size=6),
    askers=st.lists(PRINCIPALS, min_size=1, max_size=6),
    query=st.one_of(st.just("welcome pets"), st.text(max_size=60)),
)
@settings(max_examples=12, deadline=None)
def test_zero_leaks_and_everything_permitted_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    readers: tuple[str, ...],
    isolated: bool,
    lists: list[Access],
    askers: list[Principal],
    query: str,
) -> None:
    folder = tmp_path_factory.mktemp("hybrid")
    collection = CollectionSettings(readers=readers, isolate_tenants=isolated, search="hybrid")
    retrieval = RetrievalSettings(similarity=0)
    db, envelope = Database(folder / "state.db"), Envelope(folder, MasterKey.load(folder))
    section = DataSection(collections={"handbook": collection}, retrieval=retrieval)
    stores = DataStores.open(section, db, folder, envelope)
    documents = [doc(f"d{n}", "Pets are welcome.", access) for n, access in enumerate(lists)]
    stores.vault.commit("handbook", add=documents, author="ed")
    for asker in askers:
        may = {d.id for d in documents if asker.tenant.isalnum() and d.access.admits(asker, collection)}
        found = stores.index.search(asker, ["handbook"], query, 50)
        assert {chunk.document for chunk in found} <= may
        assert {c.document for c in stores.index.search(asker, ["handbook"], "pets welcome", 50)} == may
    db.close()
    envelope.close()


def test_an_index_of_the_first_version_is_taken_over(
    tmp_path: Path, envelope: Envelope, person: Callable[..., Principal]
) -> None:
    """Tables as they were before access classes, with the passages sealed as now."""
    from ringwall.boundaries.data.retrieval import schema
    from ringwall.boundaries.data.retrieval.prepare import Preparer

    old = Database(tmp_path / "old.db")
    old.migrate("data_index", schema.STEPS[:1])
    keys = CollectionKeys(old, envelope)
    settings_of = CollectionSettings(readers=("customer", "agent"))
    lists = [
        Access("north"),
        Access("north", frozenset({"agent"})),
        Access("", frozenset(), frozenset({"amy"})),
    ]
    for number, access in enumerate(lists, 1):
        document = doc(f"d{number}", "Pets are welcome.", access)
        made = Preparer(envelope, keys).prepare(document, f"own_{number}", settings_of)
        old.write(
            "INSERT INTO data_document VALUES (?, 'handbook', ?, 0, ?, ?, ?)",
            *(number, document.id, f"own_{number}", access.tenant, int(not access.open)),
        )
        for kind, listed in (("role", access.roles), ("subject", access.subjects)):
            for name in listed:
                old.write("INSERT INTO data_document_reader VALUES (?, ?, ?)", number, kind, name)
        for ordinal, passage in enumerate(made.passages):
            old.write("INSERT INTO data_passage VALUES (?, ?, ?, ?)", number, number, ordinal, passage.sealed)
            old.write(
                "INSERT INTO data_words (rowid, title, body) VALUES (?, ?, ?)",
                *(number, " ".join(passage.title), " ".join(passage.body)),
            )
    from ringwall.boundaries.data import Index

    index = Index(old, envelope, keys)
    index.configure({"handbook": settings_of})

    def read(who: Principal) -> set[str]:
        return {chunk.document for chunk in index.search(who, ["handbook"], "pets", 10)}

    assert read(person("casey", "customer")) == {"d1"}
    assert read(person("casey", "agent")) == {"d1", "d2"}
    assert read(person("amy", "customer")) == {"d1", "d3"}
    assert read(person("amy", "customer", tenant="south")) == {"d3"}
    index.apply("handbook", [], ["d1"])
    assert read(person("casey", "customer")) == set()
    old.close()


def test_where_all_words_are_common_what_is_near_is_ranked_by_them(
    stores: DataStores, person: Callable[..., Principal], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringwall.boundaries.data.retrieval import word_search

    casey = person("casey", "customer")
    stores.vault.commit(
        "handbook",
        add=[doc("cats", "Cats, cats and cats."), doc("secret", "Cats.", Access("", frozenset({"chief"})))],
        author="ed",
    )
    usual = names(stores, casey, "cats", 10)
    monkeypatch.setattr(word_search, "_COMMON", 0)
    assert names(stores, casey, "cats", 10) == usual
    assert usual[:2] == ["cats", "pets"]


def test_what_the_first_search_waits_for_is_done_at_the_start(
    stores: DataStores, person: Callable[..., Principal]
) -> None:
    told: list[tuple[int, int]] = []
    stores.index.warm(lambda *at: told.append(at))
    assert told == [(3, 3)]
    assert stores.index.vector_memory > 0
    stores.index.close()
    assert stores.index.vector_memory == 0
