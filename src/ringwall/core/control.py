"""A control: a declared defence with one method.

Controls are found through the entry-point group ``ringwall.controls``: the entry's name is the control's id
and its value a callable that takes the control's settings (see ``ringwall.workload.compose``). Ours are
added in the same way as those of other packages.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol, runtime_checkable

from .boundary import Boundary
from .crossing import Crossing, CrossingKind, Part, PartKind
from .streaming import END_OF_STREAM, StreamNeed
from .verdict import Finding, Verdict


class FailMode(StrEnum):
    """What it means that a control raised, hung or answered nonsense."""

    CLOSED = "closed"
    """Block. The default."""
    OPEN = "open"
    """Let it pass, raise an event."""
    DEGRADE = "degrade"
    """Take the verdict of the named cheaper control; if that one fails as well: block."""


class Cost(IntEnum):
    """In which round a control runs: cheap ones first, so that a block spares the dear ones."""

    CHEAP = 0
    MODERATE = 1
    DEAR = 2


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a control promises; printed by ``ringwall check``, tested for every registered control."""

    id: str
    """``boundary.name``, which is also where its code lives: ``boundaries/<boundary>/<name>.py``."""
    boundary: Boundary
    summary: str
    """One sentence: what it stops."""
    crossings: frozenset[CrossingKind]
    parts: frozenset[PartKind]
    """The parts it can see; empty when it judges the crossing as a whole."""
    threats: tuple[str, ...]
    """``id@edition``, such as ``LLM01@2025``."""
    csf: tuple[str, ...] = ()
    """NIST CSF 2.0 subcategories, such as ``PR.DS-01``."""
    fail: FailMode = FailMode.CLOSED
    fallback: str = ""
    """Id of the cheaper control, with ``FailMode.DEGRADE``."""
    need: StreamNeed = END_OF_STREAM
    cost: Cost = Cost.CHEAP
    deadline: float = 1.0
    """Seconds."""
    inline: bool = False
    """True only for code of bounded linear time without I/O: it then runs on the event loop. Any other
    synchronous ``inspect`` runs in a thread, where a hang meets the deadline."""


@runtime_checkable
class Control(Protocol):
    """``inspect`` may be a plain or an async method. It must not change the crossing and must not keep it."""

    @property
    def declaration(self) -> Declaration: ...

    def inspect(self, crossing: Crossing) -> Verdict | Awaitable[Verdict]: ...


@runtime_checkable
class StreamAware(Protocol):
    """A text control that knows better than its window where an unfinished match may begin."""

    def hold_from(self, text: str) -> int:
        """Offset of the first character that a match still to be completed could start at; ``len(text)``
        when there is none. Text before it may leave."""
        ...


@runtime_checkable
class StreamNeeds(Protocol):
    """A control whose need depends on the crossing: most answers it need not hold at all."""

    def need_of(self, crossing: Crossing) -> StreamNeed:
        """The need of this answer; ``declaration.need`` is the least of all of them."""
        ...


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A part in the form that a control insists on."""

    part: Part
    findings: tuple[Finding, ...] = ()
    """What was changed, for the record."""


@runtime_checkable
class Rewrites(Protocol):
    """A control that takes a part only in a form of its own making, and makes it when it is asked first."""

    async def rewrite(self, part: Part) -> Rewriting:
        """The part in that form; unchanged where it has none, which ``inspect`` then refuses."""
        ...


def applies(declaration: Declaration, crossing: Crossing) -> bool:
    """Whether the control has something to look at: the kind is its own and, if it looks at parts, one of
    them is there."""
    if crossing.kind not in declaration.crossings:
        return False
    return not declaration.parts or any(part.kind in declaration.parts for part in crossing.parts)
