"""A control that is broken on purpose."""

import asyncio
from dataclasses import replace
from typing import Any, assert_never

from ringwall.core import Control, Crossing, Declaration, StreamAware

from .target import Fault


class InjectedFault(Exception):
    """Raised by a control that a drill broke."""


class BrokenControl:
    """Stands in for a control: same declaration, but it raises, hangs or answers garbage.

    Only the deadline changes, so that a hang costs a drill milliseconds, and ``inline``: an inline control
    that hangs would stop the loop that measures it, so its hang is staged as that of an awaiting control.
    """

    def __init__(self, control: Control, fault: Fault, deadline_s: float = 0.05) -> None:
        self._control = control
        self._fault = fault
        self.declaration: Declaration = replace(
            control.declaration, inline=False, deadline=min(deadline_s, control.declaration.deadline)
        )

    async def inspect(self, crossing: Crossing) -> Any:
        match self._fault:
            case Fault.RAISE:
                raise InjectedFault(f"{self.declaration.id} was broken by the drill")
            case Fault.HANG:
                return await asyncio.Event().wait()
            case Fault.GARBAGE:
                return {"verdict": "allow", "crossing": len(crossing.parts)}
            case _:
                assert_never(self._fault)

    def hold_from(self, text: str) -> int:
        """As the real control would hold a stream back; everything, if it can't say."""
        return self._control.hold_from(text) if isinstance(self._control, StreamAware) else 0
