"""Tool calls of a model's answer: each judged, then run here, left to the client, or answered with a refusal.

A refused call is answered inside the gateway with a synthetic tool result, and the model is asked again:
ending the turn instead would cost the user's work (measured on AgentDojo, see REFERENCE of the design). Where
``application.refusals`` says so, the turn ends all the same, and none of the answer's calls is made.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from ringwall.boundaries.application.spotlight import undone
from ringwall.core import Action, CrossingKind, Mode, Part, PartKind, apply_edits, new_id
from ringwall.wire.chat_parts import tool_call_part

from .. import refusals
from ..calls import Denied, Held, Judged, Permitted, judge, settle, taken
from .state import Turn
from .trace import Fate


@dataclass
class Outcome:
    """What became of the calls of one answer."""

    for_client: list[dict[str, Any]] = field(default_factory=list)
    """Allowed calls that the client runs itself."""
    results: list[dict[str, Any]] = field(default_factory=list)
    """Tool messages for the model: results of calls run here, and refusals."""
    refused: int = 0
    """Calls that were denied or held."""
    notes: list[str] = field(default_factory=list)
    """Sentences ahead of the calls for the client."""
    ended: str = ""
    """What ends the turn, where refusals do."""


async def judge_calls(turn: Turn, calls: list[dict[str, Any]]) -> Outcome:
    """Judge every call by itself, in order; then wait for persons, all at once; then make what is permitted.

    An answer that has calls for the client goes to the client: calls of the same answer that the gateway
    would run are left out, since their results would have no place in the client's history, and so are
    refused ones; the model asks for them again.
    """
    judged: list[Judged] = []
    for call in _named(calls):
        judged.append(await judge(turn, as_made(turn, call), turn.tool_calls))
        turn.tool_calls += 1
    judged = await _decided(turn, judged)
    outcome = Outcome()
    if turn.app.ends_refused and any(not isinstance(one, Permitted) for one in judged):
        _end(turn, judged, outcome)
        return outcome
    await _release(turn, calls, judged, outcome)
    for one in judged:
        if isinstance(one, Permitted):
            if turn.app.runs(one.part.name):
                await _make(turn, one, outcome)
        else:
            _refuse(turn, one, outcome)
    turn.left = turn.left or bool(outcome.for_client)
    return outcome


def _named(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each call with an id of its own: results and refusals find their call by it."""
    seen: set[str] = set()
    for call in calls:
        if not call.get("id") or call["id"] in seen:
            call["id"] = new_id("call")
        seen.add(call["id"])
    return calls


def as_made(turn: Turn, call: dict[str, Any]) -> Part:
    """The call with the values that its tool will be given: policy judges those, not their placeholders."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    here = turn.app.runs(name)
    real = turn.app.hiding.arguments(turn.place, name, arguments, here=here)
    return undone(tool_call_part(call["id"], name, real), turn.signs)


async def _decided(turn: Turn, judged: list[Judged]) -> list[Judged]:
    """After the time that persons have for their decision."""
    seconds = turn.app.holds.wait_s
    waiting = [one for one in judged if isinstance(one, Held)]
    if not waiting or seconds <= 0:
        return judged
    turn.waits = True
    try:
        settled = await asyncio.gather(*(settle(turn, one, seconds) for one in waiting))
    finally:
        turn.waits = False
    after = iter(settled)
    return [next(after) if isinstance(one, Held) else one for one in judged]


async def _release(turn: Turn, calls: list[dict[str, Any]], judged: list[Judged], outcome: Outcome) -> None:
    """The calls that the client makes, with the arguments that were judged."""
    for index, (call, permitted) in enumerate(zip(calls, judged, strict=True)):
        if not isinstance(permitted, Permitted) or turn.app.runs(permitted.part.name):
            continue
        judged[index] = one = await taken(turn, permitted)
        if not isinstance(one, Permitted):
            continue
        if one.changed or turn.app.gate.mode is Mode.ENFORCE:
            call["function"]["arguments"] = one.part.text  # what was approved is what travels
        turn.app.breakers.made(turn.id, one.part)
        if one.changed:
            outcome.notes.append(refusals.changed_for_client(one.part.name))
        outcome.for_client.append(call)
        turn.remember_released(one.part, one.background, approved=one.hold is not None)
        _note(turn, one, Fate.RELEASED)


async def _make(turn: Turn, permitted: Permitted, outcome: Outcome) -> None:
    """A call that the gateway runs, unless the answer goes to the client."""
    if outcome.for_client:
        turn.app.breakers.left_out(turn.id, permitted.part)
        _note(turn, permitted, Fate.POSTPONED)
        return
    one = await taken(turn, permitted)
    if not isinstance(one, Permitted):
        _refuse(turn, one, outcome)
        return
    turn.left = True
    text = await _run(turn, one.part)
    if one.changed:
        text = turn.app.hiding.reply(turn.place, refusals.changed(one.part.text)) + text
    outcome.results.append(_tool_message(one.part, text))
    _note(turn, one, Fate.RUN)


def _refuse(turn: Turn, one: Held | Denied, outcome: Outcome) -> None:
    """A reason may name what the call was about; the model knows that by its placeholder."""
    outcome.refused += 1
    outcome.results.append(_tool_message(one.part, turn.app.hiding.reply(turn.place, one.told)))
    if isinstance(one, Held):
        turn.held.append(one.hold.id)
        _note(turn, one, Fate.HELD)
    else:
        _note(turn, one, Fate.REFUSED)


def _end(turn: Turn, judged: list[Judged], outcome: Outcome) -> None:
    refused: list[tuple[str, str]] = []
    for one in judged:
        if isinstance(one, Permitted):
            turn.app.breakers.left_out(turn.id, one.part)
            _note(turn, one, Fate.POSTPONED)
        else:
            _refuse(turn, one, outcome)
            refused.append((one.part.name, one.reason))
    outcome.ended = refusals.ended(refused)


def _note(turn: Turn, one: Judged, fate: Fate) -> None:
    turn.trace.add(
        one.part.ref,
        one.part.name,
        fate,
        decision=one.decision,
        reason="" if isinstance(one, Permitted) else one.reason,
        hold=one.hold.id if one.hold else "",
        changed=isinstance(one, Permitted) and one.changed,
    )


async def _run(turn: Turn, part: Part) -> str:
    """Execute a gateway-run tool and take its result through the gate."""
    app = turn.app.application.name
    await turn.recorder.tool_called(turn.principal, app, turn.session, turn.id, part)
    outcome = await turn.app.run_tool(
        part.name, part.data, turn.principal, decide=turn.let_out, chain=turn.chain_token
    )
    turn.app.breakers.made(turn.id, part, undone=outcome.failed and not outcome.unsure)
    label = turn.app.tool_label(part.name)
    result = Part(PartKind.TOOL_RESULT, outcome.text, label, "tool", part.name, ref=part.ref)
    return await shown_result(turn, result)


async def shown_result(turn: Turn, result: Part) -> str:
    """What the model is shown of a result, which is remembered; of a withheld one, a sentence."""
    decision = await turn.decide(turn.crossing(CrossingKind.TOOL_RESULT, [result]))
    if decision.action >= Action.HOLD:
        return refusals.WITHHELD
    edits = decision.joined.edits
    turn.show([result])
    text = "" if any(edit.drop for edit in edits) else apply_edits(result.text, edits)
    return turn.lit(result, text)


def _tool_message(part: Part, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": part.ref, "content": text}
