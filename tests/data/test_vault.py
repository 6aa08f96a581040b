import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ringwall.boundaries.data import Access, DataStores, Document
from ringwall.core import DataError


def doc(name: str, text: str, *, tenant: str = "", contributor: str = "ed", **more: object) -> Document:
    made = Document("handbook", name, name.title(), text, f"{name}.md", contributor, 1, Access(tenant))
    return replace(made, **more)  # type: ignore[arg-type]


def raw(tmp_path: Path, sql: str) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute(sql)
    connection.close()


@pytest.fixture
def filled(stores: DataStores) -> DataStores:
    vault = stores.vault
    vault.commit("handbook", add=[doc("returns", "Thirty days."), doc("hours", "Nine to five.")], author="ed")
    vault.commit("handbook", add=[doc("returns", "Sixty days.")], author="ed")
    vault.commit("handbook", remove=["hours"], author="mo")
    return stores


def test_every_version_stays_readable(filled: DataStores) -> None:
    vault = filled.vault
    assert [version.number for version in vault.versions("handbook")] == [1, 2, 3]
    assert vault.document("handbook", "returns", 1).text == "Thirty days."
    assert vault.document("handbook", "returns").text == "Sixty days."
    assert vault.document("handbook", "returns").name == "document:handbook/returns@2"
    assert vault.document("handbook", "hours", 2).text == "Nine to five."
    with pytest.raises(DataError, match="no document 'hours' now"):
        vault.document("handbook", "hours")
    with pytest.raises(DataError, match="no version 9"):
        vault.document("handbook", "returns", 9)
    assert filled.verify() == []


def test_time_travel(filled: DataStores) -> None:
    versions = filled.vault.versions("handbook")
    assert filled.vault.at("handbook", versions[0].at - 1) is None
    for version in versions:
        assert filled.vault.at("handbook", version.at) == version
    assert filled.vault.at("handbook", versions[-1].at + 10**12) == versions[-1]


def test_what_changes_nothing_makes_no_version(filled: DataStores) -> None:
    again = doc("returns", "Sixty days.", contributor="somebody else", at=99)
    assert filled.vault.commit("handbook", add=[again], author="x") is None
    assert len(filled.vault.versions("handbook")) == 3


def test_a_document_that_comes_back_counts_on(filled: DataStores) -> None:
    commit = filled.vault.commit("handbook", add=[doc("hours", "Nine to five.")], author="ed")
    assert commit and commit.added == ("document:handbook/hours@2",)
    trace = filled.vault.who("handbook", "hours")
    assert [(step.name, step.first, step.last) for step in trace] == [
        ("document:handbook/hours@1", 1, 2),
        ("document:handbook/hours@2", 4, 4),
    ]
    assert {step.contributor for step in trace} == {"ed"}


def test_another_tenant_cannot_take_an_id_over(stores: DataStores) -> None:
    stores.vault.commit("handbook", add=[doc("returns", "Ours.", tenant="north")], author="ed")
    with pytest.raises(DataError, match="another tenant"):
        stores.vault.commit("handbook", add=[doc("returns", "Theirs.", tenant="south")], author="eve")
    assert stores.vault.document("handbook", "returns").text == "Ours."


def test_nothing_on_the_disk_is_plain(stores: DataStores, tmp_path: Path) -> None:
    text = "The zanzibarium costs four hundred florins."
    stores.vault.commit("handbook", add=[doc("prices", text)], author="ed")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            assert b"zanzibar" not in content and b"florin" not in content, path.name


def test_erasing_destroys_every_revision_and_keeps_the_chain(filled: DataStores, tmp_path: Path) -> None:
    vault = filled.vault
    commit = vault.erase("handbook", "returns", author="mo")
    assert commit and commit.removed == ("document:handbook/returns@2",)
    for version in (1, 2, 3):
        with pytest.raises(DataError, match="erased"):
            vault.document("handbook", "returns", version)
    assert vault.document("handbook", "hours", 1).text == "Nine to five."
    assert filled.verify() == []
    vault.commit("handbook", add=[doc("returns", "New life.")], author="ed")
    assert vault.document("handbook", "returns").text == "New life."
    assert vault.document("handbook", "returns").revision == 3
    assert filled.verify() == []


def test_a_lock_keeps_a_young_document_from_being_erased(stores: DataStores) -> None:
    young = doc("returns", "Now.", at=2**52)
    stores.vault.commit("handbook", add=[young], author="ed")
    with pytest.raises(DataError, match="locked"):
        stores.vault.erase("handbook", "returns", author="mo", lock_days=1)
    assert stores.vault.document("handbook", "returns").text == "Now."


