"""Cedar policies: read statement by statement, so that a mistake has a file and a line, and validated against
the schema that the tool manifests give."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import cedarpy

from ringwall.core import ConfigError, Problem

from .cedar_schema import parsed_schema
from .registry import ToolRegistry

DEFAULT_PACK = "default.cedar"


@dataclass(frozen=True, slots=True)
class Source:
    """A policy file."""

    name: str
    """As shown to people."""
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    id: str
    """From ``@id``; else ``<file>:<line>``."""
    effect: str
    """``permit`` or ``forbid``."""
    hold: bool
    """A forbid that a person's approval lifts."""
    reason: str
    """From ``@reason``: told to the user and the model."""
    file: str
    line: int
    text: str
    approver: str = ""
    """From ``@approver``: who lifts the hold, ``requester`` or ``other``. Empty: as ``application.holds``
    says, and ``other`` where that says nothing."""


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """Parsed once for a version of the workload."""

    policies: Mapping[str, Policy]
    full: cedarpy.PolicySet
    firm: cedarpy.PolicySet
    """Without the holds: what an approved call is judged by."""
    reads: frozenset[str] | None = None
    """Arguments that some policy speaks of; None when that can't be told. Others need not be given to Cedar:
    building the context is most of what a decision costs."""


def default_source() -> Source:
    """The pack that ships with the product."""
    text = resources.files(__package__).joinpath("policies", DEFAULT_PACK).read_text("utf-8")
    return Source(DEFAULT_PACK, text)


def read_source(path: Path) -> Source:
    """Raises ConfigError when the file can't be read."""
    try:
        return Source(path.name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem("The policy file can't be read as UTF-8 text.", path.name)) from error


def load_policies(registry: ToolRegistry, sources: Sequence[Source]) -> PolicyPack:
    """Raises ConfigError that lists every mistake with its place."""
    schema = parsed_schema(registry) if len(registry) else None  # without tools no policy can apply
    problems: list[Problem] = []
    policies: dict[str, Policy] = {}
    parsed: dict[str, Any] = {}
    for source in sources:
        for line, text in statements(source.text):
            try:
                policy, form = _read(source.name, line, text, schema)
            except ValueError as error:
                problems.append(Problem(str(error), source.name, line, 1))
                continue
            if policy.id in policies:
                problems.append(Problem(f"Two policies have the id {policy.id!r}.", source.name, line, 1))
            policies[policy.id], parsed[policy.id] = policy, form
    if problems:
        raise ConfigError(*problems)
    firm = {name: form for name, form in parsed.items() if not policies[name].hold}
    return PolicyPack(
        policies, _policy_set(parsed), _policy_set(firm), _arguments_read(list(parsed.values()))
    )


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Each policy with the line (1-based) that it begins on. What follows the last ``;`` counts as one too,
    so that an unfinished policy is a mistake and not silence."""
    start, at = _skip_blank(text, 0), 0
    at = start
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = _end_of_string(text, at)
        elif text.startswith("//", at):
            at = _end_of_line(text, at)
        elif sign == ";":
            yield text.count("\n", 0, start) + 1, text[start : at + 1]
            start = at = _skip_blank(text, at + 1)
        else:
            at += 1
    if start < len(text):
        yield text.count("\n", 0, start) + 1, text[start:]


def _skip_blank(text: str, at: int) -> int:
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith("//", at):
            at = _end_of_line(text, at)
        else:
            break
    return at


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _end_of_string(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _read(file: str, line: int, text: str, schema: cedarpy.Schema | None) -> tuple[Policy, Any]:
    form = json.loads(cedarpy.policies_to_json_str(text))
    if form["templates"] or len(form["staticPolicies"]) != 1:
        raise ValueError("Write each policy out: templates with slots are not used here.")
    (body,) = form["staticPolicies"].values()
    for error in cedarpy.validate_policies(text, schema).errors if schema else ():
        raise ValueError(error.error.replace("for policy `policy0`, ", ""))
    notes = body.get("annotations") or {}
    effect, kind = body["effect"], notes.get("verdict") or "deny"
    if kind not in ("hold", "deny"):
        raise ValueError(f'@verdict is "hold" or "deny", not {kind!r}.')
    if "verdict" in notes and effect == "permit":
        raise ValueError("@verdict belongs on a forbid.")
    approver = notes.get("approver") or ""
    if "approver" in notes and (approver not in ("requester", "other") or kind != "hold"):
        raise ValueError('@approver is "requester" or "other", and stands beside @verdict("hold").')
    policy = Policy(
        notes.get("id") or f"{file}:{line}",
        effect,
        kind == "hold",
        notes.get("reason") or "",
        file,
        line,
        text,
        approver,
    )
    return policy, body


def _policy_set(parsed: Mapping[str, Any]) -> cedarpy.PolicySet:
    form = {"staticPolicies": parsed, "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(form))


_CONTEXT = {"Var": "context"}
_ARGUMENTS = {".": {"left": _CONTEXT, "attr": "args"}}


def _arguments_read(node: Any) -> frozenset[str] | None:
    """Names ``x`` in ``context.args.x`` and ``context.args has x``. None for any other use of ``context``
    that could reach an argument."""
    if node in (_CONTEXT, _ARGUMENTS):
        return None
    if isinstance(node, dict):
        for operator in (".", "has"):
            step = node.get(operator)
            if len(node) == 1 and isinstance(step, dict) and isinstance(step.get("attr"), str):
                if step.get("left") == _ARGUMENTS:
                    return frozenset({step["attr"]})
                if step.get("left") == _CONTEXT:
                    return frozenset()
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found: frozenset[str] = frozenset()
    for child in inner:
        reads = _arguments_read(child)
        if reads is None:
            return None
        found |= reads
    return found
