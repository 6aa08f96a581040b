"""Rows of any format come out as they went in, and what can't be read is told by file and row."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.records import Form, Source, read_rows, record_of, row_files
from ringwall.core import DataError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["instruction", "output", "x", "y"]), TEXT, min_size=1), min_size=1
)


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_rows_are_the_same_from_every_format(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = sorted({name for row in rows for name in row})
    full = [{name: row.get(name, "") for name in names} for row in rows]
    folder = tmp_path_factory.mktemp("rows")
    _write(folder / "a.jsonl", full)
    (folder / "a.json").write_text(json.dumps(full), "utf-8")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))
    table = pa.Table.from_pylist(full)
    pq.write_table(table, folder / "a.parquet", row_group_size=2)
    with pa.OSFile(str(folder / "a.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    expected = [dict(record.fields) for record in read_rows(folder / "a.jsonl")]
    assert expected == full
    for other in ("a.json", "a.jsonl.gz", "a.parquet", "a.arrow"):
        found = list(read_rows(folder / other))
        assert [dict(record.fields) for record in found] == full
        assert [record.source.place for record in found] == [str(n + 1) for n in range(len(full))]
        assert len({record.id for record in found}) == len(found)


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1))
@settings(max_examples=60, deadline=None)
def test_csv_cells_may_span_lines(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["prompt", "completion"])
    writer.writerows(rows)
    path.write_text(text.getvalue(), "utf-8", newline="")
    found = [(record.fields["prompt"], record.fields["completion"]) for record in read_rows(path)]
    assert found == rows


def test_chunks_of_a_large_file_hold_each_row_once(tmp_path: Path) -> None:
    path = _write(tmp_path / "big.jsonl", [{"id": n, "text": "x" * 500} for n in range(6000)])
    assert len(list(row_files(path)[0].chunks())) > 2
    assert [record.id for record in read_rows(path)] == [str(n) for n in range(6000)]
    assert [record.source.place for record in read_rows(path)] == [str(n + 1) for n in range(6000)]


def test_the_same_content_again_gets_another_id(tmp_path: Path) -> None:
    row = {"text": "twice"}
    ids = [
        record.id
        for record in read_rows(
            _write(tmp_path / "t.jsonl", [row, row, {"id": "a"}, {"id": "a"}, {"id": "a.2"}])
        )
    ]
    assert ids[1] == f"{ids[0]}.2"
    assert len(set(ids)) == 5


def test_forms() -> None:
    chat = record_of({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})
    assert (chat.form, chat.prompt, chat.response) == (Form.CHAT, "Q", "A")
    parts = record_of(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "P"}]},
                {"role": "assistant", "content": "R"},
            ]
        }
    )
    assert (parts.prompt, parts.response) == ("P", "R")
    alpaca = record_of({"instruction": "Do", "input": "this", "output": "done"})
    assert (alpaca.form, alpaca.prompt, alpaca.response) == (Form.INSTRUCTION, "Do\nthis", "done")
    pair = record_of(
        {
            "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
            "rejected": "bad",
        }
    )
    assert (pair.form, pair.prompt, pair.response, pair.rejected) == (Form.PREFERENCE, "q", "good", "bad")
    assert record_of({"a": 1, "b": "two"}).form is Form.TABLE
    assert [place for place, _ in chat.texts()] == [
        *(
            "conversations[0].from",
            "conversations[0].value",
            "conversations[1].from",
            "conversations[1].value",
        )
    ]


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    )
)
@settings(max_examples=150, deadline=None)
def test_any_row_is_read_or_refused_in_a_sentence(value: Any) -> None:
    try:
        record = record_of({"messages": value, "chosen": value, "text": value})
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(text, str) for _, text in record.texts())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "row 2"),
        ("a.jsonl", b"[1]\n", "no JSON object"),
        ("a.txt", b"fine\n\xff\n", "row 2"),
        ("a.csv", b"a,b\n1,2,3\n", "3 values under 2 columns"),
        ("a.csv", b"a,a\n1,2\n", "names each column once"),
        ("a.csv", b"a,b\n1,\xff\n", "not UTF-8"),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-12], "damaged"),
        ("a.jsonl.gz", b"no gzip", "damaged"),
        ("a.json", b'{"a": 1}', "no array"),
        ("a.parquet", b"PAR1....PAR1", "Parquet"),
        ("a.arrow", b"\xff\xff\xff\xff\x01", "Arrow"),
        ("a.exe", b"MZ", "no format"),
        ("a.jsonl", b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}\n", "nested"),
    ],
)
def test_what_cannot_be_read_is_told(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        list(read_rows(tmp_path / name, Source()))
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_of_the_datasets_library(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        table = pa.table({"text": [f"{split} one", f"{split} two"]})
        with (
            pa.OSFile(str(tmp_path / split / "data-00000-of-00001.arrow"), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as out,
        ):
            out.write_table(table)
        (tmp_path / split / "state.json").write_text("{}")
        (tmp_path / split / "dataset_info.json").write_text("{}")
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    found = [(record.source.origin, record.fields["text"]) for record in read_rows(tmp_path)]
    assert found == [
        ("test/data-00000-of-00001.arrow", "test one"),
        ("test/data-00000-of-00001.arrow", "test two"),
        ("train/data-00000-of-00001.arrow", "train one"),
        ("train/data-00000-of-00001.arrow", "train two"),
    ]


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    _write(tmp_path / "secret.jsonl", [{"text": "s"}])
    inside = tmp_path / "in"
    inside.mkdir()
    _write(inside / "a.jsonl", [{"text": "a"}])
    (inside / "b.jsonl").symlink_to(tmp_path / "secret.jsonl")
    assert [file.name for file in row_files(inside)] == ["a.jsonl"]