def test_documents_of_a_person_can_be_found(filled: DataStores) -> None:
    filled.vault.commit("handbook", add=[doc("fees", "None.", contributor="fay")], author="fay")
    assert filled.vault.by_contributor("handbook", "fay") == ["fees"]
    assert filled.vault.by_contributor("handbook", "ed") == ["hours", "returns"]


def test_every_flipped_blob_is_found_and_located(filled: DataStores, tmp_path: Path) -> None:
    for path in sorted((tmp_path / "blobs").glob("??/??/*")):
        sound = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        damage = filled.verify()
        assert damage, path.name
        assert all(path.name in found.message for found in damage)
        assert all(found.version and found.collection == "handbook" for found in damage)
        path.write_bytes(sound)
    assert filled.verify() == []


def test_a_missing_blob_is_found(filled: DataStores, tmp_path: Path) -> None:
    entry = filled.vault.manifest("handbook", 1).entries[0]
    (tmp_path / "blobs" / entry.blob[:2] / entry.blob[2:4] / entry.blob).unlink()
    assert {(found.version, found.document) for found in filled.verify()} == {
        (1, "document:handbook/hours@1"),
        (2, "document:handbook/hours@1"),
    }


@pytest.mark.parametrize("dropped", [1, 2, 3])
def test_a_dropped_version_is_located(filled: DataStores, tmp_path: Path, dropped: int) -> None:
    raw(tmp_path, f"DELETE FROM data_version WHERE version = {dropped}")
    assert any(found.version == dropped for found in filled.verify())


def test_versions_cut_off_with_their_head_are_seen_by_the_ledger(filled: DataStores, tmp_path: Path) -> None:
    last = filled.vault.versions("handbook")[-1]
    anchors = {"handbook": (last.number, last.chain)}
    assert filled.verify(anchors) == []
    before = filled.vault.versions("handbook")[-2]
    raw(tmp_path, "DELETE FROM data_version WHERE version = 3")
    raw(tmp_path, f"UPDATE data_head SET version = 2, chain = '{before.chain}'")
    filled.vault.reindex("handbook")
    assert filled.verify() == []
    assert [found.version for found in filled.verify(anchors)] == [3]
    raw(tmp_path, "DELETE FROM data_version")
    raw(tmp_path, "DELETE FROM data_head")
    assert any(found.version == 3 for found in filled.verify(anchors))


@pytest.mark.parametrize("column", ["at", "author", "note", "root", "manifest", "chain"])
def test_a_changed_record_is_located(filled: DataStores, tmp_path: Path, column: str) -> None:
    value = "7" if column == "at" else "'" + "0" * 64 + "'"
    raw(tmp_path, f"UPDATE data_version SET {column} = {value} WHERE version = 2")
    assert any(found.version == 2 for found in filled.verify())


def test_manifests_of_two_versions_cannot_change_places(filled: DataStores, tmp_path: Path) -> None:
    first, second, _ = filled.vault.versions("handbook")
    raw(
        tmp_path,
        f"UPDATE data_version SET manifest='{second.manifest}', root='{second.root}' WHERE version=1",
    )
    assert {found.version for found in filled.verify()} == {1}
    assert first.manifest != second.manifest


def test_an_index_that_differs_from_the_vault_is_found_and_rebuilt(
    filled: DataStores, tmp_path: Path, person: Callable[..., object]
) -> None:
    raw(tmp_path, "DELETE FROM data_document")
    assert [found.document for found in filled.verify()] == ["handbook/returns"]
    assert filled.vault.reindex("handbook") == 1
    assert filled.verify() == []


def test_two_writers_make_two_versions(
    stores: DataStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another commit between plan and publication makes this one plan again."""
    vault = stores.vault
    commit = vault.lines.commit
    raced = False

    def late(*args, **kwargs):  # type: ignore[no-untyped-def]
        nonlocal raced
        if not raced:
            raced = True
            vault.commit("handbook", add=[doc("first", "One.")], author="a")
        return commit(*args, **kwargs)

    monkeypatch.setattr(vault.lines, "commit", late)
    vault.commit("handbook", add=[doc("second", "Two.")], author="b")
    assert [entry.id for entry in vault.manifest("handbook").entries] == ["first", "second"]
    assert [version.author for version in vault.versions("handbook")] == ["a", "b"]
    assert stores.verify() == []
