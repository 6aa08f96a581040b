"""``application.breaker``: loops end, and a tool that was switched off is off from the next call on."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    NoSettings,
    PartKind,
    Services,
    Verdict,
    verdict,
)

from .settings import BreakerSettings
from .switches import ToolSwitches

DECLARATION = Declaration(
    id="application.breaker",
    boundary=Boundary.APPLICATION,
    summary="Agents that call without end or repeat themselves, and tools that were switched off.",
    crossings=frozenset({CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_CALL}),
    threats=("LLM04@2023", "LLM08@2023", "LLM06@2025", "LLM10@2025"),
    csf=("PR.IR-04", "DE.CM-09"),
    inline=True,
)
_SESSIONS = 4096


class BreakerControl:
    """Reads the context key ``turn_calls``: calls already made in this turn, those of this crossing left out.

    Repeats are counted in this process; the same call id seen twice (a history that is sent again, a decision
    asked twice) counts once.
    """

    declaration = DECLARATION

    def __init__(
        self,
        limits: BreakerSettings,
        switches: ToolSwitches,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._switches = switches
        self._clock = clock
        self._made: OrderedDict[tuple[str, str, str, str], dict[str, float]] = OrderedDict()

    def inspect(self, crossing: Crossing) -> Verdict:
        made = crossing.context.get("turn_calls")
        calls = made if isinstance(made, int) else 0
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is not PartKind.TOOL_CALL:
                continue
            if self._switches.off(part.name) is not None:
                joined = joined.join(_stop("switched-off", "this tool is switched off for now", index))
            if calls >= self._limits.calls_per_turn:
                joined = joined.join(
                    _stop("calls", "too many tool calls in one turn; answer with what you have", index)
                )
            calls += 1
            if self._repeated(crossing, part.name, part.digest, part.ref or f"#{calls}"):
                joined = joined.join(
                    _stop("repeats", "the same call was made before; its result will not change", index)
                )
        return joined

    def _repeated(self, crossing: Crossing, tool: str, digest: str, ref: str) -> bool:
        principal = crossing.principal
        session = crossing.session or f"{principal.tenant}/{principal.subject}"
        key = (crossing.application, session, tool, digest)
        now = self._clock()
        seen = self._made.get(key, {})
        fresh = {id_: at for id_, at in seen.items() if now - at < self._limits.identical_window_s}
        if ref in fresh:
            return False
        if len(fresh) >= self._limits.identical_calls:
            return True
        fresh[ref] = now
        self._made[key] = fresh
        self._made.move_to_end(key)
        if len(self._made) > _SESSIONS:
            self._made.popitem(last=False)
        return False


def _stop(rule: str, problem: str, index: int) -> Verdict:
    finding = Finding(DECLARATION.id, rule, f"Stopped: {problem}.", index, cls="loop")
    return verdict(Action.BLOCK, f"The call was stopped: {problem}.", [finding])


def _build(settings: NoSettings, services: Services) -> BreakerControl:
    return BreakerControl(services.get(BreakerSettings), services.get(ToolSwitches))


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)
