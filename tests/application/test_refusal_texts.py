"""What model and user are told when a call is refused: every sentence of this boundary, in one table.

A row is what a control is given and the whole of what it says. The sentences can be acted on, name what was
refused, and tell nothing of rules: no ids, no thresholds that an attacker could walk up to.
"""

import json
import re
from typing import Any

import pytest

from ringwall.boundaries.application import arguments, breaker, destination, egress, policy
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.compose import PolicyServices
from ringwall.boundaries.application.settings import BreakerSettings
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.core import (
    USER,
    Action,
    Crossing,
    CrossingKind,
    Integrity,
    Label,
    Part,
    PartKind,
    Principal,
    Services,
    untrusted,
)
from ringwall.server import refusals
from ringwall.storage.database import Database
from ringwall.storage.shared_counters import SharedCounters

OUTSIDE = untrusted("tool:fetch_page")
PRIVATE = Label(Integrity.UNTRUSTED, frozenset({"customer-pii"}), frozenset({"tool:lookup_order"}))
CUSTOMER = Principal("kim", "brightlamp", frozenset({"customer"}), credential="key_3")
BLOCK, HOLD = Action.BLOCK, Action.HOLD
PAY = {"to": "1001", "amount": 5}
MAIL = {"to": ["x@evil.example"], "body": "x"}


@pytest.fixture
def built(services: PolicyServices, database: Database) -> dict[str, Any]:
    switches = ToolSwitches(database)
    switches.disable("note", reason="an incident of last night", by="ops")
    limits = BreakerSettings(calls_per_turn=3, identical_calls=1)
    offered = Services(
        services.registry,
        services.entities,
        services.authority,
        limits,
        Breakers(limits, services.registry, SharedCounters(database)),
        switches,
    )
    found = (arguments.CONTROL, breaker.CONTROL, destination.CONTROL, egress.CONTROL, policy.CONTROL)
    return {control.id: control.build(control.settings(), offered) for control in found}


TOLD = {
    # what: (control, tool, arguments, how, action, what is said)
    "schema": (
        *("arguments", "refund", {"to": "1001"}, {}, BLOCK),
        'The call was refused: the arguments: "amount" is a required property. Correct the arguments.',
    ),
    "schema value": (
        *("arguments", "refund", {"to": "1001", "amount": 0}, {}, BLOCK),
        "The call was refused: amount: 0 is less than or equal to the minimum of 0. Correct the arguments.",
    ),
    "no json": (
        *("arguments", "refund", "{", {}, BLOCK),
        "The call was refused: the arguments are not valid JSON: "
        "Expecting property name enclosed in double quotes at 1. Correct the arguments.",
    ),
    "two keys": (
        *("arguments", "refund", '{"to": "a", "to": "b"}', {}, BLOCK),
        "The call was refused: the arguments name the same key twice. Correct the arguments.",
    ),
    "no schema": (
        *("arguments", "other", {}, {}, BLOCK),
        "The call was refused: the tool has no schema here. Correct the arguments.",
    ),
    "switched off": (
        *("breaker", "note", {}, {}, BLOCK),
        "The call was stopped: this tool is switched off for now; go on without it.",
    ),
    "too many": (
        *("breaker", "refund", PAY, {"turn_calls": 3}, BLOCK),
        "The call was stopped: too many tool calls in one turn; answer with what you have.",
    ),
    "private address": (
        *("destination", "fetch_page", {"url": "http://127.1/"}, {}, BLOCK),
        "The call was stopped: url leads where tools may not reach: it is a loopback address.",
    ),
    "unknown place": (
        *("destination", "send_email", MAIL, {"labels": OUTSIDE}, HOLD),
        "The call was stopped: to leads to a place that this workload does not know.",
    ),
    "unknown page": (
        *("destination", "fetch_page", {"url": "https://evil.example/"}, {"labels": OUTSIDE}, BLOCK),
        "The call was stopped: url leads to a place that this workload does not know.",
    ),
    "data in the address": (
        *(
            "destination",
            "fetch_page",
            {"url": "https://evil.example/?q=" + "a" * 80},
            {"labels": OUTSIDE},
            BLOCK,
        ),
        "The call was stopped: the address in url carries data to an unknown host.",
    ),
    "not entitled": (
        *("policy", "refund", PAY, {"by": CUSTOMER}, BLOCK),
        "The policies of this workload do not permit this call.",
    ),
    "unknown tool": ("policy", "other", {}, {}, BLOCK, "This tool is not available here."),
    "a person decides": (
        *("policy", "refund", PAY, {}, HOLD),
        "Actions of this kind need a person's approval.",
    ),
    "restricted": (
        *("policy", "send_email", MAIL, {"labels": {"to": USER, "body": PRIVATE}}, BLOCK),
        "The call would take restricted data out.",
    ),
    "does not fit": (
        *("policy", "refund", {"to": "1001", "amount": 1e30}, {}, BLOCK),
        "The call could not be checked, so it was refused.",
    ),
}


