"""Approved tools of MCP servers as tools of this workload: one registry, one set of policies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ringwall.core import ConfigError

from ..arguments import ArgumentsControl, ArgumentsSettings
from ..cedar_policies import default_source, load_policies
from ..effect import Effect
from ..effects import Inference, infer
from ..registry import ToolRegistry
from ..settings import ToolSettings
from .offered import MAX_BYTES, Offered, cleaned, cleaned_schema, registry_name
from .pins import Pin
from .settings import McpSection, McpServer, McpTool

_NOTHING = McpTool()


@dataclass(frozen=True, slots=True)
class McpBound:
    """An approved tool and where it is run."""

    name: str
    """In this workload."""
    server: str
    tool: str
    """The server's own name."""
    digest: str
    """Of the manifest that was approved: the tool is run only while the server says the same."""
    output: Mapping[str, object] | None
    settings: ToolSettings


@dataclass(frozen=True, slots=True)
class McpTools:
    """All of a site."""

    servers: Mapping[str, McpServer] = field(default_factory=lambda: MappingProxyType({}))
    by_name: Mapping[str, McpBound] = field(default_factory=lambda: MappingProxyType({}))

    def find(self, server: str, name: str) -> McpBound | None:
        """By the server's own name, or by the name in this workload."""
        bound = self.by_name.get(name) or self.by_name.get(registry_name(server, name))
        return bound if bound is not None and bound.server == server else None

    def of(self, server: str) -> list[McpBound]:
        return [bound for bound in self.by_name.values() if bound.server == server]

    @property
    def settings(self) -> dict[str, ToolSettings]:
        return {name: bound.settings for name, bound in self.by_name.items()}


def approved_tools(section: McpSection, pins: Iterable[Pin]) -> McpTools:
    """What is approved of the servers that the workload file names. A tool that can't be governed (any more)
    is left out: it is then unknown, and calls of it are refused."""
    found = {}
    for pin in pins:
        server = section.servers.get(pin.server)
        if server is None or pin.pinned is None:
            continue
        settings = tool_settings(pin.pinned, server, Effect(pin.effect), pin.target)
        name = registry_name(pin.server, pin.tool)
        if not _problem(name, settings):
            found[name] = McpBound(
                name, pin.server, pin.tool, pin.pinned.digest, cleaned_schema(pin.pinned.output), settings
            )
    return McpTools(section.servers, found)


def confirmed(server: McpServer, offered: Offered) -> Inference:
    """Effect and targets as the workload file says, and what it leaves open as the manifest suggests."""
    read = infer(offered.name, offered.description, offered.parameters, offered.annotations)
    given = server.tools.get(offered.name, _NOTHING)
    effect = given.effect or read.effect
    return Inference(
        effect,
        read.target if given.target is None else given.target,
        read.sure or given.effect is not None,
        "the workload file says so" if given.effect is not None else read.why,
    )


def tool_settings(
    offered: Offered, server: McpServer, effect: Effect, target: tuple[str, ...]
) -> ToolSettings:
    """The manifest as this workload governs it. What the workload file says now goes before what it said when
    the tool was approved."""
    given = server.tools.get(offered.name, _NOTHING)
    return ToolSettings(
        description=cleaned(offered.description),
        parameters={"type": "object", **cleaned_schema(offered.parameters)},
        effect=given.effect or effect,
        roles=server.roles if given.roles is None else given.roles,
        target=target if given.target is None else given.target,
        result=given.result,
        sensitivity=given.sensitivity,
        reversible=given.reversible,
    )


def ungovernable(server_name: str, server: McpServer, offered: Offered) -> str:
    """Why this tool can't be taken over at all; empty when it can. Never raises for a hostile manifest."""
    if len(offered.text) > MAX_BYTES:
        return f"its manifest is longer than {MAX_BYTES} characters"
    inference = confirmed(server, offered)
    try:
        settings = tool_settings(offered, server, inference.effect, inference.target)
    except ValueError:
        return "its arguments are no object"
    except RecursionError:
        return "its schema is nested too deeply"
    return _problem(registry_name(server_name, offered.name), settings, policies=True)


def _problem(name: str, settings: ToolSettings, *, policies: bool = False) -> str:
    try:
        registry = ToolRegistry.of({name: settings})
        ArgumentsControl(ArgumentsSettings(), registry)
        if policies:
            load_policies(registry, [default_source()])
    except (ConfigError, ValueError, RecursionError):
        return "the schema of its arguments can't be used for checks"
    return ""
