"""The ledger knows of a version before it is there: one that it does not know was made behind its back."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ringwall.boundaries.data import Damage, Document, verify
from ringwall.boundaries.data.intake.held_rows import HeldRow
from ringwall.boundaries.data.quarantine import Held
from ringwall.boundaries.data.records import Record
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.data.strays import strays
from ringwall.core import DataError
from ringwall.workload.catch_up import catch_up
from ringwall.workload.data_anchors import anchors, put_back
from ringwall.workload.plant import Plant

SECTION = DataSection.model_validate({"collections": {"handbook": {}, "tuning": {"kind": "training"}}})
Open = Callable[[], Plant]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    plants: list[Plant] = []

    def open_plant() -> Plant:
        plants.append(Plant(tmp_path / "data"))
        plants[-1].index.configure(SECTION.collections, SECTION.retrieval)
        return plants[-1]

    yield open_plant
    plants[-1].close()


def write(plant: Plant, text: str, *, told: bool = True) -> None:
    """A version of each kind; ``told``: the ledger learns that it was made."""
    commits = (
        plant.vault.commit("handbook", add=[Document("handbook", "a", "A", text, "", "ed", 1)], author="ed"),
        plant.training.add("tuning", [Record("r1", {"text": text})], author="ed"),
    )
    for commit in commits if told else ():
        assert commit
        plant.ledger.append_now(commit.event())


def damages(plant: Plant) -> list[Damage]:
    return verify(plant.vault, plant.index, anchors(plant.ledger), plant.training)


def test_a_process_killed_between_commit_and_record_is_caught_up_with(opened: Open) -> None:
    plant = opened()
    write(plant, "one")
    write(plant, "two", told=False)
    assert damages(plant) == []
    assert catch_up(plant) == 0, "whoever made it is given the time to say so"
    assert catch_up(plant, left=-1) == 2
    assert catch_up(plant, left=-1) == 0
    told = {(one.event["collection"], one.event["version"]) for one in plant.ledger.latest(2)}
    assert told == {("handbook", 2), ("tuning", 2)}
    assert anchors(plant.ledger).announced == frozenset()
    assert damages(plant) == []


@pytest.mark.parametrize("first", [True, False])
def test_one_version_behind_the_back_of_the_ledger_is_told(opened: Open, first: bool) -> None:
    plant = opened()
    if not first:
        write(plant, "one")
    for lines in (plant.vault.lines, plant.training.lines):
        lines.versions.announce = None
    write(plant, "two", told=False)
    catch_up(plant, left=-1)
    number = 1 if first else 2
    said = f"The ledger knows nothing of version {number}."
    assert [(one.collection, one.version, one.message) for one in damages(plant)] == [
        ("handbook", number, said),
        ("tuning", number, said),
    ]


def test_an_announcement_vouches_for_that_version_alone(opened: Open) -> None:
    plant = opened()
    write(plant, "one")
    head = plant.vault.head("handbook")
    assert head
    plant.vault.lines.versions.announce = lambda made: plant._announce(replace(made, chain="0" * 64))
    plant.vault.commit("handbook", remove=["a"], author="ed")
    assert [one.message for one in damages(plant)] == ["The ledger knows nothing of version 2."]


def test_nothing_is_stored_when_the_ledger_takes_nothing(opened: Open) -> None:
    plant = opened()

    def refuse(_: object) -> None:
        raise DataError("The ledger is closed.")

    plant.vault.lines.versions.announce = refuse
    with pytest.raises(DataError, match="ledger is closed"):
        plant.vault.commit("handbook", add=[Document("handbook", "a", "A", "x", "", "ed", 1)], author="ed")
    assert plant.vault.head("handbook") is None


def test_a_ledger_that_was_put_back_by_one_version_is_told(opened: Open, tmp_path: Path) -> None:
    plant = opened()
    write(plant, "one")
    plant.close()
    shutil.copy(tmp_path / "data/ledger.db", tmp_path / "earlier.db")
    plant = opened()
    write(plant, "two")
    plant.close()
    shutil.copy(tmp_path / "earlier.db", tmp_path / "data/ledger.db")
    assert {one.message for one in damages(opened())} == {"The ledger knows nothing of version 2."}


def test_all_of_a_data_directory_put_back_is_told_by_a_checkpoint(opened: Open, tmp_path: Path) -> None:
    plant = opened()
    write(plant, "one")
    old = plant.ledger.checkpoint()
    plant.close()
    shutil.copytree(tmp_path / "data", tmp_path / "earlier")
    plant = opened()
    write(plant, "two")
    kept = plant.ledger.checkpoint()
    assert put_back(tmp_path / "data", old) == put_back(tmp_path / "data", kept) == []
    plant.close()
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "earlier", tmp_path / "data")
    plant = opened()
    assert damages(plant) == [], "nothing in it can tell"
    assert put_back(tmp_path / "data", old) == []
    (damage,) = put_back(tmp_path / "data", kept)
    assert "put back to an earlier state" in damage.message
    write(plant, "three")
    write(plant, "four")
    plant.ledger.checkpoint()
    assert any("does not follow" in one.message for one in put_back(tmp_path / "data", kept))
    with closing(Plant(tmp_path / "other")) as other:
        (damage,) = put_back(tmp_path / "data", other.ledger.checkpoint())
    assert "another ledger" in damage.message


def test_blobs_that_nothing_refers_to_are_found(opened: Open) -> None:
    plant = opened()
    write(plant, "one")
    write(plant, "two")
    plant.vault.branch("handbook", "tidy", author="ed")
    given = Held("", "tuning", "con_1", "ann", "north", "dec_1", 0, "quarantined", "", 0)
    held = plant.quarantine.hold_rows(given, [HeldRow(Record("r2", {"text": "x"}))], ("why",), {})
    parts = (plant.vault, plant.training, plant.quarantine, plant.blobs)
    assert strays(*parts) == []
    left = plant.blobs.put(b"left by a killed writer")
    assert strays(*parts) == [left]
    plant.quarantine.destroy(held.id)
    assert len(strays(*parts)) == 3
