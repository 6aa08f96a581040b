"""``application.breaker``: loops and runaway cost end; what was switched off is off from the next call on."""

from collections.abc import Mapping

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    NoSettings,
    Part,
    PartKind,
    Services,
    Verdict,
    verdict,
)

from .breaker_settings import BreakerSettings
from .breakers import Breakers, Trip, minutes
from .registry import ToolRegistry
from .switches import ToolSwitches

DECLARATION = Declaration(
    id="application.breaker",
    boundary=Boundary.APPLICATION,
    summary="Agents that call without end, repeat themselves or overspend; tools that were switched off.",
    crossings=frozenset({CrossingKind.TOOL_OFFER, CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_OFFER, PartKind.TOOL_CALL}),
    threats=("LLM04@2023", "LLM08@2023", "LLM06@2025", "LLM10@2025"),
    csf=("PR.IR-04", "DE.CM-09"),
    inline=True,
)
_GO_ON = "answer with what you have"
_PROBLEMS: Mapping[str, tuple[str, str]] = {
    "switched-off": ("off", "this tool is switched off for now; go on without it"),
    "calls": ("loop", f"too many tool calls in one turn; {_GO_ON}"),
    "repeats": ("loop", f"the same call was made before, and its result will not change; {_GO_ON}"),
    "similar": ("loop", f"nearly the same call was made many times before; {_GO_ON}"),
    "refused": ("loop", f"too many calls of this conversation were refused; {_GO_ON}"),
    "chain": ("loop", f"the agents have made too many tool calls between them; {_GO_ON}"),
    "session": ("budget", f"this conversation has made as many tool calls as it may; {_GO_ON}"),
    "principal": ("budget", f"the user has made as many tool calls as they may; {_GO_ON}"),
    "tenant": ("budget", f"the user's organization has made as many tool calls as it may; {_GO_ON}"),
    "tool": ("budget", "this tool was called as often as it may be; go on without it"),
    "effect": ("budget", "tools of this kind were called as often as they may be; go on without them"),
    "cost": ("budget", "the call would cost more than is left; make it cheaper or go on without it"),
    "cost-unknown": (
        "budget",
        "what the call costs can't be told from its arguments; give a number of 0 or more",
    ),
}
"""By rule: class of the finding, and what model and user are told. They learn no limit, only what to do."""


class BreakerControl:
    """Reads the context keys ``turn_calls`` (calls already made in this turn, those of this crossing left
    out), ``turn`` and ``chain``."""

    declaration = DECLARATION

    def __init__(
        self, per_turn: int, breakers: Breakers, switches: ToolSwitches, registry: ToolRegistry
    ) -> None:
        self._per_turn = per_turn
        self._breakers = breakers
        self._switches = switches
        self._registry = registry

    def inspect(self, crossing: Crossing) -> Verdict:
        made = crossing.context.get("turn_calls")
        calls = made if isinstance(made, int) else 0
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_OFFER and self._off(part):
                joined = joined.join(_not_offered(part, index))
            elif part.kind is PartKind.TOOL_CALL:
                for trip in self._trips(crossing, part, calls):
                    joined = joined.join(_stop(trip, index))
                calls += 1
        return joined

    def _trips(self, crossing: Crossing, part: Part, calls: int) -> tuple[Trip, ...]:
        if self._off(part):
            return (Trip("switched-off"),)
        if calls >= self._per_turn:
            return (Trip("calls"),)
        return self._breakers.open(crossing, part, calls)

    def _off(self, part: Part) -> bool:
        manifest = self._registry.get(part.name)
        return self._switches.off(part.name, manifest.effect if manifest else None) is not None


def _not_offered(part: Part, index: int) -> Verdict:
    finding = Finding(DECLARATION.id, "switched-off", "Not offered: it is switched off.", index, cls="off")
    return verdict(Action.TRANSFORM, "", [finding], [Edit(index, 0, len(part.text), drop=True)])


def _stop(trip: Trip, index: int) -> Verdict:
    cls, problem = _PROBLEMS[trip.rule]
    finding = Finding(DECLARATION.id, trip.rule, f"Stopped: {problem}.", index, cls=cls)
    later = minutes(trip.wait_s) if cls == "budget" else ""  # a loop is not to be taken up again
    reason = f"The call was stopped: {problem}.{later}"
    return verdict(Action.BLOCK, reason, [finding])


def _build(settings: NoSettings, services: Services) -> BreakerControl:
    limits = services.get(BreakerSettings)
    return BreakerControl(
        limits.calls_per_turn,
        services.get(Breakers),
        services.get(ToolSwitches),
        services.get(ToolRegistry),
    )


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)
