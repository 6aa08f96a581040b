import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.limits import CONTROL, LimitOverrides, json_depth
from ringwall.boundaries.interface.settings import InterfaceSection
from ringwall.core import USER, Action, Crossing, CrossingKind, Part, PartKind, Principal, Services


def judge(parts, overrides=None, **context):
    section = InterfaceSection.model_validate(
        {"limits": {"messages": 3, "parts": 5, "depth": 8, "text_chars": 100}}
    )
    control = CONTROL.build(LimitOverrides.model_validate(overrides or {}), Services(section))
    return control.inspect(
        Crossing(CrossingKind.REQUEST, Principal("casey", credential="k"), tuple(parts), context=context)
    )


def part(text="hi", role=""):
    return Part(PartKind.TEXT, text, USER, role)


@pytest.mark.parametrize(
    ("parts", "context", "rule"),
    [
        ([part(role="user")] * 4, {}, "messages"),
        ([part()], {"messages": 4}, "messages"),
        ([part()] * 6, {}, "parts"),
        ([part("x" * 60)] * 2, {}, "text"),
        ([part()], {"depth": 9}, "depth"),
    ],
)
def test_each_limit_holds(parts, context, rule):
    given_ = judge(parts, **context)
    assert given_.action is Action.BLOCK
    assert [finding.rule for finding in given_.findings] == [rule]


def test_at_the_limit_is_within_it():
    assert judge([part("x" * 20)] * 5, messages=3, depth=8).action is Action.ALLOW


def test_an_application_may_differ():
    assert judge([part("x" * 101)], {"text_chars": 200}).action is Action.ALLOW


def test_hostile_texts_and_contexts_do_not_raise():
    assert judge([part("\ud800\0")], depth="deep", messages=None).action is Action.ALLOW


def naive(value):
    if isinstance(value, dict):
        return 1 + max(map(naive, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(naive, value), default=0)
    return 0


tricky = st.text(alphabet='[]{}"\\,:ab\u00e9\n', max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**15) | tricky,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=30,
)


@given(values, st.booleans())
@settings(max_examples=100)
def test_depth_is_what_a_walker_finds(value, pretty):
    body = orjson.dumps(
        value, option=(orjson.OPT_INDENT_2 if pretty else 0) | orjson.OPT_PASSTHROUGH_DATACLASS
    )
    assert json_depth(body) == naive(value)


def reached(body):
    """The depth that a simple parser reaches before the first bracket that doesn't match."""
    stack, most, inside, escaped = [], 0, False, False
    for byte in body:
        if inside:
            escaped, inside = (not escaped and byte == 0x5C), escaped or byte != 0x22
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            stack.append(byte)
            most = max(most, len(stack))
        elif byte in b"]}" and (not stack or stack.pop() != byte - 2):
            break
    return most


@given(
    st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b"a", b"\xff"]), max_size=40).map(b"".join)
)
@settings(max_examples=200)
def test_broken_json_is_never_taken_for_flatter_than_a_parser_would_go(body):
    assert json_depth(body) >= reached(body)


@pytest.mark.parametrize("deep", [b"[" * 500_000, b'{"a":' * 200_000, (b"[" * 300 + b"]" * 300) * 1500])
def test_too_deep_is_one_over_the_limit(deep):
    assert json_depth(deep, 32) == 33


@pytest.mark.parametrize(
    "body",
    [b"[]" * 500_000, b'"' * 999_999, b'"\\' * 500_000, b"[" * 1_000_000, b'"' + b"\\" * 1_000_000,
     b"]" * 1_000_000,
     b"[[[[]]]]" * 120_000],
    ids=["flat", "quotes", "escapes", "open", "backslashes", "close", "hills"],
)  # fmt: skip
def test_a_megabyte_takes_no_time_to_speak_of(body):
    begun = time.process_time()
    json_depth(body, 32)
    assert time.process_time() - begun < 2.0  # measured at 1 to 60 ms; quadratic code would take minutes
