"""``application.egress``: the second look at a request out."""

from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.egress import EgressControl, EgressList, EgressRefused, EgressSettings
from ringwall.boundaries.application.egress_crossing import egress_crossing, let_out
from ringwall.boundaries.application.egress_settings import EgressRule
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.core import Action, Gate, Mode, Post, Principal, Verdict
from ringwall.storage.database import Database

CASEY = Principal("casey", credential="key")
RULES = EgressList(
    [
        EgressRule(host="shop.example", methods=frozenset({"GET", "POST"})),
        EgressRule(host="*.cdn.example"),
        EgressRule(host="10.1.2.3", private=True),
    ]
)


@pytest.fixture
def switches(tmp_path: Path) -> ToolSwitches:
    return ToolSwitches(Database(tmp_path / "state.db"))


@pytest.fixture
def control(switches: ToolSwitches) -> EgressControl:
    return EgressControl(EgressSettings(), switches)


def ask(control: EgressControl, url: str, body: int = 0, **changed: Any) -> Verdict:
    outbound = RULES.judge(url, "POST" if body else "GET", "shop", body)
    return control.inspect(egress_crossing(outbound, CASEY, context=changed))


def rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/",
        "https://shop.example/orders/0f8fad5b-d9cb-469f-a165-70867728950e?expand=items",
        "https://shop.example/blog/how-to-return-a-lamp-that-arrived-broken-within-thirty-days-of-purchase",
        "https://img.cdn.example/a.png",
        "https://10.1.2.3/",
    ],
)
def test_what_is_listed_and_carries_nothing_goes_out(url: str, control: EgressControl) -> None:
    assert ask(control, url).action is Action.ALLOW


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://elsewhere.example/", "list"),
        ("https://10.1.2.4/", "list"),
        ("https://shop.example/?q=" + "a b".replace(" ", "+") * 1000, "data-in-address"),
        ("https://shop.example/?q=" + "QUJDRA" * 100, "data-in-address"),
        (
            "https://shop.example/" + "/".join(["4a6f686e20446f652c20313233342d35363738"] * 15),
            "data-in-address",
        ),
        ("https://" + "a1b2c3d4e5" * 5 + ".cdn.example/", "data-in-address"),
        ("https://" + ".".join(["a1b2c3d4e5"] * 5) + ".cdn.example/", "data-in-address"),
    ],
)
def test_what_is_not_listed_or_carries_data_is_stopped(url: str, rule: str, control: EgressControl) -> None:
    verdict = ask(control, url)
    assert (verdict.action, rules(verdict)) == (Action.BLOCK, {rule})


def test_it_reads_the_host_by_itself(control: EgressControl) -> None:
    """Whatever the list may have let through."""
    for host in (
        "127.0.0.1",
        "169.254.169.254",
        "0x7f.1",
        "localhost",
        "::ffff:10.0.0.1",
        "",
        None,
        5,
        "a b",
    ):
        assert rules(ask(control, "https://shop.example/", host=host)) == {"address"}
    assert rules(ask(control, "https://shop.example/", host="169.254.169.254", private=True)) == {"address"}
    assert ask(control, "https://shop.example/", host="10.0.0.1", private=True).action is Action.ALLOW


@pytest.mark.parametrize("value", [None, -1, "5", float("nan"), [], True, 10**30])
@pytest.mark.parametrize("key", ["query_chars", "opaque_chars", "label_chars", "body_bytes"])
def test_a_size_that_is_none_counts_as_the_worst(key: str, value: Any, control: EgressControl) -> None:
    expected = Action.ALLOW if value is True else Action.BLOCK
    assert ask(control, "https://shop.example/", **{key: value}).action is expected


def test_large_bodies_are_stopped(switches: ToolSwitches) -> None:
    control = EgressControl(EgressSettings(body_bytes=10), switches)
    assert ask(control, "https://shop.example/", 10).action is Action.ALLOW
    assert rules(ask(control, "https://shop.example/", 11)) == {"size"}


def test_a_tool_that_is_switched_off_sends_nothing(control: EgressControl, switches: ToolSwitches) -> None:
    switches.disable("shop", reason="broken", by="morgan")
    assert rules(ask(control, "https://shop.example/")) == {"switched-off"}
    switches.enable("shop")
    assert ask(control, "https://shop.example/").action is Action.ALLOW


def test_the_reason_tells_nothing_of_the_list(control: EgressControl) -> None:
    verdict = ask(control, "https://elsewhere.example/?secret=s3cr3t")
    said = " ".join([*verdict.reasons, *(finding.message for finding in verdict.findings)])
    assert "shop.example" not in said
    assert "s3cr3t" not in said


async def test_a_stop_counts_in_monitor_mode_too_where_the_gateway_sends(control: EgressControl) -> None:
    gate = Gate([Post(control)], application="assistant", mode=Mode.MONITOR)
    outbound = RULES.judge("https://elsewhere.example/", "GET", "shop")
    decision = await gate.decide(egress_crossing(outbound, CASEY))
    let_out(decision, careful=False)
    with pytest.raises(EgressRefused, match="The policy"):
        let_out(decision)
