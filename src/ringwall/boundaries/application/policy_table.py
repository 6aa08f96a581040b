"""Tables of expectations: what ``ringwall policy test`` reads, each case with the line that it stands on."""

from collections.abc import Iterator
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from ringwall.core import (
    MODEL,
    SYSTEM,
    USER,
    ConfigError,
    Integrity,
    Label,
    Principal,
    Problem,
    Settings,
    untrusted,
)

from .authority import Call
from .registry import Manifest

_NAMED = {"user": USER, "system": SYSTEM, "model": MODEL, "untrusted": untrusted("tool:unknown")}


class CasePrincipal(Settings):
    subject: str = "somebody"
    tenant: str = "default"
    roles: frozenset[str] = frozenset()
    """Roles held, those inherited included."""
    attributes: dict[str, str] = Field(default_factory=dict)

    def principal(self) -> Principal:
        return Principal(self.subject, self.tenant, self.roles, self.attributes, credential="paper")


class CaseLabel(Settings):
    integrity: Literal["untrusted", "user", "system"] = "untrusted"
    sensitivity: frozenset[str] = frozenset()
    origin: frozenset[str] = frozenset({"tool:unknown"})


class CaseSession(Settings):
    untrusted: bool = False
    """Whether the session holds content from outside."""
    sensitivity: frozenset[str] = frozenset()
    """Data classes that the session holds."""

    def label(self) -> Label:
        start = untrusted("tool:unknown") if self.untrusted else USER
        return Label(start.integrity, self.sensitivity, start.origin)


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
    expect: Literal["allow", "hold", "block", "offered", "not_offered"] = "allow"
    """What becomes of the call; or whether the tool is offered at all, whatever its arguments."""
    policies: frozenset[str] | None = None
    """Ids that must have determined the decision; None: any."""

    @property
    def of_offer(self) -> bool:
        return self.expect in ("offered", "not_offered")

    def call(self, tool: Manifest) -> Call:
        labels = {name: _label(self.provenance.get(name, "user")) for name in self.args}
        return Call(
            self.principal.principal(),
            tool,
            self.args,
            labels,
            self.session.label(),
            self.approved,
            frozenset({tool.effect} if self.asked else ()),
            frozenset(value.strip().lower() for value in self.listed),
            self.verbatim,
            frozenset(name for name, label in labels.items() if label.integrity < Integrity.USER),
        )


def read_table(text: str, file: str) -> list[tuple[int, Case]]:
    """Every case with its line (1-based). Raises ConfigError that lists every mistake with its place."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError(Problem("The table is not readable as YAML.", file, line, column)) from error
    if not isinstance(rows, list) or not isinstance(root, yaml.SequenceNode):
        raise ConfigError(Problem("A policy table is a list of cases.", file))
    cases: list[tuple[int, Case]] = []
    problems: list[Problem] = []
    for number, (row, node) in enumerate(zip(rows, root.value, strict=True), 1):
        try:
            cases.append((node.start_mark.line + 1, Case.model_validate(row)))
        except ValidationError as error:
            problems += _problems(error, number, node, file)
    if problems:
        raise ConfigError(*problems)
    return cases


def _problems(error: ValidationError, number: int, node: Any, file: str) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        place = ".".join(map(str, item["loc"]))
        mark = _deepest(node, item["loc"]).start_mark
        message = f"case {number}: {place}: {item['msg']}" if place else f"case {number}: {item['msg']}"
        yield Problem(message, file, mark.line + 1, mark.column + 1)


def _deepest(node: Any, path: tuple[int | str, ...]) -> Any:
    """The node of the deepest key of the path that stands in the file."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), node)
    return node


def _label(given: str | CaseLabel) -> Label:
    if isinstance(given, str):
        return _NAMED[given]
    return Label(Integrity[given.integrity.upper()], given.sensitivity, given.origin)
