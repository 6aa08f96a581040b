"""Pinned tool manifests: what a tool *is*, so that a changed description or schema is a changed tool."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.core import ConfigError, Label, Problem

from .effect import Effect
from .schema_form import form_text
from .settings import ToolSettings


@dataclass(frozen=True, slots=True)
class Manifest:
    """One tool as the operator declared it."""

    name: str
    settings: ToolSettings
    digest: str
    """SHA-256 over name, description, normalised parameters and effect, hexadecimal."""

    @property
    def description(self) -> str:
        return self.settings.description

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.settings.parameters

    @property
    def effect(self) -> Effect:
        return self.settings.effect

    @property
    def roles(self) -> frozenset[str]:
        return self.settings.roles

    @property
    def result_label(self) -> Label:
        """The label of what the tool returns, before the labels of its arguments are joined in."""
        integrity = self.settings.result_integrity
        return Label(integrity, self.settings.sensitivity, frozenset({f"tool:{self.name}"}))

    def entitles(self, roles: frozenset[str]) -> bool:
        """Whether a principal with these roles may use it."""
        return not self.roles or not self.roles.isdisjoint(roles)

    def openai(self) -> dict[str, Any]:
        """The declaration as a chat completions request carries it."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Known:
    """The declaration is the pinned one."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Changed:
    """A tool of this name is pinned and says something else."""

    manifest: Manifest
    what: tuple[str, ...]
    """``description`` or ``parameters``, or both."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No tool of this name is pinned, or the declaration can't be read."""

    name: str


Comparison = Known | Changed | Unknown


class ToolRegistry:
    """Every tool of the workload by name. Immutable."""

    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        self._manifests = dict(manifests)
        self._forms = {
            name: (_words(manifest.description), form_text(manifest.parameters))
            for name, manifest in manifests.items()
        }

    @classmethod
    def of(cls, tools: Mapping[str, ToolSettings]) -> "ToolRegistry":
        """The registry of a workload's ``application.tools``. Raises ConfigError for an unusable schema."""
        for name, tool in tools.items():
            try:
                form_text(tool.parameters)
            except ValueError as error:
                raise ConfigError(Problem(f"application.tools.{name}.parameters: {error}")) from error
        return cls({name: Manifest(name, tool, _digest(name, tool)) for name, tool in tools.items()})

    def get(self, name: str) -> Manifest | None:
        return self._manifests.get(name)

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._manifests.values())

    def __len__(self) -> int:
        return len(self._manifests)

    @property
    def digest(self) -> str:
        """One hash over every manifest: changes when any tool does."""
        parts = "\n".join(sorted(manifest.digest for manifest in self))
        return hashlib.sha256(parts.encode()).hexdigest()

    def compare(self, declared: Mapping[str, Any]) -> Comparison:
        """Hold a declaration (of a chat completions request, of MCP, or plain) against the pinned one.

        What SDKs add without changing the meaning (``strict``, titles, order of keys, a missing
        ``additionalProperties``) is no change. Never raises.
        """
        name, description, parameters = read_declaration(declared)
        manifest = self._manifests.get(name)
        if manifest is None:
            return Unknown(name)
        pinned_description, pinned_parameters = self._forms[name]
        what = []
        if _words(description) != pinned_description:
            what.append("description")
        if not _same(parameters, pinned_parameters):
            what.append("parameters")
        return Changed(manifest, tuple(what)) if what else Known(manifest)


def read_declaration(declared: Mapping[str, Any]) -> tuple[str, str, object]:
    """Name, description and parameters of a declaration in any of the forms. Never raises; what can't be read
    equals nothing that is pinned."""
    inner = declared.get("function")
    body = inner if isinstance(inner, Mapping) else declared
    name, description = body.get("name"), body.get("description")
    parameters = body.get("parameters", body.get("inputSchema", body.get("input_schema", {})))
    return (
        name if isinstance(name, str) else "",
        description if isinstance(description, str) else "" if description is None else "\0",
        {} if parameters is None else parameters,
    )


def _same(parameters: object, pinned: str) -> bool:
    try:
        return isinstance(parameters, Mapping) and form_text(parameters) == pinned
    except ValueError:
        return False


def _words(text: str) -> str:
    """Blank space is what YAML folding and SDK docstring readers change; nothing else is forgiven."""
    return " ".join(text.split())


def _digest(name: str, tool: ToolSettings) -> str:
    pinned = [name, _words(tool.description), form_text(tool.parameters), str(tool.effect)]
    return hashlib.sha256(json.dumps(pinned, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
