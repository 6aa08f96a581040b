"""Every object of a small store, damaged in every way, at several places: found, and located."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringwall.boundaries.data import Anchors, CollectionSettings, DataSection, DataStores, Document
from ringwall.boundaries.data.records.record import Record, Source
from ringwall.boundaries.data.tamper import Case, TamperDrill
from ringwall.boundaries.data.training import writing
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

REX = Principal("rex", "north", frozenset({"reviewer"}), credential="k")


def fill(stores: DataStores) -> None:
    vault, sets = stores.vault, stores.training
    for number in range(3):
        made = [
            Document("handbook", f"d{i}", f"d{i}", f"text {i} {number}", "", "ann", 1)
            for i in range(number, 4)
        ]
        vault.commit("handbook", add=made, author="ann")
    vault.branch("handbook", "tidy", author="ann")
    vault.commit("handbook~tidy", remove=["d0"], author="ann")
    vault.merge("handbook~tidy", REX, ("reviewer",))
    vault.erase("handbook", "d3", author="officer")
    vault.approve("handbook", 2, REX, ("reviewer",))
    rows = [Record(f"r{i}", {"text": f"row {i} " * 20}, source=Source(contributor="ann")) for i in range(9)]
    sets.add("tuning", rows[:6], author="ann")
    sets.add("tuning", [replace(rows[0], fields={"text": "other"}), *rows[6:]], author="bea")
    sets.branch("tuning", "tidy", author="ann")
    sets.remove("tuning~tidy", ["r2"], author="ann")
    sets.merge("tuning~tidy", REX, ("reviewer",))
    sets.erase("tuning", ["r3"], author="officer")
    sets.approve("tuning", 2, REX, ("reviewer",))


def anchors(stores: DataStores) -> Anchors:
    """As the ledger has them."""
    heads = stores.vault.lines.versions.heads()
    approved = {
        f"{one.collection}@{one.version}": (one.chain, one.by, one.at)
        for one in stores.vault.approvals.every()
    }
    assents = frozenset(one.said for one in stores.vault.approvals.every_assent())
    return Anchors(heads, approvals=approved, assents=assents)


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TamperDrill]:
    monkeypatch.setattr("ringwall.boundaries.data.training.pack.MOST_RECORDS", 4)
    monkeypatch.setattr(writing, "MOST_RECORDS", 4)
    section = DataSection(
        collections={"handbook": CollectionSettings(), "tuning": CollectionSettings(kind="training")}
    )
    db, envelope = Database(tmp_path / "state.db"), Envelope(tmp_path, MasterKey.load(tmp_path))

    def opened() -> DataStores:
        return DataStores.open(section, db, tmp_path, envelope)

    stores = opened()
    fill(stores)
    said = anchors(stores)
    assert stores.verify(said) == []
    stores.close()
    yield TamperDrill(tmp_path, opened, said)
    db.close()
    envelope.close()


def test_every_damage_is_found_and_located(drill: TamperDrill) -> None:
    outcomes = list(drill.run())
    kinds = {outcome.kind for outcome in outcomes}
    assert {
        f"flipped byte in a {one}" for one in ("manifest", "part of a manifest", "document", "pack")
    } <= kinds
    assert len(outcomes) > 300
    missed = [(one.kind, one.target, one.damages) for one in outcomes if not one.found or not one.located]
    assert missed == []


def test_a_drill_puts_everything_right_again(drill: TamperDrill) -> None:
    cases: list[Case] = list(drill.cases())
    for case in cases[:: max(1, len(cases) // 40)]:
        case.do()()
    with drill._stores() as stores:
        assert stores.verify() == []


@pytest.mark.parametrize("forgery", ["dropped", "reordered", "swapped"])
def test_a_manifest_forged_with_the_keys_is_not_the_one_on_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgery: str
) -> None:
    """Somebody who has master key, database and files rewrites the newest version: packs left out, in another
    order, or in the place of each other. Root and chain are made to fit; the ledger's are not."""
    monkeypatch.setattr("ringwall.boundaries.data.training.pack.MOST_RECORDS", 4)
    monkeypatch.setattr(writing, "MOST_RECORDS", 4)
    section = DataSection(collections={"tuning": CollectionSettings(kind="training")})
    db, envelope = Database(tmp_path / "state.db"), Envelope(tmp_path, MasterKey.load(tmp_path))
    stores = DataStores.open(section, db, tmp_path, envelope)
    sets = stores.training
    sets.add("tuning", [Record(f"r{i}", {"text": f"row {i}"}) for i in range(8)], author="ann")
    said = anchors(stores)
    head, tree = sets.lines.head("tuning")
    assert head
    first, second = tree
    db.write("DELETE FROM data_version")
    if forgery == "dropped":
        forged = tree.changed((), [second.id])
    elif forgery == "reordered":
        forged = tree.changed([replace(first, id=second.id), replace(second, id=first.id)])
    else:
        forged = tree.changed([replace(first, blob=second.blob, root=second.root)])
    assert sets.lines.commit("tuning", None, forged, head.author, head.note)
    found = stores.verify(said)
    assert (found[0].collection, found[0].version) == ("tuning", 1)
    assert found[0].message == "It is not the version that is on the ledger."
    if forgery != "dropped":  # a pack knows its own name
        assert {one.document.split(":")[0] for one in found[1:]} >= {"pack"}
    stores.close()
    db.close()
    envelope.close()
