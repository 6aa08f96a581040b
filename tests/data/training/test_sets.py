"""Adding, reading, removing and erasing records."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data import DataStores
from ringwall.boundaries.data.records.forms import record_of
from ringwall.boundaries.data.records.record import Form, Record, Source
from ringwall.boundaries.data.training import TrainingSets, pack
from ringwall.core import DataError

ANN = Source("faq.jsonl", "", "ann", "importer", "con_1", 17, "MIT", "public")
BEA = Source("web.jsonl", "", "bea", "crawler", "con_2", 18, "CC0-1.0", "licence")


def rows(count: int, source: Source = ANN, start: int = 0) -> list[Record]:
    return [
        replace(
            record_of(
                {"id": f"q{i}", "prompt": f"How much is item {i}?", "response": f"{i} florins."}, source
            ),
            source=replace(source, place=str(i)),
        )
        for i in range(start, start + count)
    ]


def ids(sets: TrainingSets, name: str = "tuning", version: int | None = None) -> list[str]:
    return [record.id for record in sets.records(name, version)]


@pytest.fixture
def sets(stores: DataStores) -> TrainingSets:
    return stores.training


def test_records_come_back_as_they_went_in(sets: TrainingSets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MOST_RECORDS", 4)
    monkeypatch.setattr("ringwall.boundaries.data.training.writing.MOST_RECORDS", 4)
    given = rows(11) + rows(7, BEA, 100)
    commit = sets.add("tuning", iter(given), author="ann", note="first")
    assert commit
    assert (commit.added, commit.changed, commit.unchanged) == (18, 0, 0)
    assert (commit.contributors, commit.contributions) == (("ann", "bea"), ("con_1", "con_2"))
    assert list(sets.records("tuning")) == given
    assert sets.count("tuning") == 18
    assert sets.find("tuning", "q104") == given[15]
    assert sets.add("tuning", given, author="ann") is None


def test_versions_keep_what_they_held(sets: TrainingSets) -> None:
    sets.add("tuning", rows(5), author="ann")
    other = replace(rows(1)[0], fields={"id": "q0", "prompt": "p", "response": "r"}, prompt="p", response="r")
    changed = sets.add("tuning", [other, *rows(2, start=4)], author="bea")
    assert changed
    assert (changed.added, changed.changed, changed.unchanged) == (1, 1, 1)
    removed = sets.remove("tuning", ["q1", "q5"], author="ann")
    assert removed
    assert removed.removed == 2
    assert ids(sets, version=1) == ["q0", "q1", "q2", "q3", "q4"]
    assert sets.find("tuning", "q0", 1).response == "0 florins."
    assert sets.find("tuning", "q0", 2).response == "r"
    assert ids(sets, version=2) == ["q1", "q2", "q3", "q4", "q0", "q5"]
    assert ids(sets) == ["q2", "q3", "q4", "q0"]
    assert [version.number for version in sets.where("tuning", "q1")] == [1, 2]
    with pytest.raises(DataError, match="no record 'q1' now"):
        sets.find("tuning", "q1")
    with pytest.raises(DataError, match="no record 'q1' to remove"):
        sets.remove("tuning", ["q1"], author="ann")
    with pytest.raises(DataError, match="no version 9"):
        list(sets.records("tuning", 9))


def test_one_id_with_two_contents_is_refused(sets: TrainingSets) -> None:
    one = rows(1)[0]
    other = replace(one, fields={**one.fields, "response": "free"}, response="free")
    with pytest.raises(DataError, match="twice with different content"):
        sets.add("tuning", [one, other], author="ann")
    assert sets.versions.head("tuning") is None
    commit = sets.add("tuning", [one, one], author="ann")
    assert commit
    assert (commit.added, commit.unchanged) == (1, 1)
    assert ids(sets) == ["q0"]


def test_other_terms_make_another_record(sets: TrainingSets) -> None:
    one = rows(1)[0]
    sets.add("tuning", [one], author="ann")
    withdrawn = replace(one, source=replace(one.source, licence="proprietary"))
    commit = sets.add("tuning", [withdrawn], author="ann")
    assert commit
    assert commit.changed == 1
    assert sets.find("tuning", "q0").source.licence == "proprietary"


def test_erased_records_are_gone_from_every_version(sets: TrainingSets) -> None:
    sets.add("tuning", rows(5), author="ann")
    other = replace(rows(1)[0], fields={"id": "q0", "text": "new"}, form=Form.TEXT, prompt="", response="new")
    sets.add("tuning", [other], author="ann")
    before = sets.versions.all("tuning")
    commits = sets.erase("tuning", ["q0"], author="officer")
    assert [commit.version.number for commit in commits] == [3]
    for version in (1, 2, 3):
        assert ids(sets, version=version) == ["q1", "q2", "q3", "q4"]
    assert sets.versions.all("tuning")[:2] == before
    with pytest.raises(DataError, match="never held record 'q0', or it is erased"):
        sets.erase("tuning", ["q0"], author="officer")
    sets.add("tuning", rows(1), author="ann")
    assert sets.find("tuning", "q0").response == "0 florins."


def test_a_lock_keeps_young_records_from_being_erased(sets: TrainingSets) -> None:
    sets.add("tuning", rows(2), author="ann")
    with pytest.raises(DataError, match="record 'q0' in tuning is locked for 1 days"):
        sets.erase("tuning", ["q0"], author="officer", lock_days=1)
    assert ids(sets) == ["q0", "q1"]


def test_no_key_and_no_word_outside_the_key_file(sets: TrainingSets, tmp_path: Path) -> None:
    """A copy of blobs and databases that was made before an erasure holds nothing that opens the record."""
    sets.add("tuning", rows(3), author="ann")
    secret = sets.keys.table("tuning", next(iter(sets.ever("tuning"))).id).of(1)
    assert secret
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert b"florins" not in content
    sets.erase("tuning", ["q1"], author="officer")
    assert sets.keys.table("tuning", next(iter(sets.ever("tuning"))).id).of(1) is None


def test_the_records_of_a_contributor(sets: TrainingSets) -> None:
    sets.add("tuning", rows(3) + rows(2, BEA, 10), author="steward")
    sets.remove("tuning", ["q10"], author="steward")
    assert sets.by_contributor("tuning", "bea") == ["q10", "q11"]
    sets.erase("tuning", sets.by_contributor("tuning", "bea"), author="officer")
    assert ids(sets) == ["q0", "q1", "q2"]
    assert ids(sets, version=1) == ["q0", "q1", "q2"]
    assert sets.by_contributor("tuning", "bea") == []


def test_the_index_is_made_anew_from_the_packs(sets: TrainingSets, tmp_path: Path) -> None:
    sets.add("tuning", rows(5), author="ann")
    sets.close()
    for path in tmp_path.glob("records.db*"):
        path.unlink()
    with pytest.raises(DataError):
        sets.find("tuning", "q3")
    assert sets.reindex("tuning") == 5
    assert sets.find("tuning", "q3").response == "3 florins."
    assert sets.add("tuning", rows(5), author="ann") is None


def test_a_collection_is_of_one_kind(stores: DataStores, document: Callable[..., object]) -> None:
    stores.vault.commit("handbook", add=[document("hours", "Nine.")], author="ed")  # type: ignore[list-item]
    with pytest.raises(DataError, match="collection of documents, not a training set"):
        stores.training.add("handbook", rows(1), author="ann")
    stores.training.add("tuning", rows(1), author="ann")
    with pytest.raises(DataError, match="training set, not a collection of documents"):
        stores.vault.commit("tuning", add=[document("hours", "Nine.")], author="ed")  # type: ignore[list-item]
    assert stores.vault.collections() == ["handbook"]


NUMBER = itertools.count()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Record,
            id=TEXTS,
            fields=st.dictionaries(TEXTS, VALUES, max_size=4),
            form=st.sampled_from(Form),
            prompt=TEXTS,
            response=TEXTS,
            rejected=TEXTS,
            source=st.builds(
                Source, place=TEXTS, contributor=TEXTS, origin=TEXTS, licence=TEXTS, at=st.integers(0, 2**50)
            ),
            sensitivity=st.frozensets(TEXTS, max_size=2),
        ),
        max_size=6,
        unique_by=lambda record: record.id,
    ),
)
def test_any_record_comes_back(sets: TrainingSets, given: list[Record]) -> None:
    line = f"s{next(NUMBER)}"
    sets.add(line, given, author="ann")
    assert list(sets.records(line)) == given


@pytest.mark.parametrize(
    "value", ["\ud800", 2**70, {1: 2}, b"x"], ids=["surrogate", "integer", "key", "bytes"]
)
def test_what_is_no_json_is_refused(sets: TrainingSets, value: object) -> None:
    with pytest.raises(DataError, match=r"'q9'|Unicode"):
        sets.add("tuning", [Record("q9", {"text": value})], author="ann")
    with pytest.raises(DataError):
        sets.add("tuning", [Record("\ud800", {})], author="ann")
    with pytest.raises(DataError):
        sets.add("tuning", [Record("x" * 70_000, {})], author="ann")
    assert sets.versions.head("tuning") is None
