"""Small files that stand for a lot: what is read stays within what a row may have."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ringwall.boundaries.data.records import Form, read_rows, record_of
from ringwall.boundaries.data.records.columnar import parquet_chunks, rows_of_columns
from ringwall.boundaries.data.records.expanded import rows_of_batch
from ringwall.core import DataError

MB = 1024 * 1024


def lengths(batch: pa.RecordBatch) -> Iterable[int]:
    return (len(row.fields["text"]) for row in rows_of_batch(batch, 1) if row.fields is not None)


def test_a_compressed_csv_line_without_an_end(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv.gz"
    with gzip.open(file, "wb") as packed:
        packed.write(b"id,text\n")
        for _ in range(40):
            packed.write(b"x," * (MB // 2))
    assert file.stat().st_size < MB // 8
    with pytest.raises(DataError, match="more than 16 MB"):
        list(read_rows(file))


def test_a_csv_row_of_lines_without_an_end(tmp_path: Path) -> None:
    file = tmp_path / "long.csv.gz"
    with gzip.open(file, "wb") as packed:
        packed.write(b'id,text\n1,"')
        for _ in range(40):
            packed.write(b"y\n" * (MB // 2))
    with pytest.raises(DataError, match="more than 16 MB"):
        list(read_rows(file))


def test_many_csv_rows_are_many_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,text\n" + "".join(f'{n},"{"z" * 1000}\n{n}"\n' for n in range(20_000)), "utf-8")
    assert sum(1 for _ in read_rows(file)) == 20_000


def test_json_that_is_deeper_than_it_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_text('[{"text":' + "[" * 600 + "]" * 600 + "}]", "utf-8")
    with pytest.raises(DataError, match="too deep"):
        list(read_rows(file))


def test_a_parquet_value_that_is_there_a_thousand_times(tmp_path: Path) -> None:
    """A thousand copies would be 4 GB; they come a few at a time."""
    file = tmp_path / "bomb.parquet"
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 1024, pa.int32()), pa.array(["x" * 4 * MB]))
    pq.write_table(pa.table({"text": once}), file, compression="zstd")
    assert file.stat().st_size < 10_000
    (chunk,) = parquet_chunks(file, "bomb.parquet")
    rows = rows_of_columns(chunk)
    first = next(rows)
    assert first.number == 1 and first.fields is not None and len(first.fields["text"]) == 4 * MB
    rows.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("nested", [False, True])
def test_a_row_that_is_longer_than_one_may_be_is_told(nested: bool) -> None:
    values = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), pa.array(["a", "b" * 17 * MB]))
    column = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), values) if nested else values
    read = list(rows_of_batch(pa.record_batch({"text": column}), 5))
    assert [row.number for row in read] == [5, 6, 7]
    assert [row.fields is None for row in read] == [False, True, False]
    assert "longer than 16 MB" in read[1].problem


def test_a_view_counts_as_often_as_it_is_there() -> None:
    text = pa.array(["v" * MB] * 100, pa.string_view())
    assert list(lengths(pa.record_batch({"text": text}))) == [MB] * 100


def test_ordinary_columns_are_what_they_were(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"r{n}",
            "count": n,
            "share": n / 7,
            "yes": n % 2 == 0,
            "none": None,
            "text": f"text {n % 3}",
            "messages": [
                {"role": "user", "content": f"hello {n % 5}"},
                {"role": "assistant", "content": "hi"},
            ],
            "tags": ["a", "b"][: n % 3],
            "raw": b"\x00\x01",
        }
        for n in range(3000)
    ]
    file = tmp_path / "plain.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=1100)
    read = [row.fields for chunk in parquet_chunks(file, file.name) for row in rows_of_columns(chunk)]
    assert read == rows


def test_columns_that_cannot_be_measured_are_refused() -> None:
    ends = pa.RunEndEncodedArray.from_arrays(pa.array([1_000_000], pa.int32()), pa.array(["x" * MB]))
    with pytest.raises(DataError, match="is not read"):
        list(rows_of_batch(pa.record_batch({"text": ends}), 1))


def test_a_row_of_many_columns_that_look_like_answers() -> None:
    """Each is looked for once, and not held against each other."""
    row = {f"rejected_{n}": "x" for n in range(60_000)}
    assert record_of(row).form is Form.TABLE
    assert record_of({**row, "Chosen_7": "c"}).response == "c"
