"""Rebuilding an index, and moving it to PostgreSQL, by the command line on a real data directory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data import Access, DataStores, Document
from ringwall.boundaries.data.retrieval.rebuild import rebuild
from ringwall.core import DataError, Principal
from ringwall.storage.database import Database
from ringwall.workload.workbench import workbench

WORKLOAD = """
workload: shelf
principals: {roles: {customer: {}}}
interface: {identity: {api_keys: true}}
model:
  providers: {local: {kind: openai, base_url: "http://127.0.0.1:9/v1"}}
  routes: {default: {provider: local, model: m}}
data:
  collections:
    handbook: {readers: [customer], contributors: [customer]}
  retrieval: {kind: %s, url_env: T_OWNER, reader_url_env: T_READER, timeout_s: 30}
applications: {main: {collections: [handbook]}}
"""


def doc(name: str, text: str = "common words") -> Document:
    return Document("handbook", name, name, text, "", "ed", 1, Access())


def test_a_rebuild_tells_its_progress_and_takes_out_what_is_none(
    stores: DataStores, db: Database, person: Callable[..., Principal]
) -> None:
    stores.vault.commit("handbook", add=[doc(f"d{n}") for n in range(100)], author="ed")
    stores.index.apply("handbook", [stores.index.prepare(doc("ghost"), "own_g")], ["d7"])
    told: list[tuple[int, int]] = []
    assert stores.vault.reindex("handbook", progress=lambda *at: told.append(at)) == 100
    assert told == [(64, 100), (100, 100)]
    assert stores.verify() == []
    assert stores.index.search(person("casey", "customer"), ["handbook"], "ghost") == []


def test_a_commit_in_the_middle_of_a_rebuild_is_kept(
    stores: DataStores, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.vault.commit("handbook", add=[doc("a"), doc("b"), doc("c")], author="ed")
    prepare = stores.index.prepare
    raced: list[str] = []

    def late(document: Document, owner: str) -> Any:
        if not raced:
            raced.append(document.id)
            stores.vault.commit(
                "handbook", add=[doc("a", "newer words"), doc("e")], remove=["b"], author="ed"
            )
        return prepare(document, owner)

    monkeypatch.setattr(stores.index, "prepare", late)
    assert rebuild(stores.vault, db, stores.index, "handbook") == 3
    assert sorted(stores.index.indexed("handbook")) == ["a", "c", "e"]
    assert stores.verify() == []


def test_a_document_that_can_not_be_read_stops_the_rebuild(stores: DataStores) -> None:
    stores.vault.commit("handbook", add=[doc("a")], author="ed")
    entry = stores.vault.manifest("handbook").entries[0]
    stores.vault._envelope.erase(entry.owner)
    with pytest.raises(DataError, match="handbook/a"):
        stores.vault.reindex("handbook")


@pytest.fixture
def run(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """A command on the workload of the test."""
    place = ("--workload", tmp_path / "ringwall.yaml", "--data-dir", tmp_path / "state")
    return lambda *arguments: command(*arguments, *place)


def test_an_index_moves_to_postgresql(
    postgres_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    person: Callable[..., Principal],
    run: Callable[..., Any],
) -> None:
    urls = postgres_server.database()
    monkeypatch.setenv("T_OWNER", urls.owner)
    monkeypatch.setenv("T_READER", urls.reader)
    file, state = tmp_path / "ringwall.yaml", tmp_path / "state"
    file.write_text(WORKLOAD % "sqlite")
    casey = person("casey", "customer")
    with workbench(file, state) as bench:
        bench.plant.vault.commit("handbook", add=[doc("lamps", "Lamps come back within days.")], author="ed")
        assert bench.plant.index.kind == "sqlite"
    done = run("data", "reindex", "handbook", "--to", "postgres", "--json")
    assert done.json == {"collection": "handbook", "store": "postgres", "documents": 1}
    file.write_text(WORKLOAD % "postgres")
    with workbench(file, state) as bench:
        assert bench.plant.index.kind == "postgres"
        found = bench.site.application().retriever.search(casey, ["handbook"], "lamps")
        assert [chunk.document for chunk in found] == ["lamps"]
        bench.plant.vault.commit("handbook", add=[doc("bulbs", "Bulbs last two years.")], author="ed")
        found = bench.site.application().retriever.search(casey, ["handbook"], "bulbs")
        assert [chunk.document for chunk in found] == ["bulbs"]
    assert "sound" in run("data", "verify").out
    file.write_text(WORKLOAD % "sqlite")
    behind = run("data", "verify")
    assert behind.code == 1
    assert "handbook/bulbs" in behind.err
    assert run("data", "reindex", "handbook").out == "handbook: 2 documents in sqlite\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("url_env: T_OWNER", "url_env: T_NOWHERE"), "T_NOWHERE"),
        (("reader_url_env: T_READER", "memory_mb: 64"), "reader_url_env"),
    ],
)
def test_a_store_that_can_not_be_had_refuses_to_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str],
    message: str,
    run: Callable[..., Any],
) -> None:
    monkeypatch.setenv("T_OWNER", "postgresql://u@localhost/d")
    file = tmp_path / "ringwall.yaml"
    file.write_text((WORKLOAD % "postgres").replace(*change))
    refused = run("data")
    assert refused.code != 0
    assert message in refused.err
    assert "Traceback" not in refused.err
