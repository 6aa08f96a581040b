"""Exports, and what becomes of tampered ones."""

from collections.abc import Callable
from pathlib import Path

import deltalake
import orjson
import pyarrow.parquet
import pytest

from ringwall.boundaries.data import DataStores
from ringwall.boundaries.data.export_place import measured
from ringwall.boundaries.data.records.record import Record, Source
from ringwall.boundaries.data.training import export
from ringwall.boundaries.data.training.check_export import check_export, export_manifest
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


def manifest(sets: TrainingSets, path: Path, form: str, **more: object) -> dict[str, object]:
    """As ``exports`` writes it."""
    head = sets.versions.head("tuning")
    assert head
    digest, size = measured(path)
    facts: dict[str, object] = {
        **{"export": "exp_1", "collection": "tuning", "version": head.number, "root": head.root},
        **{"chain": head.chain, "format": form, "records": 50, "withheld": 0, "redacted": 0},
        **{"sha256": digest, "bytes": size, **more},
    }
    path.with_name(path.name + ".manifest.json").write_bytes(orjson.dumps(facts))
    return facts


@pytest.fixture(params=FORMATS)
def exported(request: pytest.FixtureRequest, sets: TrainingSets, tmp_path: Path) -> Path:
    path = tmp_path / "out" / f"tuning.{request.param}"
    export.WRITERS[request.param](sets.records("tuning"), path)
    manifest(sets, path, request.param)
    return path


def places(path: Path, sets: TrainingSets, ledger: dict[str, object] | None = None) -> list[str]:
    return [one.place for one in check_export(path, sets, ledger)]


def test_an_export_is_checked_against_the_version(exported: Path, sets: TrainingSets) -> None:
    said = export_manifest(exported)
    assert places(exported, sets, said) == []
    rows = list(export.read_rows(exported, said["format"]))
    assert [row["id"] for row in rows] == [f"r{i}" for i in range(50)]
    assert rows[7]["licence"] == "MIT"
    assert rows[7]["contributor"] == "ann"
    assert orjson.loads(rows[7]["fields"]) == {"text": "row 7", "n": 7}
    assert places(exported, sets, {**said, "root": "0" * 64}) == ["manifest"]
    sets.remove("tuning", ["r3"], author="ann")
    assert places(exported, sets) == []
    sets.erase("tuning", ["r4"], author="ann")
    assert places(exported, sets) == ["row 5 (r4)"]


def test_what_is_there_is_not_written_over(exported: Path, sets: TrainingSets) -> None:
    with pytest.raises(DataError, match="already"):
        export.WRITERS[exported.suffix[1:]](sets.records("tuning"), exported)  # type: ignore[index]
    assert places(exported, sets) == []


def test_tampered_rows_are_located(exported: Path, sets: TrainingSets) -> None:
    """The reader of the format gives the tampered row without an error."""
    forge(exported, lambda row: {**row, "response": "poison"} if row["id"] == "r17" else row)
    form = export_manifest(exported)["format"]
    assert any(row["response"] == "poison" for row in export.read_rows(exported, form))
    assert places(exported, sets) == ["files", "row 18 (r17)"]


def test_a_dropped_row_is_located(exported: Path, sets: TrainingSets) -> None:
    forge(exported, lambda row: None if row["id"] == "r20" else row)
    assert places(exported, sets) == ["files", "record r20", "files"]


def test_an_inserted_row_is_located(exported: Path, sets: TrainingSets) -> None:
    forge(exported, lambda row: row if row["id"] != "r20" else {**row, "id": "other"})
    assert places(exported, sets) == ["files", "row 21 (other)", "record r20"]


def test_a_missing_manifest_or_file_is_said(exported: Path, sets: TrainingSets) -> None:
    if exported.is_file():
        exported.unlink()
        assert set(places(exported, sets)) == {"files"}
    beside = exported.with_name(exported.name + ".manifest.json")
    beside.write_bytes(b"[]")
    with pytest.raises(DataError, match="no manifest"):
        places(exported, sets)
    beside.unlink()
    with pytest.raises(DataError, match="missing"):
        places(exported, sets)


def test_treated_exports_are_held_against_their_files(sets: TrainingSets, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    export.write_jsonl((one for one in sets.records("tuning") if one.id != "r3"), path)
    manifest(sets, path, "jsonl", records=49, withheld=1)
    assert places(path, sets) == []
    path.write_bytes(path.read_bytes().replace(b"row 7", b"row 8"))
    assert places(path, sets) == ["files"]


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