@pytest.mark.parametrize("what", TOLD)
def test_a_refused_call_is_told_in_these_words(
    what: str, built: dict[str, Any], tool_call: Any, raw_part: Any
) -> None:
    control, tool, given, how, action, said = TOLD[what]
    how = {"labels": USER, **how}
    crossing = tool_call(tool, {} if isinstance(given, str) else given, how.pop("labels"), **how)
    if isinstance(given, str):
        crossing = crossing.with_parts((raw_part(tool, given),))
    verdict = built[f"application.{control}"].inspect(crossing)
    assert verdict.action is action
    assert verdict.reasons == (said,)
    plain(said)


def test_a_repeated_call_is_told(built: dict[str, Any], tool_call: Any) -> None:
    control = built["application.breaker"]
    control.inspect(tool_call("refund", PAY, ref="a"))
    (said,) = control.inspect(tool_call("refund", PAY, ref="b")).reasons
    assert said == (
        "The call was stopped: the same call was made before, and its result will not change; "
        "answer with what you have."
    )
    plain(said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "It is not on the egress list."),
        ({"problem": "", "listed": True, "host": "127.0.0.1"}, "It leads where tools may not reach."),
        (
            {"problem": "", "listed": True, "host": "a.example", "query_chars": 9999},
            "It was stopped: its query is too long.",
        ),
    ],
)
def test_a_request_out_is_told(built: dict[str, Any], facts: dict[str, Any], said: str) -> None:
    part = Part(PartKind.TEXT, "GET", USER)
    crossing = Crossing(CrossingKind.EGRESS, CUSTOMER, (part,), context=facts)
    assert built["application.egress"].inspect(crossing).reasons == (said,)
    plain(said)


GATEWAY = {
    "denied": refusals.denied(["It can't be done."]),
    "denied without reason": refusals.denied([]),
    "waits": refusals.waits("hold_1", "It costs money.", own=False),
    "waits for the user": refusals.waits("hold_1", "It costs money.", own=True),
    "refused by a person": refusals.refused_by_person("hold_1"),
    "expired": refusals.expired("hold_1"),
    "erased": refusals.erased("hold_1"),
    "used": refusals.USED,
    "withheld": refusals.WITHHELD,
    "stopped": refusals.STOPPED,
    "ended": refusals.ended([("refund", "It costs money.")]),
    "changed for the client": refusals.changed_for_client("refund"),
}


@pytest.mark.parametrize("what", GATEWAY)
def test_the_gateways_own_sentences(what: str) -> None:
    plain(GATEWAY[what])


@pytest.mark.parametrize("what", sorted(GATEWAY.keys() - {"stopped", "ended", "changed for the client"}))
def test_the_model_is_told_what_to_do_now(what: str) -> None:
    assert re.search(r"[Tt]ell the user|Ask the user", GATEWAY[what])


def test_who_is_told_what() -> None:
    assert "outside of this conversation" in GATEWAY["waits for the user"]
    assert "approval of a person" in GATEWAY["waits"]
    assert GATEWAY["ended"].endswith("- refund: It costs money.")
    told = refusals.changed(json.dumps({"amount": 4}))
    assert told.startswith("[A person changed this call")


def plain(said: str) -> None:
    """A sentence for people that gives nothing away."""
    assert said[0].isupper()
    assert said.rstrip().endswith(".")
    assert len(said) < 300
    for inner in (
        "ringwall.",
        "application.",
        "forbid",
        "permit(",
        "regex",
        "score",
        "threshold",
        "Traceback",
    ):
        assert inner not in said
