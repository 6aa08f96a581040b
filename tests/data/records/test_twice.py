"""A name that is there twice in a row: what one reader keeps, another one drops."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.data.records import read_rows
from ringwall.boundaries.data.records.twice import names_twice
from ringwall.core import DataError

WORDS = st.text(alphabet='ab":\\ ,{}', max_size=6)
VALUES = st.recursive(
    WORDS | st.integers(-5, 5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), ("\n,", "\n:\t")]))
def test_rows_without_one_pass_however_they_are_written(value: Any, marks: tuple[str, str]) -> None:
    raw = json.dumps({"row": value}, separators=marks).encode()
    assert not names_twice(raw, orjson.loads(raw))


@given(VALUES, VALUES, VALUES, st.sampled_from(['"a"', '"\\u0061"', '"a" ', '"a"\n\t']))
def test_one_is_found_at_any_depth(first: Any, second: Any, other: Any, name: str) -> None:
    inner = f'{{"a":{json.dumps(first)},"b":{json.dumps(other)},{name}:{json.dumps(second)}}}'
    for raw in (inner, f'{{"x":[1,{inner}]}}', f'[{{"y":{{"z":{inner}}}}}]'):
        assert names_twice(raw.encode(), orjson.loads(raw))


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_such_a_row_is_refused(tmp_path: Path, name: str) -> None:
    rows = ['{"prompt": "a: \\"b\\": c", "completion": "ok"}', '{"prompt":"q","completion":"x","prompt":"y"}']
    (tmp_path / name).write_text("\n".join(rows) if name.endswith("l") else f"[{','.join(rows)}]")
    with pytest.raises(DataError, match="one name of a field twice"):
        list(read_rows(tmp_path / name))
