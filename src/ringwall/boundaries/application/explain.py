"""``ringwall policy explain`` and ``ringwall policy test``: the same engine as in traffic, asked on paper."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from ringwall.core import (
    MODEL,
    SYSTEM,
    USER,
    Action,
    ConfigError,
    Integrity,
    Label,
    Principal,
    Problem,
    Settings,
    untrusted,
)

from .authority import Authority, Call
from .registry import ToolRegistry

_NAMED = {"user": USER, "system": SYSTEM, "model": MODEL, "untrusted": untrusted("tool:unknown")}


class CasePrincipal(Settings):
    subject: str = "somebody"
    tenant: str = "default"
    roles: frozenset[str] = frozenset()
    """Roles held, those inherited included."""
    attributes: dict[str, str] = Field(default_factory=dict)


class CaseLabel(Settings):
    integrity: Literal["untrusted", "user", "system"] = "untrusted"
    sensitivity: frozenset[str] = frozenset()
    origin: frozenset[str] = frozenset({"tool:unknown"})


class CaseSession(Settings):
    untrusted: bool = False
    """Whether the session holds content from outside."""
    sensitivity: frozenset[str] = frozenset()
    """Data classes that the session holds."""


class Case(Settings):
    """One row of a policy table."""

    name: str = ""
    principal: CasePrincipal = CasePrincipal()
    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Literal["user", "system", "untrusted", "model"] | CaseLabel] = Field(
        default_factory=dict
    )
    """By argument; what is not named comes from the user."""
    session: CaseSession = CaseSession()
    approved: bool = False
    asked: bool = True
    """Whether the user's own words ask for an effect of this kind."""
    listed: frozenset[str] = frozenset()
    """What directories of the session name as known."""
    verbatim: frozenset[str] = frozenset()
    """Arguments that are an address just as it stands in content of the session."""
    expect: Literal["allow", "hold", "block"] = "allow"
    policies: frozenset[str] | None = None
    """Ids that must have determined the decision; None: any."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with what it was made of."""

    action: str
    """``allow``, ``hold`` or ``block``."""
    policies: tuple[dict[str, Any], ...] = ()
    """Those that determined it: ``id``, ``file``, ``line``, ``effect``, ``verdict``, ``reason``."""
    reasons: tuple[str, ...] = ()
    problem: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the policies saw as ``context``."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    name: str
    passed: bool
    expected: str
    explanation: Explanation


def explain(authority: Authority, registry: ToolRegistry, call: Case) -> Explanation:
    """Decide one call on paper. A tool that nobody declared is blocked, as in traffic."""
    tool = registry.get(call.tool)
    if tool is None:
        return Explanation("block", problem=f"No tool {call.tool!r} is declared.")
    principal = Principal(
        call.principal.subject,
        call.principal.tenant,
        call.principal.roles,
        call.principal.attributes,
        credential="paper",
    )
    labels = {name: _label(call.provenance.get(name, "user")) for name in call.args}
    session = _session(call.session)
    linking = frozenset(name for name in call.args if labels[name].integrity < Integrity.USER)
    asked = frozenset({tool.effect} if call.asked else ())
    listed = frozenset(value.strip().casefold() for value in call.listed)
    facts = (asked, listed, call.verbatim, linking)
    ruling = authority.rule(Call(principal, tool, call.args, labels, session, call.approved, *facts))
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
    return Explanation(str(ruling.action), shown, reasons, ruling.problem, ruling.facts)


def run_table(authority: Authority, registry: ToolRegistry, text: str, file: str) -> list[CaseResult]:
    """Every case of a YAML table, a list of ``Case``. Raises ConfigError for a table that can't be read."""
    return [_run(authority, registry, case, number) for number, case in enumerate(_cases(text, file), 1)]


def _run(authority: Authority, registry: ToolRegistry, case: Case, number: int) -> CaseResult:
    found = explain(authority, registry, case)
    ids = {policy["id"] for policy in found.policies}
    passed = found.action == case.expect and (case.policies is None or ids == case.policies)
    return CaseResult(case.name or f"case {number}: {case.tool}", passed, case.expect, found)


def _cases(text: str, file: str) -> Iterator[Case]:
    try:
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError(Problem("The table is not readable as YAML.", file, line, column)) from error
    if not isinstance(rows, list):
        raise ConfigError(Problem("A policy table is a list of cases.", file))
    for number, row in enumerate(rows, 1):
        try:
            yield Case.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigError(Problem(f"case {number}: {place}: {first['msg']}", file)) from error


def _label(given: str | CaseLabel) -> Label:
    if isinstance(given, str):
        return _NAMED[given]
    return Label(Integrity[given.integrity.upper()], given.sensitivity, given.origin)


def _session(given: CaseSession) -> Label:
    start = untrusted("tool:unknown") if given.untrusted else USER
    return Label(start.integrity, given.sensitivity, start.origin)
