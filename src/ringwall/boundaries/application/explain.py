"""``ringwall policy explain`` and ``ringwall policy test``: the same engine as in traffic, asked on paper."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.core import Action

from .authority import Authority, Ruling
from .policy_table import Case, read_table
from .registry import ToolRegistry


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with what it was made of."""

    action: str
    """``allow``, ``hold`` or ``block``; of an offer ``offered`` or ``not_offered``."""
    policies: tuple[dict[str, Any], ...] = ()
    """Those that determined it: ``id``, ``file``, ``line``, ``effect``, ``verdict``, ``reason``."""
    reasons: tuple[str, ...] = ()
    problem: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the policies saw as ``context``."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(policy["id"] for policy in self.policies)

    def without_values(self) -> "Explanation":
        """Less what the arguments say: where they come from is enough to explain a decision by."""
        told = {
            name: {key: fact for key, fact in facts.items() if key != "value"}
            for name, facts in self.facts.get("args", {}).items()
        }
        facts = {**self.facts, "args": told} if self.facts else {}
        return Explanation(self.action, self.policies, self.reasons, self.problem, facts)


@dataclass(frozen=True, slots=True)
class CaseResult:
    name: str
    line: int
    """Where the case stands in its table."""
    passed: bool
    expected: str
    expected_policies: frozenset[str] | None
    explanation: Explanation

    @property
    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """What, as expected, as found: one for each expectation that was not met."""
        found = []
        if self.explanation.action != self.expected:
            found.append(("action", self.expected, self.explanation.action))
        if self.expected_policies is not None and self.expected_policies != self.explanation.ids:
            found.append(("policies", _listed(self.expected_policies), _listed(self.explanation.ids)))
        return tuple(found)


def explain(authority: Authority, registry: ToolRegistry, case: Case) -> Explanation:
    """Decide one case on paper. A tool that nobody declared is blocked, as in traffic."""
    tool = registry.get(case.tool)
    if tool is None:
        action = "not_offered" if case.of_offer else "block"
        return Explanation(action, problem=f"No tool {case.tool!r} is declared.")
    if case.of_offer:
        ruling = authority.offers(case.principal.principal(), tool)
        return explained(ruling, "offered" if ruling.action is Action.ALLOW else "not_offered")
    return explained(authority.rule(case.call(tool)))


def explained(ruling: Ruling, action: str = "") -> Explanation:
    """The ruling for people."""
    shown = tuple(
        {
            "id": policy.id,
            "file": policy.file,
            "line": policy.line,
            "effect": policy.effect,
            "verdict": "hold" if policy.hold else policy.effect,
            "reason": policy.reason,
        }
        for policy in ruling.policies
    )
    reasons = () if ruling.action is Action.ALLOW else ruling.reasons
    return Explanation(action or str(ruling.action), shown, reasons, ruling.problem, ruling.facts)


def run_table(authority: Authority, registry: ToolRegistry, text: str, file: str) -> list[CaseResult]:
    """Every case of a YAML table, a list of ``Case``. Raises ConfigError for a table that can't be read."""
    made = []
    for number, (line, case) in enumerate(read_table(text, file), 1):
        found = explain(authority, registry, case)
        passed = found.action == case.expect and case.policies in (None, found.ids)
        name = case.name or f"case {number}: {case.tool}"
        made.append(CaseResult(name, line, passed, case.expect, case.policies, found))
    return made


def _listed(ids: frozenset[str]) -> str:
    return ", ".join(sorted(ids)) or "none"
