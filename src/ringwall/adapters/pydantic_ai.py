"""Pydantic AI: a toolset behind the gate.

from ringwall.adapters.pydantic_ai import GuardedToolset

agent = Agent(model, toolsets=[GuardedToolset(FunctionToolset([lookup_order, send_email]), wall)])
with wall.session(principal) as session:
    result = await agent.run(await session.auser(message))
    answer = await session.aanswer(result.output)
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.inprocess import Ringwall
from ringwall.inprocess.refusal import NO_TEXT
from ringwall.inprocess.signature import as_json, is_plain, same
from ringwall.inprocess.tool import Facts, OnRefusal

from .missing import missing

try:
    from pydantic_ai import RunContext, ToolDefinition, ToolReturn
    from pydantic_ai.tools import AgentDepsT
    from pydantic_ai.toolsets import AbstractToolset, ToolsetTool, WrapperToolset
except ImportError as error:
    raise missing("pydantic-ai-slim", "pydantic-ai") from error

log = logging.getLogger("ringwall")


@dataclass
class GuardedToolset(WrapperToolset[AgentDepsT]):
    """The tools of another toolset, offered to those who may use them and called as the policies say, for
    the principal of the current session. Works with toolsets of every kind, MCP servers among them.

    A tool that is neither in the workload file nor in ``facts``, or that is told differently than it was
    pinned there, is not offered. One of ``facts`` is pinned as it is first seen. Nor are tools whose calls
    the agent hands out unmade (``external``): nothing would judge them.
    """

    wrapped: AbstractToolset[AgentDepsT]
    wall: Ringwall
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """By name of the tool, for those that the workload file does not declare; ``effect`` at least."""
    on_refusal: OnRefusal = "return"
    pinned: set[str] = field(default_factory=set, repr=False)
    """Tools of ``facts`` that were seen."""

    async def get_tools(self, ctx: RunContext[AgentDepsT]) -> dict[str, ToolsetTool[AgentDepsT]]:
        tools = {
            name: tool
            for name, tool in (await self.wrapped.get_tools(ctx)).items()
            if tool.tool_def.kind in ("function", "unapproved")
        }
        declared = [_declaration(tool.tool_def) for tool in tools.values()]
        for one in declared:
            self._pin(one)
        kept = await self.wall.current("an agent's toolset").aoffer(declared)
        names = {one["name"] for one in kept}
        for name in tools.keys() - names:
            log.info("the tool %s is not offered: see the decision on the ledger", name)
        return {name: tool for name, tool in tools.items() if name in names}

    def _pin(self, declaration: Mapping[str, Any]) -> None:
        name = declaration["name"]
        if name in self.facts and name not in self.pinned:
            self.wall.declare(declaration, self.facts[name])
            self.pinned.add(name)

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT]
    ) -> Any:
        kept: list[ToolReturn[Any]] = []

        async def run(granted: Mapping[str, Any]) -> Any:
            as_it_came = is_plain(tool_args) and same(tool_args, granted)
            args = tool_args if as_it_came else tool.args_validator.validate_python(dict(granted))
            result = await self.wrapped.call_tool(name, args, ctx, tool)
            if not isinstance(result, ToolReturn):
                return _told(result)
            kept.append(result)
            more = [] if result.content is None else [_told(result.content)]
            return "\n".join(map(str, (_told(result.return_value), *more)))

        session = self.wall.current(name)
        told = await session.acall(name, as_json(tool_args), run, on_refusal=self.on_refusal)
        return ToolReturn(told, metadata=kept[0].metadata) if kept else told


def _declaration(tool: ToolDefinition) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.parameters_json_schema,
    }


def _told(content: Any) -> Any:
    """Texts and data as they are; of a mixed list the texts."""
    if _binary(content):
        return NO_TEXT
    if isinstance(content, (list, tuple)) and any(map(_binary, content)):
        return "\n".join(NO_TEXT if _binary(item) else str(item) for item in content)
    return content


def _binary(content: Any) -> bool:
    """Pictures, sound, documents, and addresses of them, which a provider would fetch."""
    return hasattr(content, "media_type") or str(getattr(content, "kind", "")).endswith("-url")
