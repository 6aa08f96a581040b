import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data import Access, CollectionSettings, DataSection, DataStores, Document
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.passages import passages
from ringwall.boundaries.data.retrieval.blind import BlindWords
from ringwall.boundaries.data.words import stem, words
from ringwall.core import ANONYMOUS, DataError, Integrity, Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

EVERYBODY = Access()
ROLES = ["customer", "agent", "manager"]
TENANTS = ["north", "south"]
PEOPLE = ["amy", "bob"]

HANDBOOK = {
    "returns": ("Returns", "Customers may return any lamp within thirty days of delivery for a full refund."),
    "shipping": ("Shipping", "We ship lamps in two working days. Returned parcels travel the same way."),
    "warranty": ("Warranty", "Bulbs are covered for two years. A refund is paid when a repair fails."),
    "hours": ("Opening hours", "The shop is open from nine to five, Monday to Friday."),
}


def store(stores: DataStores, *documents: Document) -> None:
    stores.vault.commit(documents[0].collection, add=documents, author="ed")


def doc(
    name: str, text: str, access: Access = EVERYBODY, title: str = "", collection: str = "handbook"
) -> Document:
    return Document(collection, name, title or name, text, "", "ed", 1, access, frozenset({"policy"}))


@pytest.fixture
def handbook(stores: DataStores) -> DataStores:
    store(stores, *(doc(name, text, title=title) for name, (title, text) in HANDBOOK.items()))
    return stores


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("Can I return my lamp?", "returns"),
        ("RETURNED?", "returns"),
        ("When does the shop open", "hours"),
        ("how long is the warranty", "warranty"),
        ("how fast do you ship", "shipping"),
        ("repairs that failed", "warranty"),
    ],
)
def test_the_right_document_comes_first(
    handbook: DataStores, person: Callable[..., Principal], query: str, best: str
) -> None:
    found = handbook.retriever.search(person("casey", "customer"), ["handbook"], query)
    assert found[0].document == best


def test_what_a_chunk_says_of_itself(handbook: DataStores, person: Callable[..., Principal]) -> None:
    chunk = handbook.retriever.search(person("casey", "customer"), ["handbook"], "monday", top_k=1)[0]
    assert chunk.name == "document:handbook/hours@1"
    assert chunk.label.integrity is Integrity.UNTRUSTED
    assert chunk.label.origin == {"document:handbook/hours@1"}
    assert chunk.label.sensitivity == {"policy"}
    assert (chunk.title, chunk.version, chunk.ordinal) == ("Opening hours", 1, 0)
    assert chunk.score > 0


def test_only_the_current_revision_is_found(handbook: DataStores, person: Callable[..., Principal]) -> None:
    casey = person("casey", "customer")
    store(handbook, doc("hours", "Open at midnight only.", title="Opening hours"))
    assert handbook.retriever.search(casey, ["handbook"], "monday friday") == []
    assert handbook.retriever.search(casey, ["handbook"], "midnight")[0].version == 2
    handbook.vault.commit("handbook", remove=["hours"], author="ed")
    assert handbook.retriever.search(casey, ["handbook"], "midnight opening hours") == []


def test_nobody_reads_what_is_not_given(handbook: DataStores, person: Callable[..., Principal]) -> None:
    for stranger in (ANONYMOUS, person("casey"), person("casey", "editor"), person("casey", "Customer")):
        assert handbook.retriever.search(stranger, ["handbook"], "lamp refund") == []
    casey = person("casey", "customer")
    assert handbook.retriever.search(casey, [], "lamp") == []
    assert handbook.retriever.search(casey, ["nowhere"], "lamp") == []


def test_a_collection_that_the_workload_no_longer_names_is_closed(
    handbook: DataStores, person: Callable[..., Principal]
) -> None:
    handbook.index.configure({})
    assert handbook.index.search(person("casey", "customer"), ["handbook"], "lamp") == []
    handbook.index.configure({"handbook": CollectionSettings(readers=("manager",))})
    assert handbook.index.search(person("casey", "customer"), ["handbook"], "lamp") == []
    assert handbook.index.search(person("mo", "manager"), ["handbook"], "lamp")


