"""The ``application`` section of the workload file: tools, policies, destinations, holds and breakers."""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ringwall.core import Integrity, Settings

from .breaker_settings import BreakerSettings, ChainSettings, Limits, cost_problem
from .effect import Effect
from .egress_settings import EgressRule as EgressRule  # noqa: PLC0414  offered here too
from .entity_settings import EntitySource
from .handling_settings import ArgumentHandling, unknown_arguments
from .hold_settings import HoldSettings
from .mcp.settings import McpSection

__all__ = [
    "ApplicationSection",
    "BreakerSettings",
    "ChainSettings",
    "Effect",
    "EgressRule",
    "HoldSettings",
    "KnownEntities",
    "Limits",
    "SafeName",
    "ToolRun",
    "ToolSettings",
]

SafeName = r"^[A-Za-z0-9_-]{1,64}$"
"""What protocols allow as the name of a tool."""


class ToolRun(Settings):
    """How the gateway itself runs a tool."""

    python: str = Field(pattern=r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$")
    """``file.py:function``; the file is relative to the workload file."""
    timeout_s: float = Field(default=10.0, gt=0, le=600)
    """Seconds after which the call counts as failed."""


class ToolSettings(Settings):
    """One tool: its pinned manifest and what the gateway must know to govern it."""

    description: str = ""
    """What the model is told. Part of the pinned manifest."""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema (draft 2020-12) of the arguments. Part of the pinned manifest."""
    effect: Effect = Effect.EXECUTE
    """What it does to the world; the strictest class when left out."""
    roles: frozenset[str] = frozenset()
    """Who may use it; empty: every role of the application."""
    result: Literal["untrusted", "user", "system"] = "untrusted"
    """Integrity of what it returns."""
    target: tuple[str, ...] = ()
    """Names of the arguments that say where the effect goes: recipient, account, URL, path."""
    sensitivity: frozenset[str] = frozenset()
    """Data classes of what it returns."""
    reversible: bool = False
    """Whether a person can undo the effect without loss."""
    cost: float | str = 0.0
    """What a call costs, in a unit of your choice: a number, or the name of the numeric argument that says
    it, such as ``amount``. ``breakers.cost`` limits it."""
    run: ToolRun | None = None
    """How the gateway runs it; absent: the client does."""
    handling: dict[str, ArgumentHandling] = Field(default_factory=dict)
    """Argument → how it is handled because another system reads it as code: a query, HTML, a path, a
    command."""

    @field_validator("parameters")
    @classmethod
    def _object(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("type", "object") != "object":
            raise ValueError("the parameters of a tool are an object: write `type: object`")
        return value

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if problem := cost_problem(self.cost, self.parameters):
            raise ValueError(problem)
        if unknown := unknown_arguments(self.handling, self.parameters):
            raise ValueError(f"handling of {unknown[0]!r}, which is no argument of the tool")
        return self

    @property
    def result_integrity(self) -> Integrity:
        return Integrity[self.result.upper()]


class Directory(Settings):
    """A tool whose results name known entities: contacts, channels, own files."""

    tool: str
    """Name of the tool."""
    fields: frozenset[str] = frozenset()
    """Keys, at any depth of its JSON or YAML result, whose values are the entities. Name only those that no
    outsider can fill. Empty: the result is a plain list of them."""


class KnownEntities(Settings):
    """Destinations that belong to the workload. Going there needs no trust in who named it."""

    email_domains: frozenset[str] = frozenset()
    """Domains whose mailboxes are known; subdomains are not included."""
    emails: frozenset[str] = frozenset()
    """Single mailboxes."""
    hosts: frozenset[str] = frozenset()
    """Host names; ``*.shop.example`` covers every name below, not the name itself."""
    accounts: frozenset[str] = frozenset()
    """Account numbers, IBANs, customer numbers: compared without spaces and case."""
    names: frozenset[str] = frozenset()
    """Channels, rooms, file paths, people: compared without regard to case and outer spaces."""
    directories: tuple[Directory, ...] = ()
    """Tools whose results add to these for the session that they were shown in."""
    sources: tuple[EntitySource, ...] = Field(default=(), max_length=8)
    """Services that are asked again and again, and whose answers add to these for everybody."""


class ApplicationSection(Settings):
    """Tools, plugins, agents and the systems behind them."""

    tools: dict[str, ToolSettings] = Field(default_factory=dict)
    """Every tool of the workload by name."""
    policies: Path | None = None
    """Cedar file on top of the default pack."""
    default_policies: bool = True
    """Whether the default policy pack applies."""
    restricted: frozenset[str] = frozenset({"restricted", "secret", "customer-pii"})
    """Data classes that must not flow to a tool that sends or fetches."""
    private: frozenset[str] = frozenset()
    """Data classes that count as private; empty: every class except ``public``."""
    known_entities: KnownEntities = KnownEntities()
    """Destinations that belong to the workload."""
    egress: tuple[EgressRule, ...] = ()
    """Destinations that tools may reach over the network."""
    holds: HoldSettings = HoldSettings()
    """Calls that wait for a person."""
    breakers: BreakerSettings = BreakerSettings()
    """Limits against loops, runaway agents and runaway cost."""
    mcp: McpSection = McpSection()
    """MCP servers behind the gateway."""
    refusals: Literal["continue", "end_turn"] = "continue"
    """What a refused or held call does to its turn. ``continue``: the model is told and asked again, as often
    as ``breakers.denied_asks`` says. ``end_turn``: the answer ends with a sentence that says what was
    refused, and none of its calls is made."""
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of single controls, by id, each with an optional ``mode``."""

    @field_validator("tools")
    @classmethod
    def _names(cls, value: dict[str, ToolSettings]) -> dict[str, ToolSettings]:
        for name in value:
            if not re.fullmatch(SafeName, name):
                raise ValueError(f"tool name {name!r}: use letters, digits, _ and -, at most 64")
        return value

    @model_validator(mode="after")
    def _limited_tools(self) -> Self:
        """A limit of a tool that isn't there would be none; tools of MCP servers are not known here."""
        for name in self.breakers.tools:
            if name not in self.tools and "__" not in name:
                raise ValueError(f"breakers.tools: there is no tool {name!r}")
        return self
