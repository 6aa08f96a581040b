"""False alarms: from a finding on the ledger to an allow-rule, and the test cases of all of them.

The console, the API and the command line all come through here.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ringwall.boundaries.interface.scopes import Scope
from ringwall.boundaries.organization.allow_rule import AllowRule, Match, case_of, until, usual_match
from ringwall.boundaries.organization.allowances import AllowRules
from ringwall.core import (
    ALLOWED_BY,
    Action,
    Crossing,
    DataError,
    Gate,
    IdentityError,
    Line,
    Principal,
    Status,
    numbered_findings,
)
from ringwall.ledger import Record

from .plant import Plant
from .site import Site

MOST_FINDINGS = 20


class Outcome(StrEnum):
    """What became of a test case."""

    PASSES = "passes"
    STOPPED = "stopped"
    """The control still changes or stops it: because of other findings, or another tier than then."""
    NOT_NEEDED = "not needed"
    """It would pass without the rule: the detector has changed. Remove the rule."""
    EXPIRED = "expired"
    ERASED = "erased"
    """Its text was erased with the key of who wrote it: remove the rule."""
    GONE = "gone"
    """Its application or control is not there any more, or could not judge it."""


@dataclass(frozen=True, slots=True)
class Tested:
    rule: AllowRule
    outcome: Outcome
    because: str = ""
    """Rules that still stop it, or why it can't be tested."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for."""

    findings: tuple[int, ...]
    """Numbers, as the console, ``ringwall decision`` and the API give them."""
    expires: str
    """A period such as ``30d``."""
    reason: str
    owner: str = ""
    """Empty: who asks."""
    match: Match | None = None
    """None: the narrowest that is of use."""
    phrase: str = ""


def check_right(site: Site, by: Principal) -> None:
    """Raises IdentityError for who may not use the console, or not with this credential."""
    if not by.authenticated or not site.roles.console(by.roles) or not by.grant.allows(Scope.CONSOLE):
        raise IdentityError("Only holders of a role with the console right may allow a finding.")


def report(site: Site, plant: Plant, record: Record, wish: Wish, by: Principal) -> list[AllowRule]:
    """Make an allow-rule of each finding named. On the ledger before it counts. Blocks; raises DataError or
    IdentityError, and then nothing was added."""
    check_right(site, by)
    if record.event.get("type") != "decision":
        raise DataError("This record is no decision.")
    if record.body is None:
        raise DataError("The text of this decision is gone, so it can't be tested and not allowed.")
    numbered = numbered_findings(record.body)
    if not 0 < len(wish.findings) <= MOST_FINDINGS:
        raise DataError(f"Name 1 to {MOST_FINDINGS} findings by their numbers.")
    expires = until(wish.expires, time.time())
    with plant.database.transaction():
        added = [
            _added(plant, record, _numbered(numbered, number), wish, by, expires)
            for number in sorted(set(wish.findings))
        ]
        for rule in added:
            plant.ledger.append_now(rule.event("added"), {"reason": rule.reason}, subject=by.owner)
    return added


def remove(site: Site, plant: Plant, rule_id: str, by: Principal) -> AllowRule:
    """End a rule. Blocks; raises DataError or IdentityError."""
    check_right(site, by)
    with plant.database.transaction():
        rule = plant.allowances.remove(rule_id, by=by.subject)
        plant.ledger.append_now(rule.event("removed"))
    return rule


def _numbered(
    numbered: Sequence[tuple[str, Mapping[str, Any]]], number: int
) -> tuple[str, Mapping[str, Any]]:
    if not 0 < number <= len(numbered):
        raise DataError(f"This decision has {len(numbered)} findings: there is no number {number}.")
    return numbered[number - 1]


def _added(
    plant: Plant,
    record: Record,
    named: tuple[str, Mapping[str, Any]],
    wish: Wish,
    by: Principal,
    expires: float,
) -> AllowRule:
    control, spot = named
    if str(spot["rule"]).startswith(ALLOWED_BY):
        raise DataError("This finding tells of an allow-rule that is there already.")
    case = case_of(record.event, record.body or {}, control, spot)
    match = wish.match or (Match.PHRASE if wish.phrase else usual_match(case.finding))
    return plant.allowances.add(
        case,
        match=match,
        phrase=wish.phrase,
        owner=wish.owner or by.subject,
        reason=wish.reason,
        by=by.subject,
        decision=str(record.event["id"]),
        expires=expires,
    )


async def test(site: Site, rules: AllowRules, only: Sequence[AllowRule] | None = None) -> list[Tested]:
    """Judge the test cases again, each by its own control as it is configured now."""
    return [await _tested(site, rules, rule) for rule in (rules.kept() if only is None else only)]


async def _tested(site: Site, rules: AllowRules, rule: AllowRule) -> Tested:
    if not rules.in_force(rule):
        return Tested(rule, Outcome.EXPIRED)
    app = site.applications.get(rule.application)
    posts = [post for post in app.gate.posts if post.control.declaration.id == rule.control] if app else []
    if not posts:
        return Tested(rule, Outcome.GONE, "Its application or control is not there any more.")
    try:
        stored = rules.case(rule)
    except DataError as error:
        return Tested(rule, Outcome.ERASED, str(error))
    tenant, _, subject = rule.person.partition("/")
    who = Principal(subject, tenant, credential="allow-rule test")
    crossing = Crossing(stored.kind, who, (stored.part,), rule.application)
    without = await _line(Gate(posts, application=rule.application), crossing)
    now = await _line(Gate(posts, application=rule.application, allowances=rules), crossing)
    if now is None or without is None or Status.FAILED in (now.status, without.status):
        return Tested(rule, Outcome.GONE, "The control could not judge it.")
    if _action(without) <= Action.ANNOTATE:
        return Tested(rule, Outcome.NOT_NEEDED)
    if _action(now) <= Action.ANNOTATE:
        return Tested(rule, Outcome.PASSES)
    return Tested(rule, Outcome.STOPPED, _left(now))


def summary(tested: Sequence[Tested]) -> str:
    """What became of reported findings, for the person who reported them."""
    ids = ", ".join(one.rule.id for one in tested)
    left = sorted({one.because for one in tested if one.outcome is Outcome.STOPPED and one.because})
    if left:
        return f"Allowed as {ids}. The same text is still stopped: {'; '.join(left)}."
    wrong = [one for one in tested if one.outcome is not Outcome.PASSES]
    if wrong:
        return f"Allowed as {ids}. Its test case: {wrong[0].outcome}."
    return f"Allowed as {ids}, until {tested[0].rule.expires_at}. The same text passes from now on."


async def _line(gate: Gate, crossing: Crossing) -> Line | None:
    decision = await gate.decide(crossing)
    return decision.lines[0] if decision.lines else None


def _action(line: Line) -> Action:
    return line.verdict.action if line.verdict else Action.BLOCK


def _left(line: Line) -> str:
    """Rules with a finding that no allow-rule covers."""
    found = line.verdict.findings if line.verdict else ()
    told = {(one.part, one.start, one.end) for one in found if one.rule.startswith(ALLOWED_BY)}
    left = sorted({one.rule for one in found if not one.rule.startswith(ALLOWED_BY)})
    return ", ".join(left) if not told else "other findings beside it: " + ", ".join(left)
