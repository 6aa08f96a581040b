"""Exports, and what becomes of tampered ones."""

from collections.abc import Callable
from pathlib import Path

import deltalake
import orjson
import pyarrow.parquet
import pytest

from ringwall.boundaries.data import DataStores
from ringwall.boundaries.data.records.record import Record, Source
from ringwall.boundaries.data.training import export
from ringwall.boundaries.data.training.check_export import check_export
from ringwall.boundaries.data.training.sets import TrainingSets
from ringwall.core import DataError

FORMATS = list(export.WRITERS)


@pytest.fixture
def sets(stores: DataStores) -> TrainingSets:
    made = [
        Record(f"r{i}", {"text": f"row {i}", "n": i}, source=Source("a.jsonl", str(i), "ann", licence="MIT"))
        for i in range(50)
    ]
    stores.training.add("tuning", made, author="ann")
    return stores.training


@pytest.fixture(params=FORMATS)
def exported(request: pytest.FixtureRequest, sets: TrainingSets, tmp_path: Path) -> Path:
    path = tmp_path / "out" / f"tuning.{request.param}"
    told = export.WRITERS[request.param](sets.records("tuning"), path)
    assert told.count == 50
    head = sets.versions.head("tuning")
    assert head
    export.write_manifest(path, head, told)
    return path


def test_an_export_is_checked_against_the_version(exported: Path, sets: TrainingSets) -> None:
    manifest, damages = check_export(exported, sets)
    assert damages == []
    assert (manifest.collection, manifest.version, manifest.exact) == ("tuning", 1, True)
    rows = list(export.read_rows(exported, manifest.exported.format))
    assert [row["id"] for row in rows] == [f"r{i}" for i in range(50)]
    assert rows[7]["licence"] == "MIT"
    assert rows[7]["contributor"] == "ann"
    assert orjson.loads(rows[7]["fields"]) == {"text": "row 7", "n": 7}
    _, damages = check_export(exported, sets, ("0" * 64, manifest.chain))
    assert [one.place for one in damages] == ["manifest"]
    sets.remove("tuning", ["r3"], author="ann")
    assert check_export(exported, sets)[1] == []
    sets.erase("tuning", ["r4"], author="ann")
    assert [one.place for one in check_export(exported, sets)[1]] == ["row 5 (r4)"]


def test_what_is_there_is_not_written_over(exported: Path, sets: TrainingSets) -> None:
    with pytest.raises(DataError, match="already"):
        export.WRITERS[exported.suffix[1:]](sets.records("tuning"), exported)
    assert check_export(exported, sets)[1] == []


def test_tampered_rows_are_located(exported: Path, sets: TrainingSets) -> None:
    """The reader of the format gives the tampered row without an error."""
    forge(exported, lambda row: {**row, "response": "poison"} if row["id"] == "r17" else row)
    manifest, damages = check_export(exported, sets)
    assert any(row["response"] == "poison" for row in export.read_rows(exported, manifest.exported.format))
    places = [one.place for one in damages]
    assert "row 18 (r17)" in places
    assert any("row" not in place for place in places)


def test_a_dropped_row_is_located(exported: Path, sets: TrainingSets) -> None:
    forge(exported, lambda row: None if row["id"] == "r20" else row)
    places = [one.place for one in check_export(exported, sets)[1]]
    assert "record r20" in places


def test_a_missing_manifest_or_file_is_said(exported: Path, sets: TrainingSets) -> None:
    if exported.is_file():
        exported.unlink()
        places = {one.message for one in check_export(exported, sets)[1]}
        assert any("missing" in message for message in places)
    export.manifest_path(exported).write_bytes(b"[]")
    with pytest.raises(DataError, match="malformed"):
        check_export(exported, sets)
    export.manifest_path(exported).unlink()
    with pytest.raises(DataError, match="missing"):
        check_export(exported, sets)


def test_treated_exports_are_held_against_their_own_rows(sets: TrainingSets, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    head = sets.versions.head("tuning")
    assert head
    told = export.write_jsonl((one for one in sets.records("tuning") if one.id != "r3"), path)
    export.write_manifest(path, head, told, exact=False)
    assert check_export(path, sets)[1] == []
    path.write_bytes(path.read_bytes().replace(b"row 7", b"row 8"))
    assert {one.place for one in check_export(path, sets)[1]} == {"some.jsonl"}


def forge(path: Path, change: Callable[[dict[str, object]], dict[str, object] | None]) -> None:
    """Rewrite the rows with the format's own library."""
    form = path.suffix[1:]
    rows = [new for row in export.read_rows(path, form) if (new := change(row)) is not None]  # type: ignore[arg-type]
    if form == "jsonl":
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        return
    table = pyarrow.Table.from_pylist(rows, export._schema())
    if form == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        deltalake.write_deltalake(str(path), table, mode="overwrite")
