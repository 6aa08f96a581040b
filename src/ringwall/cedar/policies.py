"""Policies out of files, validated against a schema, with every mistake's place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy

from ringwall.core import ConfigError, Problem

from .statements import statements


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


def read_source(path: Path) -> Source:
    """Raises ConfigError when the file can't be read."""
    try:
        return Source(path.name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem("The policy file can't be read as UTF-8 text.", path.name)) from error


@dataclass(frozen=True, slots=True)
class Parsed:
    """Policies by id, and each in Cedar's JSON form."""

    policies: Mapping[str, Policy]
    forms: Mapping[str, Any]


def parse(sources: Sequence[Source], schema: cedarpy.Schema | None) -> Parsed:
    """Raises ConfigError that lists every mistake with its place. Without a schema nothing is validated."""
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
    return Parsed(policies, parsed)


def policy_set(parsed: Mapping[str, Any]) -> cedarpy.PolicySet:
    """Ready to be asked. ``parsed``: JSON forms by id."""
    form = {"staticPolicies": parsed, "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(form))


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
