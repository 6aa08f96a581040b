"""The fast encoder gives the bytes of RFC 8785, or refuses."""

import enum
import math
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.core import DataError
from ringwall.ledger.canonical import canonical, mended

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(text, values, max_size=6))
@settings(max_examples=150)
def test_same_bytes_as_the_reference_encoder(event: dict[str, Any]) -> None:
    assert canonical(event) == rfc8785.dumps(event)


@pytest.mark.parametrize("character", [chr(c) for c in range(0x20)] + ["\x7f", "\u2028", "é", "😀", "\uffff"])
def test_every_control_character(character: str) -> None:
    assert canonical({"k": character}) == rfc8785.dumps({"k": character})


def test_keys_sort_by_utf16_as_the_rfc_says() -> None:
    event = {"\ufb33": 1, "😀": 2, "a": 3}
    assert canonical(event) == rfc8785.dumps(event) == '{"a":3,"😀":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("number", [0.0, 1.5, -2.5, 1e300, 5e-324, 1e16, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [lambda x: {"a": x}, lambda x: {"a": [1, {"b": x}]}, lambda x: {"a": (x,)}])
def test_floats_are_refused_by_name_of_the_place(number: float, wrap: Any) -> None:
    with pytest.raises(DataError, match=r"event\.a.* is a float"):
        canonical(wrap(number))


def test_text_that_looks_like_a_float_passes() -> None:
    event = {"a": 'x:1.5,[2.5 null "3e5', "b": [":1.0"]}
    assert canonical(event) == rfc8785.dumps(event)


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**64, 10**400, {1, 2}, object(), b"bytes", {1: 2}])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(DataError):
        canonical({"a": value})


def test_lone_surrogates_become_the_replacement_character() -> None:
    assert canonical({"a": "x\ud800y"}) == '{"a":"x\ufffdy"}'.encode()
    assert canonical({"k\udfff": 1}) == '{"k\ufffd":1}'.encode()
    assert mended("\ud83d\ude00") == "😀"


def test_depth_and_length_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DataError, match="nested"):
        canonical({"a": deep})
    with pytest.raises(DataError, match="over the ledger's limit"):
        canonical({"a": "x" * 5_000_000})


def test_mappings_and_enumerations_are_taken() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    assert canonical(MappingProxyType({"a": MappingProxyType({"b": Colour.RED})})) == b'{"a":{"b":"red"}}'
