"""A decision on a tool call, read back from the ledger and asked again."""

from collections.abc import Mapping
from typing import Any

from ringwall.core import DataError, Integrity, Label, Principal

from .authority import Call
from .effect import Effect
from .registry import ToolRegistry
from .strict_json import read_arguments


def recorded_call(event: Mapping[str, Any], body: Mapping[str, Any] | None, registry: ToolRegistry) -> Call:
    """The call that a recorded decision was about. Raises DataError when it was about none, when its body
    can't be read any more, or when its tool is declared no longer."""
    if event.get("type") != "decision" or event.get("kind") != "tool_call":
        raise DataError("That decision was not about a tool call.")
    facts = (body or {}).get("facts")
    if body is None or not isinstance(facts, Mapping):
        raise DataError("What the call was can't be read: it was erased, or recorded without its facts.")
    part = next((part for part in body["parts"] if part["kind"] == "tool_call"), None)
    tool = registry.get(part["name"]) if part else None
    if part is None or tool is None:
        raise DataError("The tool of that call is not declared in the workload file.")
    principal = Principal(
        event["subject"],
        event["tenant"],
        frozenset(facts["roles"]),
        dict(facts["attributes"]),
        credential="ledger",
    )
    arguments = read_arguments(part["text"]).data
    return Call(
        principal,
        tool,
        arguments,
        {path: _label(label) for path, label in facts["labels"].get(part["ref"], {}).items()},
        _label(facts["session"]) if facts["session"] else None,
        bool(part["ref"]) and part["ref"] in facts["approved"],
        frozenset(map(Effect, facts["asked"])),
        frozenset(facts["listed"]),
        frozenset(facts["verbatim"].get(part["ref"], ())),
        frozenset(facts["linking"].get(part["ref"], arguments)),
    )


def recorded_rules(body: Mapping[str, Any]) -> frozenset[str]:
    """Ids of the policies that determined it then."""
    verdict = body.get("verdicts", {}).get("application.policy", {})
    return frozenset(finding["rule"] for finding in verdict.get("findings", ()))


def _label(plain: Mapping[str, Any]) -> Label:
    return Label(
        Integrity[plain["integrity"].upper()], frozenset(plain["sensitivity"]), frozenset(plain["origin"])
    )
