"""Who lifts a hold: what policies and settings say of it, and the stricter of several."""

from typing import Any

import pytest

from ringwall.boundaries.application.approvers import Approvers
from ringwall.boundaries.application.cedar_policies import Source, load_policies
from ringwall.boundaries.application.compose import PolicyServices
from ringwall.boundaries.application.hold import Approver
from ringwall.boundaries.application.hold_settings import ConfirmSettings
from ringwall.core import (
    Action,
    Boundary,
    ConfigError,
    CrossingKind,
    Decision,
    Finding,
    Line,
    Mode,
    Status,
    Verdict,
)

PACK = """
@id("mine") @verdict("hold") @approver("requester") forbid (principal, action, resource);
@id("theirs") @verdict("hold") @approver("other") forbid (principal, action, resource);
@id("silent") @verdict("hold") forbid (principal, action, resource);
"""
CONFIRM = ConfirmSettings(effects=frozenset({"send"}), tools=frozenset({"fetch_page"}))


def line(control: str, *rules: str, action: Action = Action.HOLD) -> Line:
    given = Verdict(action, tuple(Finding(control, rule, "…") for rule in rules))
    return Line(control, Boundary.APPLICATION, Status.EVALUATED, Mode.ENFORCE, given, action)


def decision(*lines: Line) -> Decision:
    names = ("", "", "", "", "", "")
    mode, hold = Mode.ENFORCE, Action.HOLD
    return Decision("dec_1", 0, CrossingKind.TOOL_CALL, *names, mode, hold, hold, lines, Verdict(hold))


POLICY, PLACE = "application.policy", "application.destination"


@pytest.mark.parametrize(
    ("lines", "tool", "who"),
    [
        ([line(POLICY, "mine")], "refund", Approver.REQUESTER),
        ([line(POLICY, "theirs")], "send_email", Approver.OTHER),
        ([line(POLICY, "mine", "theirs")], "refund", Approver.OTHER),
        ([line(POLICY, "silent")], "refund", Approver.OTHER),
        ([line(POLICY, "silent")], "send_email", Approver.REQUESTER),
        ([line(POLICY, "silent")], "fetch_page", Approver.REQUESTER),
        ([line(POLICY, "mine", "silent")], "refund", Approver.OTHER),
        ([line(POLICY, "mine"), line(PLACE, "unknown")], "refund", Approver.OTHER),
        ([line(POLICY, "mine"), line(PLACE, "unknown")], "send_email", Approver.REQUESTER),
        ([line(POLICY, "mine"), line(PLACE, "x", action=Action.ALLOW)], "refund", Approver.REQUESTER),
        ([line(POLICY, "no-such-policy")], "refund", Approver.OTHER),
        ([line(POLICY)], "refund", Approver.OTHER),
        ([line(POLICY, "mine")], "no_such_tool", Approver.REQUESTER),
        ([line(PLACE, "mine")], "refund", Approver.OTHER),
        ([], "send_email", Approver.OTHER),
    ],
)
def test_one_that_needs_somebody_else_is_enough(
    services: PolicyServices, lines: list[Any], tool: str, who: Approver
) -> None:
    approvers = Approvers(load_policies(services.registry, [Source("p.cedar", PACK)]), CONFIRM)
    assert approvers.of(decision(*lines), services.registry.get(tool)) is who


@pytest.mark.parametrize(
    "notes",
    [
        '@verdict("hold") @approver("anybody")',
        '@verdict("hold") @approver',
        '@approver("requester")',
        '@verdict("deny") @approver("requester")',
    ],
)
def test_an_approver_is_one_of_two_and_belongs_to_a_hold(services: PolicyServices, notes: str) -> None:
    with pytest.raises(ConfigError, match="@approver"):
        load_policies(
            services.registry, [Source("p.cedar", f"{notes} forbid (principal, action, resource);")]
        )
