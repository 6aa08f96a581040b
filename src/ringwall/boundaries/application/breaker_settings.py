"""``application.breakers`` of the workload file: limits against loops, runaway agents and runaway cost."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ringwall.core import Rate, RateField, Settings, parse_rate

from .effect import Effect


class Limits(Settings):
    """How much in which time, counted in every process and across restarts. Absent: no limit."""

    session: RateField | None = None
    """In one conversation, such as ``30/hour``."""
    principal: RateField | None = None
    """Of one person or service, in all of its conversations. All callers without a credential are one."""
    tenant: RateField | None = None
    """Of everybody in one tenant together."""


class ChainSettings(Settings):
    """Agents that call agents: a tool, or a client's, asks another application, which asks the next, or the
    first again."""

    depth: int = Field(default=4, ge=1, le=16)
    """Longest chain of applications, the first one included."""
    calls: int = Field(default=32, ge=1)
    """Tool calls, within an hour, of all turns together that agents asked on one chain."""
    expire_s: int = Field(default=600, ge=1, le=86_400)
    """Seconds that the token of a chain is good for; each turn hands out a new one."""
    trusted: frozenset[str] = frozenset()
    """Applications whose messages count as a user's word. Those of other agents are untrusted content."""


class BreakerSettings(Settings):
    """Limits against loops, runaway agents and runaway cost."""

    calls_per_turn: int = Field(default=24, ge=1)
    """Tool calls in one turn."""
    calls: Limits = Limits(session=parse_rate("200/hour"), principal=parse_rate("20k/day"))
    """Tool calls that were let through, of all tools together."""
    tools: dict[str, RateField | Limits] = Field(default_factory=dict)
    """Calls of single tools, by name. A bare rate is for each principal: ``{send_email: 20/day}``."""
    effects: dict[Effect, RateField | Limits] = Field(default_factory=dict)
    """Calls of all tools with an effect together: ``{pay: 5/hour}``."""
    cost: Limits = Limits()
    """Cost of the calls let through, in the unit of the tools' ``cost``: ``{principal: 500/day}``. Taken
    before a call and given back when it failed."""
    identical_calls: int = Field(default=2, ge=1)
    """How often the same call with the same arguments is let through in one session within the window."""
    similar_calls: int = Field(default=20, ge=1)
    """The same for calls to the same target whose other arguments differ only in digits and blanks. Tools
    whose effect is ``read`` or ``fetch`` may go on: they turn pages."""
    identical_window_s: int = Field(default=300, ge=1)
    """Seconds that a repeated call is remembered."""
    refused_calls: RateField = Field(default="60/hour", validate_default=True)
    """Calls of one session that policy refused or held: beyond it the session's calls are stopped unasked, so
    that a model can't try until something gives way."""
    denied_asks: int = Field(default=10, ge=0)
    """How often the model is asked again in a turn after a refusal."""
    chain: ChainSettings = ChainSettings()
    """Agents that call agents."""


def limits(given: Rate | Limits) -> Limits:
    """A bare rate is one for each principal."""
    return Limits(principal=given) if isinstance(given, Rate) else given


def cost_problem(cost: float | str, parameters: Mapping[str, Any]) -> str:
    """Why a tool can't have this cost; empty when it can."""
    if not isinstance(cost, str):
        return "" if 0 <= cost <= MOST_COST else f"a cost lies between 0 and {MOST_COST}"
    properties = parameters.get("properties")
    schema = properties.get(cost) if isinstance(properties, Mapping) else None
    if not isinstance(schema, Mapping):
        return f"`cost: {cost}` names no argument of this tool"
    if schema.get("type") not in ("number", "integer"):
        return f"`cost: {cost}` names an argument that is no number"
    return ""


MOST_COST = 1_000_000_000_000
"""Of one call."""
