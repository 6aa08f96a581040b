"""What a drill runs against: a listening gateway, set up so and so.

The server implements ``Start``; nothing here knows how. A target is the *real* listener with the workload's
own controls, tools and collections; only the model behind it is replaced by the scenario's script.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from ringwall.core import Declaration

from .observation import Call, Recorded
from .scenario import Rule


class Fault(StrEnum):
    """How a control is broken on purpose."""

    RAISE = "raise"
    HANG = "hang"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Setup:
    """How the gateway is to be started."""

    knocked_out: frozenset[str] = frozenset()
    """Controls that are left out of every gate."""
    broken: Mapping[str, Fault] = field(default_factory=lambda: MappingProxyType({}))
    """Controls that are wrapped in ``fault.BrokenControl``."""
    exhaustive: bool = False
    """Every control gives its verdict, also after a block (``Gate(exhaustive=True)``)."""
    enforce: bool = True
    """False: every gate is in monitor mode; nothing is changed, held or stopped."""
    deadline_s: float = 0.05
    """Deadline of a control that hangs on purpose."""
    scripts: Mapping[str, Sequence[Rule]] = field(default_factory=lambda: MappingProxyType({}))
    """What the scripted model does, by the scenario id that comes in the request's ``metadata.scenario``;
    ``actor.play`` turns rules and a context into the answer."""


class Target(Protocol):
    """A started gateway."""

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:49152``."""
        ...

    @property
    def keys(self) -> Mapping[str, str]:
        """API key by subject."""
        ...

    @property
    def controls(self) -> Sequence[Declaration]:
        """Of all controls that are installed and enabled, those knocked out included."""
        ...

    async def decisions(self, turn: str) -> Sequence[Recorded]:
        """All decisions of a turn, in the order in which they were made. For an answer that names no turn (a
        contribution), ``turn`` is the id of its decision."""
        ...

    async def executed(self, turn: str) -> Sequence[Call]:
        """The tool calls of a turn that the gateway did execute."""
        ...

    async def reset(self) -> None:
        """Back to the state after the start: quotas, breakers, switches, sessions, contributed documents."""
        ...

    async def switch_off(self, tool: str) -> None:
        """Throw the kill switch of a tool."""
        ...


Start = Callable[[Setup], AbstractAsyncContextManager[Target]]
"""Starts a gateway. It may reuse one process and listener and swap the gates between set-ups."""
