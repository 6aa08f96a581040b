"""Guarded streaming: text leaves only when every control that could still object has seen enough of it.

The hold-back is derived, not configured: each enforcing control of the gate says from where on it must keep
the text (``hold_from``, or the overlap of its window), and the least of these is the release point. What has
been released is never rewritten.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ringwall.core import (
    Action,
    Buffer,
    Control,
    Crossing,
    CrossingKind,
    Decision,
    Edit,
    Gate,
    StreamAware,
    StreamNeeds,
    Window,
    apply_edits,
)

STEP = 24
STEP_S = 0.05
"""A burst of small pieces is judged together: at least so many characters at a time, unless the last look was
so long ago (seconds) that a reader would notice."""
BEFORE = 4096
"""Characters of released text that controls may look back at."""

MakeCrossing = Callable[[str, str, bool], Crossing]
"""(pending text, tail of the released text, whether this is the end) -> the crossing to judge."""


@dataclass(frozen=True, slots=True)
class Release:
    """What may leave now."""

    text: str = ""
    decision: Decision | None = None
    crossing: Crossing | None = None
    stopped: bool = False
    """Nothing more may leave: the text that is left was blocked."""


@dataclass(frozen=True, slots=True)
class _Needs:
    """What the enforcing controls of a gate need of a response; none in monitor mode."""

    hold_from: tuple[Callable[[str], int], ...]
    limit: int
    """Of the strictest buffer; 0: nobody buffers."""
    varying: tuple[StreamNeeds, ...] = ()
    """Controls that are asked for each response."""

    def of(self, crossing: Crossing) -> "_Needs":
        """With what this response needs beside."""
        wanted = [need for control in self.varying if isinstance(need := control.need_of(crossing), Buffer)]
        if not wanted:
            return self
        limit = min([need.limit for need in wanted] + ([self.limit] if self.limit else []))
        return _Needs((*self.hold_from, lambda text: 0), limit)


_KNOWN: "WeakKeyDictionary[Gate, _Needs]" = WeakKeyDictionary()


def _needs_of(gate: Gate) -> _Needs:
    """Once per gate: a gate never changes."""
    known = _KNOWN.get(gate)
    if known is None:
        controls = [post.control for post in gate.active(CrossingKind.RESPONSE)]
        varying = tuple(control for control in controls if isinstance(control, StreamNeeds))
        limits = [c.declaration.need.limit for c in controls if isinstance(c.declaration.need, Buffer)]
        known = _KNOWN[gate] = _Needs(tuple(map(_holder, controls)), min(limits, default=0), varying)
    return known


class ResponseGuard:
    """Judges the text of one response, as it arrives or whole."""

    def __init__(self, gate: Gate, crossing: MakeCrossing) -> None:
        self._gate = gate
        self._crossing = crossing
        needs = _needs_of(gate)
        if needs.varying:
            needs = needs.of(crossing("", "", False))
        self._hold_from, self._limit = needs.hold_from, needs.limit
        self._pending = ""
        self._before = ""
        self._streamed = False
        self._judged = 0.0

    async def feed(self, text: str) -> Release:
        """Take more text; release what no control can object to any more."""
        self._pending += text
        self._streamed = True
        if not self._hold_from:
            return Release(text)  # monitor: nothing is held back, the whole text is judged at the end
        if self._limit and len(self._pending) > self._limit:
            return await self._judge(final=False, point=0)
        if len(self._pending) < STEP and time.monotonic() - self._judged < STEP_S:
            return Release()
        point = min(hold(self._pending) for hold in self._hold_from)
        if not point:
            return Release()
        self._judged = time.monotonic()
        return await self._judge(final=False, point=point)

    async def finish(self) -> Release:
        """The text is complete: judge and release the rest."""
        return await self._judge(final=True, point=len(self._pending))

    def take(self, text: str) -> None:
        """Take the whole text of a reply that is not streamed; ``finish`` judges it."""
        self._pending += text

    async def _judge(self, *, final: bool, point: int) -> Release:
        crossing = self._crossing(self._pending, self._before, final)
        decision = await self._gate.decide(crossing)
        over = not final and self._limit and len(self._pending) > self._limit
        if decision.action >= Action.HOLD or over:
            self._pending = ""
            return Release("", decision, crossing, stopped=True)
        if not self._hold_from:
            return Release("" if self._streamed else self._pending, decision, crossing)
        edits = decision.joined.edits if decision.action is Action.TRANSFORM else ()
        point = _clear_of(edits, point)
        if not point and not final:
            return Release()
        due, self._pending = self._pending[:point], self._pending[point:]
        self._before = (self._before + due)[-BEFORE:]
        text = apply_edits(due, [edit for edit in edits if edit.end <= point])
        return Release(text, decision, crossing)


def _holder(control: Control) -> Callable[[str], int]:
    """From where on the control must keep a text: its own word, or what its window says."""
    need = control.declaration.need
    if isinstance(need, Buffer):
        return lambda text: 0
    if isinstance(control, StreamAware):
        own = control.hold_from
        return lambda text: max(0, min(own(text), len(text)))
    overlap = need.overlap if isinstance(need, Window) else 0
    return lambda text: max(0, len(text) - overlap)


def _clear_of(edits: tuple[Edit, ...], point: int) -> int:
    """The release point moved back so that no edit lies across it."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        if edit.start < point < edit.end:
            point = edit.start
    return point
