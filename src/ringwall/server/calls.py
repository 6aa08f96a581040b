"""Tool calls, wherever they are made: judged, held, waited for, and let through once.

Knows no turn and no protocol: whoever has a call to make is an ``Asking``.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from ringwall.boundaries.application.hold import Approver, Hold, HoldState, Why
from ringwall.boundaries.application.provenance import leaves
from ringwall.boundaries.application.session_facts import Background
from ringwall.boundaries.application.strict_json import canonical
from ringwall.core import (
    Action,
    Crossing,
    CrossingKind,
    Decision,
    Integrity,
    Label,
    Part,
    Principal,
    Rewriting,
)
from ringwall.workload.site import ApplicationSite

from . import refusals

_SWITCHED_OFF = "This tool was switched off meanwhile; go on without it."
_FOUR_EYES = "Whoever asked for this call confirmed it, and as it stands it needs somebody else."
_NOT_LIFTED = "A person approved this call, and it is not allowed even so."


class Asking(Protocol):
    """Who has calls to make, and after what. A ``Turn`` is one."""

    @property
    def app(self) -> ApplicationSite: ...

    @property
    def principal(self) -> Principal: ...

    @property
    def session(self) -> str: ...

    @property
    def id(self) -> str:
        """Joins the decisions."""
        ...

    @property
    def content(self) -> Sequence[Part]:
        """Every labelled part that the caller was shown: arguments are looked for there."""
        ...

    @property
    def content_label(self) -> Label:
        """The join over it."""
        ...

    def background(self, part: Part) -> Background:
        """Where each argument of the call comes from, and what the user asked for."""
        ...

    def runs(self, part: Part) -> bool:
        """Whether the gateway makes this call itself."""
        ...

    def released(self, part: Part) -> bool:
        """Whether a person approved exactly this call, and the approval was used when it was handed out."""
        ...

    def handed_out(self, part: Part) -> bool:
        """Whether exactly this call was let through before, for the client to make: it is counted there."""
        ...

    def crossing(
        self, kind: CrossingKind, parts: Iterable[Part] = (), context: Mapping[str, Any] | None = None
    ) -> Crossing: ...

    async def decide(self, crossing: Crossing) -> Decision:
        """Ask the gate and send its decision to the ledger."""
        ...

    async def committed(self) -> None:
        """Wait until every decision so far is on the ledger. Raises when one could not be recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Permitted:
    """May be made, after ``taken``."""

    part: Part
    """The call as it may be made."""
    decision: str
    background: Background
    """Where its arguments come from, as they were judged."""
    hold: Hold | None = None
    """The approval that it uses up."""
    released: bool = False
    """Whether it was judged as approved because the approval was used when it was handed out."""

    @property
    def changed(self) -> bool:
        """Whether a person put other arguments into it."""
        return self.hold is not None and bool(self.hold.amended_call)


@dataclass(frozen=True, slots=True)
class Held:
    """Waits for a person."""

    part: Part
    decision: str
    hold: Hold
    before: int
    """Calls of the same turn before it."""
    background: Background
    """Of its arguments as the model wrote them."""

    @property
    def told(self) -> str:
        """For the model."""
        own = self.hold.approver is Approver.REQUESTER
        return refusals.waits(self.hold.id, self.hold.reason, own=own)

    @property
    def reason(self) -> str:
        """For the user."""
        return f"It waits for a person ({self.hold.id}). {self.hold.reason}".rstrip()


@dataclass(frozen=True, slots=True)
class Denied:
    """Is not made."""

    part: Part
    decision: str
    told: str
    """For the model."""
    reason: str
    """For the user."""
    hold: Hold | None = None


Judged: TypeAlias = Permitted | Held | Denied


async def judge(asking: Asking, part: Part, before: int) -> Judged:
    """Decide about a call as the model made it. ``before``: calls of the same turn before it.

    It is put in its safe form first: that is what is judged, approved and made. The decision, and the hold
    that it may ask for, are on the ledger when this returns. Raises when they can't be: then nothing may
    happen.
    """
    holds = asking.app.holds
    background = asking.background(part)
    form = await _in_form(asking, part)
    part = form.part
    granted = holds.granted(asking.session, asking.principal, part.name, part.data)
    if granted is not None:
        return await _with_approval(asking, form, background, granted, before)
    released = asking.released(part)
    decision = await _decide(asking, form, before, background, approved=released)
    action = _carried_out(asking, part, decision)
    if action >= Action.HOLD:
        asking.app.breakers.refused(asking.id, part)
    if action is Action.BLOCK:
        return _denied(part, decision)
    if action is not Action.HOLD:
        return Permitted(part, decision.id, background, released=released)
    refused = holds.refused(asking.session, asking.principal, part.name, part.data)
    if refused is not None:
        return _by_person(part, decision.id, refused)
    why = _why(asking, part, decision, background.labels)
    hold = await asyncio.to_thread(holds.request, asking.session, asking.principal, part.name, part.data, why)
    return Held(part, decision.id, hold, before, background)


async def settle(asking: Asking, held: Held, seconds: float) -> Judged:
    """Wait for the person, that long at most, and judge what was approved. ``Held`` again when nobody decided
    in time."""
    hold = await asking.app.holds.settled(held.hold.id, seconds)
    match hold.state:
        case HoldState.PENDING:
            return held
        case HoldState.APPROVED:
            return await _with_approval(asking, Rewriting(held.part), held.background, hold, held.before)
        case HoldState.REFUSED:
            return _by_person(held.part, held.decision, hold)
        case HoldState.EXPIRED:
            told, reason = refusals.expired(hold.id), "Nobody approved it in time."
        case HoldState.USED:
            told, reason = refusals.USED, "Its approval was used by another call."
        case HoldState.VOID:
            told, reason = refusals.denied([_NOT_LIFTED]), _NOT_LIFTED
    return Denied(held.part, held.decision, told, reason, hold)


