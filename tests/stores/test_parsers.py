"""Hostile bytes at every parser of the files and vector stores APIs."""

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.wire.errors import WireError
from ringwall.wire.multipart import UploadReader
from ringwall.wire.vector_filters import read_filter
from ringwall.wire.vector_stores import read_attach, read_attributes, read_batch, read_rows_call, read_search

TYPE = "multipart/form-data; boundary=bound"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
VALUES = st.text(max_size=5) | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3)
COMPARISONS = st.builds(
    lambda kind, key, value: {"type": kind, "key": key, "value": value},
    st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]),
    st.sampled_from(["a", "b", "c"]),
    VALUES,
) | st.builds(
    lambda kind, key, values: {"type": kind, "key": key, "value": values},
    st.sampled_from(["in", "nin"]),
    st.sampled_from(["a", "b", "c"]),
    st.lists(VALUES, min_size=1, max_size=3),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        lambda kind, filters: {"type": kind, "filters": filters},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def part(name: str, data: bytes, filename: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return (
        f'--bound\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + data + b"\r\n"
    )


def read(body: bytes, step: int = 7) -> tuple[UploadReader, bytes]:
    took = bytearray()
    reader = UploadReader(TYPE, took.extend)
    for at in range(0, len(body), step):
        reader.feed(body[at : at + step])
    reader.finish()
    return reader, bytes(took)


@given(data=st.binary(max_size=400), step=st.integers(1, 50), purpose=st.text("abc", max_size=9))
@settings(max_examples=60, deadline=None)
def test_a_file_comes_out_as_it_was_however_it_is_cut(data: bytes, step: int, purpose: str) -> None:
    body = part("purpose", purpose.encode()) + part("file", data, "a.txt") + b"--bound--\r\n"
    if b"\r\n--bound" in data:
        return
    reader, took = read(body, step)
    assert took == data
    assert (reader.name, reader.fields) == ("a.txt", {"purpose": purpose})


@given(body=st.binary(max_size=300), step=st.integers(1, 50))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes, step: int) -> None:
    for given_ in (body, b"--bound\r\n" + body, part("file", body, "x") + body):
        with contextlib.suppress(WireError):
            read(given_, step)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--bound--\r\n",
        part("file", b"x", "a.txt"),  # no end
        part("file", b"x", "a.txt") * 2 + b"--bound--\r\n",
        part("other", b"x", "a.txt") + b"--bound--\r\n",
        part("file", b"x", "../..") + b"--bound--\r\n",
        part("file", b"x", "\x00\x1f") + b"--bound--\r\n",
        b"".join(part(f"f{number}", b"x") for number in range(20)) + b"--bound--\r\n",
        part("purpose", b"x" * 2000) + b"--bound--\r\n",
        part("n" * 70, b"x") + b"--bound--\r\n",
        b"--bound\r\nContent-Disposition: " + b"x" * 9000 + b"\r\n\r\n\r\n--bound--\r\n",
        b"--bound\r\nX: y\r\n\r\nno name\r\n--bound--\r\n",
        part("file", b"x", "\u00ff".encode("utf-16").decode("latin-1"))
        + part("p", b"\xff")
        + b"--bound--\r\n",
    ],
)
def test_what_is_no_upload_is_refused(body: bytes) -> None:
    with pytest.raises(WireError) as refused:
        read(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", f"multipart/form-data; boundary={'b' * 99}"]
)
def test_what_is_no_multipart_is_refused(kind: str) -> None:
    with pytest.raises(WireError):
        UploadReader(kind, bytearray().extend)


@given(body=JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_read_or_refused(body: Any) -> None:
    for reader in (read_search, read_attach, read_batch, read_rows_call, read_filter, read_attributes):
        with contextlib.suppress(WireError):
            reader(body)  # type: ignore[operator]


@given(given_=FILTERS, attributes=st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
@settings(max_examples=200, deadline=None)
def test_filters_mean_what_they_say(given_: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    assert read_filter(given_).fits(attributes) == meant(given_, attributes)


def meant(given_: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Written another way: by type first."""
    kind = given_["type"]
    if kind in ("and", "or"):
        return (all if kind == "and" else any)([meant(one, held) for one in given_["filters"]])
    value, mine = given_["value"], held.get(given_["key"])
    if kind in ("in", "ne", "nin"):
        equal = [
            meant({**given_, "type": "eq", "value": one}, held)
            for one in (value if kind != "ne" else [value])
        ]
        return any(equal) if kind == "in" else not any(equal)
    if mine is None or sort(mine) != sort(value):
        return False
    if kind == "eq":
        return bool(mine == value)
    if sort(mine) == "bool":
        return False
    order = (mine > value) - (mine < value)
    return {"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[kind]


def sort(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def test_filters_are_bounded() -> None:
    deep: Any = {"type": "eq", "key": "a", "value": 1}
    for _ in range(9):
        deep = {"type": "and", "filters": [deep]}
    wide = {"type": "or", "filters": [{"type": "eq", "key": "a", "value": 1}] * 65}
    among = {"type": "in", "key": "a", "value": ["x"] * 64}
    many = {"type": "or", "filters": [{"type": "or", "filters": [among] * 4}, among]}
    read_filter(many["filters"][0])
    for one in (deep, wide, many, {"type": "in", "key": "a", "value": ["x"] * 65}):
        with pytest.raises(WireError):
            read_filter(one)


@pytest.mark.parametrize(
    "attributes",
    [
        {"citation": "document:other/one@1"},
        {f"k{number}": 1 for number in range(17)},
        {"k" * 65: 1},
        {"k": "v" * 513},
        {"k": "two\nlines"},
        {"k": [1]},
        {"k": float("nan")},
        {"k": float("inf")},
        {"": 1},
    ],
)
def test_attributes_are_bounded(attributes: Any) -> None:
    with pytest.raises(WireError):
        read_attributes(attributes)
