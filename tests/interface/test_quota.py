import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringwall.boundaries.interface.quota import CONTROL, QuotaOverrides, Quotas, principal_key
from ringwall.boundaries.interface.settings import InterfaceSection, Rate
from ringwall.core import (
    ANONYMOUS,
    USER,
    Action,
    Crossing,
    CrossingKind,
    Gate,
    Mode,
    Part,
    PartKind,
    Post,
    Principal,
    Services,
)
from ringwall.core.rate import parse_rate

CASEY = Principal("casey", "brightlamp", credential="k1")
SECTION = InterfaceSection.model_validate(
    {
        "quotas": {
            "requests": "3/min",
            "tokens": "1k/hour",
            "anonymous": {"requests": "1/min", "tokens": "100/hour"},
        }
    }
)


class Bench:
    def __init__(self, overrides=None):
        self.clock = 0.0
        self.quotas = Quotas(now=lambda: self.clock, expire_s=900)
        settings = QuotaOverrides.model_validate(overrides or {})
        self.control = CONTROL.build(settings, Services(SECTION, self.quotas))
        self.key = principal_key(crossing())

    def ask(self, turn="", principal=CASEY, **context):
        return self.control.inspect(crossing(turn, principal, **context))

    def used(self):
        return self.quotas.used(self.key, SECTION.quotas)


def crossing(turn="", principal=CASEY, **context):
    return Crossing(
        CrossingKind.REQUEST,
        principal,
        (Part(PartKind.TEXT, "x" * 30, USER),),
        context={"turn": turn, **context},
    )


def test_requests_run_out_and_come_back():
    bench = Bench()
    for turn in "abc":
        assert bench.ask(turn, estimated_tokens=1).action is Action.ALLOW
    refused = bench.ask("d", estimated_tokens=1)
    assert refused.action is Action.BLOCK
    assert [finding.rule for finding in refused.findings] == ["requests"]
    wait = bench.quotas.retry_after("d")
    assert 0 < wait <= 61
    bench.clock += wait
    assert bench.ask("e", estimated_tokens=1).action is Action.ALLOW


def test_tokens_are_reserved_then_settled():
    bench = Bench()
    bench.ask("a", estimated_tokens=900)
    refused = bench.ask("b", estimated_tokens=200)
    assert [finding.rule for finding in refused.findings] == ["tokens"]
    bench.quotas.release("b")
    bench.quotas.settle("a", 100)
    assert bench.used() == (1, 100)
    assert bench.ask("c", estimated_tokens=900).action is Action.ALLOW


def test_a_turn_that_others_stopped_gives_its_tokens_back_but_was_a_request():
    bench = Bench()
    bench.ask("a", estimated_tokens=900)
    bench.quotas.release("a")
    bench.quotas.release("a")
    bench.quotas.settle("a", 50)
    assert bench.used() == (1, 0)


def test_a_turn_is_paid_once():
    bench = Bench()
    for _ in range(5):
        assert bench.ask("a", estimated_tokens=400).action is Action.ALLOW
    assert bench.used() == (1, 400)
    bench.quotas.settle("a", 10)
    bench.quotas.settle("a", 10)
    assert bench.used() == (1, 10)


def test_a_turn_without_a_name_is_paid_at_once():
    bench = Bench()
    bench.ask(estimated_tokens=10)
    bench.ask(turn=None, estimated_tokens=10)
    assert bench.used() == (2, 20)
    assert not bench.quotas._turns


def test_a_turn_that_nobody_closes_expires():
    bench = Bench()
    bench.ask("a", estimated_tokens=1000)
    bench.clock += 901
    assert bench.ask("b", estimated_tokens=1000).action is Action.ALLOW


def test_a_turn_larger_than_all_there_is():
    refused = (bench := Bench()).ask("a", estimated_tokens=1001)
    assert "whole quota" in refused.reasons[0]
    assert bench.quotas.retry_after("a") == 0


@pytest.mark.parametrize("estimate", [None, "9", -5, 1.5, True, 10**30, float("nan"), [1]])
def test_odd_estimates_never_raise_nor_pass_for_free(estimate):
    bench = Bench()
    bench.ask("a", estimated_tokens=estimate)
    assert bench.used()[1] >= 10 or bench.quotas._turns["a"].reservation is None


def test_in_monitor_mode_use_is_still_counted():
    bench = Bench()
    bench.ask("a", estimated_tokens=1001)
    bench.quotas.settle("a", 700)
    assert bench.used() == (0, 700)


async def test_a_monitor_gate_lets_everything_pass():
    bench = Bench()
    gate = Gate([Post(bench.control, Mode.MONITOR)])
    decisions = [await gate.decide(crossing(str(number), estimated_tokens=1)) for number in range(5)]
    assert [decision.action for decision in decisions] == [0, 0, 0, 1, 1]
    assert decisions[-1].would is Action.BLOCK


def test_principals_do_not_share():
    keys = {
        principal_key(crossing(principal=principal))
        for principal in (
            Principal("b", "a:1", credential="k"),
            Principal("1:b", "a", credential="k"),
            Principal("anonymous ", "a", credential="k"),
            ANONYMOUS,
        )
    }
    assert len(keys) == 4


def test_anonymous_callers_have_less_and_each_address_its_own():
    bench = Bench()
    assert bench.ask("a", ANONYMOUS, address="192.0.2.1").action is Action.BLOCK  # 266 tokens of 100
    assert bench.ask("b", ANONYMOUS, address="192.0.2.1", estimated_tokens=1).action is Action.ALLOW
    assert bench.ask("c", ANONYMOUS, address="192.0.2.1", estimated_tokens=1).action is Action.BLOCK
    assert bench.ask("d", ANONYMOUS, address="192.0.2.2", estimated_tokens=1).action is Action.ALLOW


def test_an_application_may_differ():
    bench = Bench({"requests": "1/min"})
    assert bench.ask("a", estimated_tokens=1).action is Action.ALLOW
    assert bench.ask("b", estimated_tokens=1).action is Action.BLOCK


@pytest.mark.parametrize(
    ("written", "amount", "window"),
    [("60/min", 60, 60), ("50k/hour", 50_000, 3600), ("2m/day", 2_000_000, 86400), ("10/30s", 10, 30)],
)
def test_rates(written, amount, window):
    assert parse_rate(written) == Rate(amount, window)


@given(st.integers(0, 10**9), st.integers(1, 86400))
def test_a_rate_reads_back_as_itself(amount, window):
    rate = Rate(amount, window)
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    "written",
    [
        "",
        "60",
        "60/",
        "/min",
        "60/fortnight",
        "-1/min",
        "1.5/min",
        "60/min/min",
        60,
        None,
        "1/0s",
        "1/99day",
        "٣/min",
    ],
)
def test_what_is_no_rate_is_refused_in_words(written):
    with pytest.raises(ValidationError, match="rate"):
        InterfaceSection.model_validate({"quotas": {"requests": written}})
