"""The shapes that training sets come in: names of columns, parts of messages, encodings, odd files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from ringwall.boundaries.data.records import Form, read_rows, record_of, rows_of
from ringwall.boundaries.data.records.row_file import RowFile
from ringwall.core import DataError

_TURNS = [{"role": "user", "content": "p"}]


def turn(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "p", "chosen": "c", "rejected": "r"},
        {"prompt": _TURNS, "chosen": turn("c"), "rejected": turn("r")},
        {"chosen": _TURNS + turn("c"), "rejected": _TURNS + turn("r")},
        {"question": "p", "response_chosen": "c", "response_rejected": "r"},
        {"instruction": "p", "chosen_response": "c", "rejected_response": "r", "chosen_score": 3},
        {"input": {"messages": _TURNS}, "preferred_output": turn("c"), "non_preferred_output": turn("r")},
        {"prompt": "p", "response_0": "r", "response_1": "c", "better_response_id": 1},
    ],
)
def test_preferences_under_other_names(row: dict[str, Any]) -> None:
    record = record_of(row)
    assert (record.form, record.prompt, record.response, record.rejected) == (Form.PREFERENCE, "p", "c", "r")


def test_a_completion_that_is_marked_as_unwanted_is_rejected() -> None:
    good, bad = ({"prompt": "p", "completion": "c", "label": label} for label in (True, False))
    assert record_of(good).response == "c"
    assert (record_of(bad).response, record_of(bad).rejected) == ("", "c")


def test_calls_of_tools_and_parts_are_said() -> None:
    call = {"id": "1", "function": {"name": "weather", "arguments": '{"in": "Oslo"}'}}
    parts = [
        {"type": "text", "text": "Where?"},
        {"type": "image_url", "image_url": {"url": "https://x.example"}},
    ]
    chat = {
        "messages": [
            {"role": "user", "content": parts},
            {"role": "assistant", "content": None, "tool_calls": [call]},
        ]
    }
    record = record_of(chat)
    assert (record.prompt, record.response) == ("Where?", 'weather {"in": "Oslo"}')
    other = {
        "contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "a"}]}]
    }
    assert (record_of(other).prompt, record_of(other).response) == ("q", "a")


ROW = b'{"prompt": "p", "completion": "c"}\n'
FILES: dict[str, bytes] = {
    "mark.jsonl": b"\xef\xbb\xbf" + ROW,
    "lines.json": ROW + ROW.replace(b"c", b"d"),
    "packed.jsonl.zst": zstandard.compress(ROW),
    "packed.csv.zst": zstandard.compress(b"prompt,completion\np,c\n"),
    "semicolons.csv": b'prompt;completion\np;c\n"x;y";z\n',
    "tabs.csv": b"prompt\tcompletion\np\tc\n",
    "quoted.csv": b'"prompt","completion"\np,c\n',
    "wide.csv": "prompt;completion\np;c\n".encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_as_other_programs_save_them(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    record = next(read_rows(tmp_path / name))
    assert (record.prompt, record.response) == ("p", "c") or name == "lines.json"
    assert record.fields.keys() == {"prompt", "completion"}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('{"text": "a"}\n'.encode("utf-16"), "UTF-16"),
        ('{"text": "caf\u00e9"}\n'.encode("latin-1"), "not UTF-8"),
        (b'{"text": NaN}', "no JSON"),
        (b'{"a":' * 3000, "no JSON"),
    ],
)
def test_what_can_not_be_read_says_why(raw: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(raw)
    with pytest.raises(DataError, match=says):
        list(read_rows(tmp_path / "a.jsonl"))


def test_a_long_number_is_not_rounded(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": "a", "n": 123456789012345678901, "m": -5, "k": 9007199254740993}'
    )
    fields = next(read_rows(tmp_path / "a.jsonl")).fields
    assert fields == {"text": "a", "n": "123456789012345678901", "m": -5, "k": 9007199254740993}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.txt"])
def test_a_row_that_is_too_long_is_one_row(name: str, tmp_path: Path) -> None:
    """Those around it are read, and counted as they stand."""
    lines = [json.dumps({"text": "first"}), "x" * (17 << 20), json.dumps({"text": "third"})]
    raw = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(raw, 1) if name.endswith(".gz") else raw)
    chunks = RowFile(tmp_path / name, name).chunks()
    rows = [row for chunk in chunks for row in rows_of(chunk)]
    assert [(row.number, row.fields is not None) for row in rows] == [(1, True), (2, False), (3, True)]
    assert "longer than 16 MB" in rows[1].problem


def test_maps_and_odd_columns_are_read(tmp_path: Path) -> None:
    maps = pa.array([[("k", 1)], [("l", 2), ("m", 3)]], pa.map_(pa.string(), pa.int64()))
    table = pa.table({"text": ["a", "b"], "map": maps, "took": pa.array([5, 6], pa.duration("s"))})
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read_rows(tmp_path / "a.parquet")
    assert first.fields["map"] == [["k", 1]]
    assert second.fields["map"] == [["l", 2], ["m", 3]]