HOSTILE = [
    *(
        '"',
        "'",
        "* OR *",
        'a" OR "b',
        "NEAR(a b)",
        "title:lamp",
        "^lamp",
        "lamp*",
        "-lamp",
        "{title}: x",
        "(",
        ")",
    ),
    *(
        "lamp) OR (1=1",
        "';DROP TABLE data_words;--",
        "\x00",
        "lamp\x00",
        "\ud800",
        "\U000e0041",
        "NOT",
        "AND OR NOT",
    ),
    *(
        "a" * 100_000,
        " ".join(f"w{number}" for number in range(20_000)),
        "\u0130",
        "ﷺ" * 1000,
        "%_%",
        "?1 ?2",
    ),
]


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_queries_are_only_words(
    handbook: DataStores, person: Callable[..., Principal], query: str
) -> None:
    begun = time.process_time()
    handbook.retriever.search(person("casey", "customer"), ["handbook"], query)
    assert time.process_time() - begun < 5
    assert len(handbook.retriever.search(person("casey", "customer"), ["handbook"], "lamp")) >= 2


@given(
    query=st.text(max_size=200),
    subject=st.text(max_size=20),
    role=st.text(max_size=20),
    tenant=st.text(max_size=20),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_anywhere_is_harmless(
    handbook: DataStores, query: str, subject: str, role: str, tenant: str
) -> None:
    stranger = Principal(subject, tenant, frozenset({role}), credential="c")
    assert handbook.retriever.search(stranger, ["handbook", query, role], query + " lamp") == []


@pytest.mark.parametrize(
    "role", ["customer\x00", "customer\x00x", "\ud800customer", "customer ", "CUSTOMER", "customer\n"]
)
def test_a_role_that_only_looks_like_one_counts_for_nothing(
    handbook: DataStores, person: Callable[..., Principal], role: str
) -> None:
    assert handbook.retriever.search(person("eve", role), ["handbook"], "lamp") == []


def test_the_empty_tenant_is_nobody(stores: DataStores, person: Callable[..., Principal]) -> None:
    store(stores, doc("a", "common lamp"))
    assert stores.retriever.search(person("eve", "customer", tenant=""), ["handbook"], "lamp") == []


def test_a_passage_moved_to_another_row_is_refused(
    handbook: DataStores, tmp_path: Path, person: Callable[..., Principal]
) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = connection.execute("SELECT sealed FROM data_passage ORDER BY id").fetchall()
        connection.execute("UPDATE data_passage SET sealed = ?", (rows[0][0],))
    connection.close()
    with pytest.raises(DataError, match="document:handbook/"):
        handbook.retriever.search(person("casey", "customer"), ["handbook"], "friday")


def test_the_index_holds_no_word_and_no_word_order(handbook: DataStores, tmp_path: Path) -> None:
    rows = handbook.index._db.all("SELECT title, body FROM data_words")
    for row in rows:
        for column in (row["title"], row["body"]):
            tokens = column.split()
            assert tokens == sorted(tokens)
            assert all(len(token) == 16 and int(token, 16) >= 0 for token in tokens)


def test_equal_words_differ_between_collections(db: Database, envelope: Envelope) -> None:
    keys = CollectionKeys(db, envelope)
    assert BlindWords(keys).hash("handbook", "lamp") != BlindWords(keys).hash("internal", "lamp")


access_lists = st.builds(
    Access,
    st.sampled_from(["", *TENANTS]),
    st.frozensets(st.sampled_from(ROLES), max_size=2),
    st.frozensets(st.sampled_from(PEOPLE), max_size=1),
)
principals = st.builds(
    Principal,
    st.sampled_from([*PEOPLE, "anonymous"]),
    st.sampled_from(TENANTS),
    st.frozensets(st.sampled_from([*ROLES, "editor"]), max_size=3),
    credential=st.sampled_from(["", "key"]),
)
collections = st.builds(
    CollectionSettings,
    readers=st.lists(st.sampled_from(ROLES), max_size=2, unique=True).map(tuple),
    isolate_tenants=st.booleans(),
)


def permitted(principal: Principal, access: Access, collection: CollectionSettings) -> bool:
    """The rule written again, another way round: every reason to refuse."""
    strange = access.tenant not in ("", principal.tenant)
    if not any(role in collection.readers for role in principal.roles):
        return False
    if strange and collection.isolate_tenants:
        return False
    if not access.roles and not access.subjects:
        return True
    by_role = any(role in access.roles for role in principal.roles)
    by_name = bool(principal.credential) and not strange and principal.subject in access.subjects
    return by_role or by_name


@given(
    first=collections,
    second=collections,
    lists=st.lists(st.tuples(st.sampled_from(["one", "two"]), access_lists), min_size=1, max_size=8),
    askers=st.lists(principals, min_size=1, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_zero_leaks_and_everything_permitted_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    first: CollectionSettings,
    second: CollectionSettings,
    lists: list[tuple[str, Access]],
    askers: list[Principal],
) -> None:
    """Over random principals, roles, tenants, lists and collections."""
    folder = tmp_path_factory.mktemp("leaks")
    by_name = {"one": first, "two": second}
    db = Database(folder / "state.db")
    envelope = Envelope(folder, MasterKey.load(folder))
    stores = DataStores.open(DataSection(collections=by_name), db, folder, envelope)
    documents = [
        doc(f"d{number}", f"shared words and secretword{number}x", access, collection=collection)
        for number, (collection, access) in enumerate(lists)
    ]
    for name in by_name:
        stores.vault.commit(name, add=[d for d in documents if d.collection == name], author="ed")
    for asker in askers:
        may = {d.id for d in documents if permitted(asker, d.access, by_name[d.collection])}
        found = stores.retriever.search(asker, ["one", "two"], "shared words", top_k=50)
        assert {chunk.document for chunk in found} == may
        assert all(chunk.access.admits(asker, by_name[chunk.collection]) for chunk in found)
        for number, document in enumerate(documents):
            top = stores.retriever.search(asker, ["one", "two"], f"secretword{number}x", top_k=1)
            assert [chunk.document for chunk in top] == ([document.id] if document.id in may else [])
            narrow = stores.retriever.search(asker, [document.collection], "shared", top_k=50)
            assert {chunk.collection for chunk in narrow} <= {document.collection}
    db.close()
    envelope.close()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("refund", "refunded"),
        ("return", "returns"),
        ("ship", "shipping"),
        ("policy", "policies"),
        ("charge", "charging"),
    ],
)
def test_forms_of_a_word_meet(a: str, b: str) -> None:
    assert stem(a) == stem(b)


@pytest.mark.parametrize(
    ("a", "b"), [("bus", "bu"), ("sing", "s"), ("red", "r"), ("class", "clas"), ("this", "thi")]
)
def test_words_that_only_look_inflected_stay(a: str, b: str) -> None:
    assert stem(a) != b


def test_words_fold_case_accents_and_width() -> None:
    assert words("Café ＬＡＭＰ straße") == words("cafe lamp STRASSE")
    assert words("返品について") == ["返品", "品に", "につ", "つい", "いて"]
    assert words("") == []


@given(text=st.text(max_size=3000), longest=st.integers(100, 900))
@settings(max_examples=80, deadline=None)
def test_passages_lose_nothing(text: str, longest: int) -> None:
    cut = passages(text, longest)
    assert all(0 < len(piece.text) <= longest for piece in cut)
    assert "".join("".join(piece.text for piece in cut).split()) == "".join(text.split())
