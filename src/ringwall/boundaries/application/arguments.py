"""``application.arguments``: a call's arguments are readable in one way only and fit the pinned schema."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ConfigError,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Part,
    PartKind,
    Problem,
    Services,
    Settings,
    Verdict,
    verdict,
)

from .registry import ToolRegistry
from .schema_form import closed
from .strict_json import MAX_CHARACTERS, read_arguments

DECLARATION = Declaration(
    id="application.arguments",
    boundary=Boundary.APPLICATION,
    summary="Arguments that are malformed, ambiguous, oversized or outside the tool's schema.",
    crossings=frozenset({CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_CALL}),
    threats=("LLM02@2023", "LLM07@2023", "LLM05@2025", "LLM06@2025"),
    csf=("PR.PS-06", "PR.DS-10"),
    inline=True,
)
_SHOWN = 160


class ArgumentsSettings(Settings):
    """Bounds of ``application.arguments``."""

    characters: int = MAX_CHARACTERS
    """Longest JSON text of the arguments of one call."""


class ArgumentsControl:
    """Validators are compiled once per registry. Objects that list their properties take no others, unless
    the manifest says ``additionalProperties: true``."""

    declaration = DECLARATION

    def __init__(self, settings: ArgumentsSettings, registry: ToolRegistry) -> None:
        """Raises ConfigError for a schema that can't be compiled."""
        self._limit = settings.characters
        self._validators = {tool.name: _compile(tool.name, tool.parameters) for tool in registry}

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_CALL:
                rule, problem = self._problem(part)
                if rule:
                    joined = joined.join(_refusal(rule, problem, index))
        return joined

    def _problem(self, part: Part) -> tuple[str, str]:
        if len(part.text) > self._limit:
            return "size", f"the arguments are longer than {self._limit} characters"
        read = read_arguments(part.text)
        if read.problem:
            return "json", read.problem
        if not _equal(dict(read.data), part.data):
            return "ambiguous", "the arguments can be read in two ways"
        if part.name not in self._validators:
            return "unknown", "the tool has no schema here"
        problem = self.misfit(part.name, read.data)
        return ("schema", problem) if problem else ("", "")

    def misfit(self, tool: str, data: Mapping[str, Any]) -> str:
        """How the arguments don't fit the tool's schema; empty when they do."""
        validator = self._validators.get(tool)
        if validator is None:
            return "the tool has no schema here"
        plain = dict(data)  # the validator takes nothing else for an object
        return "" if validator.is_valid(plain) else _explained(validator, plain)


def _compile(name: str, schema: Any) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            {"type": "object", **closed(schema)},
            validate_formats=True,
            retriever=_no_retrieval,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(Problem(f"application.tools.{name}.parameters: {first}")) from error


def _no_retrieval(uri: str) -> Any:
    raise ValueError("a tool's schema must not refer to other documents")


def _explained(validator: jsonschema_rs.Draft202012Validator, data: Any) -> str:
    """The first mistake, so that the model can mend it. Names the place and the rule of the *manifest*, which
    the model was given."""
    for error in validator.iter_errors(data):
        place = ".".join(str(step)[:40] for step in error.instance_path) or "the arguments"
        return f"{place}: {error.message[:_SHOWN]}"
    return "the arguments do not fit the tool's schema"


def _equal(a: Any, b: Any) -> bool:
    """Equal as JSON: ``True`` is not ``1``."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def _refusal(rule: str, problem: str, index: int) -> Verdict:
    finding = Finding(DECLARATION.id, rule, f"Refused: {problem}.", index, cls="arguments")
    return verdict(Action.BLOCK, f"The call was refused: {problem}. Correct the arguments.", [finding])


def _build(settings: ArgumentsSettings, services: Services) -> ArgumentsControl:
    return ArgumentsControl(settings, services.get(ToolRegistry))


CONTROL = ControlFactory(DECLARATION.id, ArgumentsSettings, _build)
