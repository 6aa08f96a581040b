from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.model.parameters import CONTROL, ParametersSettings
from ringwall.core import ALLOW, ANONYMOUS, Action, Crossing, CrossingKind, Services, Verdict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def judge(params: Any, chars: Any = 10, **settings_: Any) -> Verdict:
    control = CONTROL.build(ParametersSettings(**settings_), Services())
    context = {"params": params, "prompt_chars": chars, "route": "default"}
    given_: Verdict = control.inspect(Crossing(CrossingKind.MODEL_CALL, ANONYMOUS, context=context))
    return given_


def test_ordinary_calls_pass() -> None:
    ordinary = {
        "temperature": 0.7,
        "top_p": 1,
        "max_tokens": 100,
        "stop": ["\n", "END"],
        "n": 1,
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
        "user": "casey",
        "metadata": {"scenario": "s1"},
        "store": False,
        "logprobs": False,
        "logit_bias": {},
        "top_logprobs": None,
        "service_tier": None,
    }
    assert judge(ordinary) == ALLOW
    assert judge({}) == ALLOW
    assert judge({"tool_choice": {"type": "function", "function": {"name": "t"}}}) == ALLOW


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"logprobs": True}, "extraction"),
        ({"top_logprobs": 5}, "extraction"),
        ({"logit_bias": {"50256": -100}}, "extraction"),
        ({"echo": True}, "extraction"),
        ({"max_tokens": 4097}, "bounds"),
        ({"max_tokens": 0}, "bounds"),
        ({"max_tokens": True}, "bounds"),
        ({"max_tokens": "100"}, "bounds"),
        ({"max_completion_tokens": 10**30}, "bounds"),
        ({"n": 2}, "bounds"),
        ({"n": True}, "bounds"),
        ({"temperature": 2.1}, "bounds"),
        ({"temperature": float("nan")}, "bounds"),
        ({"temperature": float("inf")}, "bounds"),
        ({"temperature": 10**400}, "bounds"),
        ({"temperature": "hot"}, "bounds"),
        ({"stop": ["x"] * 9}, "bounds"),
        ({"stop": ""}, "bounds"),
        ({"stop": [5]}, "bounds"),
        ({"store": True}, "bounds"),
        ({"tool_choice": "any"}, "bounds"),
        ({"functions": []}, "unknown"),
        ({"function_call": "auto"}, "unknown"),
        ({"web_search_options": {}}, "unknown"),
        ({"guardrails": False}, "unknown"),
        ({"": 1}, "unknown"),
        ({"x" * 10_000: 1}, "unknown"),
        ({"\ud800": 1}, "unknown"),
    ],
)
def test_what_is_stopped(params: dict[str, Any], rule: str) -> None:
    given_ = judge(params)
    assert given_.action is Action.BLOCK
    assert [finding.rule for finding in given_.findings] == [rule]
    assert given_.reasons and len(given_.reasons[0]) < 200


def test_the_prompt_is_bounded() -> None:
    assert judge({}, 400_000) == ALLOW
    for chars in (400_001, "many", None, True):
        assert judge({}, chars).action is Action.BLOCK
    assert judge({}, 11, max_prompt_chars=10).findings[0].rule == "context"


def test_settings_widen_and_narrow() -> None:
    assert judge({"service_tier": "flex"}, also_allowed=["service_tier"]) == ALLOW
    assert judge({"max_tokens": 11}, max_output_tokens=10).action is Action.BLOCK


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(["n", "stop", "seed", "logit_bias"]), JSON))
@settings(max_examples=100, deadline=None)
def test_any_parameters_get_a_verdict(params: dict[str, Any]) -> None:
    assert judge(params).action in (Action.ALLOW, Action.BLOCK)


@pytest.mark.parametrize("params", [None, [], "x", 5])
def test_what_can_not_be_looked_at_does_not_pass(params: Any) -> None:
    assert judge(params).action is Action.BLOCK
