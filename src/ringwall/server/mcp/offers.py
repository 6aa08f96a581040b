"""``tools/list``: what this principal may use of the server, as it was approved."""

from typing import TYPE_CHECKING, Any

from ringwall.boundaries.application.effect import Effect
from ringwall.boundaries.application.mcp.approved import McpBound
from ringwall.core import Action, CrossingKind

from ..turn.state import Turn
from .caller import Caller

if TYPE_CHECKING:
    from mcp.types import Tool

_LOOKS = frozenset({Effect.READ, Effect.FETCH})
_OUTSIDE = frozenset({Effect.FETCH, Effect.SEND, Effect.EXECUTE})


async def offered(caller: Caller, turn: Turn) -> "list[Tool]":
    """Tools that the server offers unchanged and that the application's gate lets pass. Raises McpFault."""
    approved = await caller.app.mcp.current(caller.server, caller.owner)
    listed = set(caller.app.application.tools)
    bounds = [bound for bound in approved if bound.name in listed]
    passed = await _through_gate(turn, bounds)
    await turn.committed()
    plain = caller.app.mcp.tools.servers[caller.server].names == "plain"
    structured = caller.app.mcp.tools.servers[caller.server].structured
    return [_tool(bound, plain=plain, structured=structured) for bound in passed]


async def _through_gate(turn: Turn, bounds: list[McpBound]) -> list[McpBound]:
    """All at once; where that is stopped as a whole, one by one, so that one bad tool hides no others."""
    if not bounds:
        return []
    parts = [turn.app.offer_part(_declared(turn, bound)) for bound in bounds]
    decision = await turn.decide(turn.crossing(CrossingKind.TOOL_OFFER, parts))
    if decision.action >= Action.HOLD:
        if len(bounds) == 1:
            return []
        return [kept for bound in bounds for kept in await _through_gate(turn, [bound])]
    dropped = {edit.part for edit in decision.joined.edits if edit.drop}
    return [bound for index, bound in enumerate(bounds) if index not in dropped]


def _declared(turn: Turn, bound: McpBound) -> dict[str, Any]:
    manifest = turn.app.registry.get(bound.name)
    if manifest is not None:
        return manifest.openai()
    return {"type": "function", "function": {"name": bound.name, "description": "", "parameters": {}}}


def _tool(bound: McpBound, *, plain: bool, structured: bool) -> "Tool":
    """Hints are ours, from the effect that the operator confirmed; the server's own are not passed on."""
    from mcp.types import Tool, ToolAnnotations  # noqa: PLC0415

    effect = bound.settings.effect
    hints = ToolAnnotations(
        read_only_hint=effect in _LOOKS,
        destructive_hint=effect not in _LOOKS and not bound.settings.reversible,
        open_world_hint=effect in _OUTSIDE,
    )
    return Tool(
        name=bound.tool if plain else bound.name,
        description=bound.settings.description,
        input_schema=bound.settings.parameters,
        output_schema=dict(bound.output) if structured and bound.output else None,
        annotations=hints,
    )