async def taken(asking: Asking, permitted: Permitted) -> Judged:
    """Use up the approval, if it needs one: only then may the call be made. ``Denied`` when somebody else was
    faster, its time was over, or the tool was switched off meanwhile."""
    part = permitted.part
    manifest = asking.app.registry.get(part.name)
    effect = manifest.effect if manifest else None
    if asking.app.careful and asking.app.switches.off(part.name, effect):
        asking.app.breakers.left_out(asking.id, part)
        told = refusals.denied([_SWITCHED_OFF])
        return Denied(part, permitted.decision, told, _SWITCHED_OFF, permitted.hold)
    if permitted.hold is None:
        return permitted
    take, granted = asking.app.holds.take, permitted.hold.granted_arguments or {}
    used = await asyncio.to_thread(take, asking.session, asking.principal, part.name, granted)
    if used is not None:
        return permitted
    asking.app.breakers.left_out(asking.id, part)
    return Denied(
        part, permitted.decision, refusals.USED, "Its approval was used by another call.", permitted.hold
    )


async def _with_approval(
    asking: Asking, form: Rewriting, background: Background, hold: Hold, before: int
) -> Judged:
    """An approval lifts the holds, and nothing else. What a person changed is judged anew, as theirs."""
    part, arguments = form.part, hold.granted_arguments
    if arguments is None:
        return Denied(part, "", refusals.erased(hold.id), "The approved arguments were erased.", hold)
    if hold.amended_call:
        part = replace(part, text=canonical(dict(arguments)), data=dict(arguments))
        made = _by_path(asking, part.name, hold.arguments or {})
        amended = _by_path(asking, part.name, arguments)
        background = asking.background(part)
        background = replace(background, labels=_vouched(background.labels, made, amended))
        form = await _in_form(asking, part)
        part = form.part
    decision, why = await _decide(asking, form, before, background, approved=not hold.confirmed), _NOT_LIFTED
    if hold.confirmed and _carried_out(asking, part, decision) is Action.HOLD:
        # What holds it now may be more than what they were asked about.
        if asking.app.approvers.of(decision, asking.app.registry.get(part.name)) is Approver.REQUESTER:
            decision = await _decide(asking, form, before, background, approved=True)
        else:
            why = _FOUR_EYES
    if _carried_out(asking, part, decision) >= Action.HOLD:
        asking.app.breakers.refused(asking.id, part)
        await asyncio.to_thread(asking.app.holds.void, hold)
        reason = " ".join((why, *decision.reasons))
        return Denied(part, decision.id, refusals.denied([reason]), reason, hold)
    return Permitted(part, decision.id, background, hold)


async def _in_form(asking: Asking, part: Part) -> Rewriting:
    """The call as its tool may get it. In monitor mode what others run stays as it is."""
    monitored = asking.app.careful and asking.runs(part)
    return await asking.app.gate.rewritten(CrossingKind.TOOL_CALL, part, monitored=monitored)


async def _decide(
    asking: Asking, form: Rewriting, before: int, background: Background, *, approved: bool = False
) -> Decision:
    """What is judged is what will happen; ``background`` is that of the words that were written."""
    part = form.part
    crossing = asking.crossing(
        CrossingKind.TOOL_CALL,
        [part],
        {
            **background.context(part.ref),
            "rewritten": {part.ref: form.findings},
            "approved": frozenset({part.ref} if approved else ()),
            "turn_calls": before,
            "handed_out": asking.handed_out(part),
            "session_labels": asking.app.labels.session(asking.session).join(asking.content_label),
        },
    )
    decision = await asking.decide(crossing)
    await asking.committed()
    return decision


def _carried_out(asking: Asking, part: Part, decision: Decision) -> Action:
    """Monitor mode watches what clients and models do; the gateway itself never runs a tool that its own
    policy would have stopped."""
    if asking.app.careful and asking.runs(part):
        return max(decision.action, decision.would if decision.would >= Action.HOLD else decision.action)
    return decision.action


def _denied(part: Part, decision: Decision) -> Denied:
    reason = " ".join(decision.reasons) or "Not allowed for this user."
    return Denied(part, decision.id, refusals.denied(decision.reasons), reason)


def _by_person(part: Part, decision: str, hold: Hold) -> Denied:
    return Denied(part, decision, refusals.refused_by_person(hold.id), "A person refused it.", hold)


def _why(asking: Asking, part: Part, decision: Decision, labels: Mapping[str, Label]) -> Why:
    app = asking.app
    return Why(
        reason=" ".join(decision.reasons),
        approver=app.approvers.of(decision, app.registry.get(part.name)),
        turn=asking.id,
        application=app.application.name,
        decision=decision.id,
        doubtful={
            path: ", ".join(sorted(label.origin))
            for path, label in labels.items()
            if label.integrity is Integrity.UNTRUSTED
        },
    )


def _by_path(asking: Asking, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    manifest = asking.app.registry.get(tool)
    return dict(leaves(arguments, manifest.parameters if manifest else {}))


def _vouched(
    labels: Mapping[str, Label], made: Mapping[str, Any], amended: Mapping[str, Any]
) -> Mapping[str, Label]:
    """What a person put in is as a user's word; its data classes stay. What they left stays what it was."""
    return {
        path: label
        if path in made and made[path] == amended.get(path)
        else replace(label, integrity=max(label.integrity, Integrity.USER), origin=label.origin | {"person"})
        for path, label in labels.items()
    }
