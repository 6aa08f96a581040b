"""Tool calls of a model's answer: each judged, then run here, left to the client, or answered with a refusal.

A refused call is answered inside the gateway with a synthetic tool result, and the model is asked again:
ending the turn instead would cost the user's work (measured on AgentDojo, see REFERENCE of the design).
"""

from dataclasses import dataclass, field
from typing import Any

from ringwall.core import Action, CrossingKind, Decision, Mode, Part, PartKind, apply_edits, new_id
from ringwall.wire.chat_parts import tool_call_part

from .state import Turn

WITHHELD = "The result of this call was withheld by policy."


@dataclass
class Outcome:
    """What became of the calls of one answer."""

    for_client: list[dict[str, Any]] = field(default_factory=list)
    """Allowed calls that the client runs itself."""
    results: list[dict[str, Any]] = field(default_factory=list)
    """Tool messages for the model: results of calls run here, and refusals."""
    refused: int = 0
    """Calls that were denied or held."""


async def judge_calls(turn: Turn, calls: list[dict[str, Any]]) -> Outcome:
    """Judge every call by itself, in order.

    An answer that has calls for the client goes to the client: calls of the same answer that the gateway
    would run are left out, since their results would have no place in the client's history; the model asks
    for them again.
    """
    outcome = Outcome()
    allowed: list[Part] = []
    for call in calls:
        call["id"] = call.get("id") or new_id("call")
        part = _as_made(turn, call)
        turn.tool_calls += 1
        granted = turn.app.holds.granted(turn.session, turn.principal, part.name, part.data)
        decision = await _decide(turn, part, granted)
        await turn.committed()
        action = _carried_out(turn, part, decision)
        if action is Action.HOLD:
            outcome.refused += 1
            outcome.results.append(_refusal(turn, part, _hold(turn, part, decision)))
        elif action is Action.BLOCK:
            outcome.refused += 1
            outcome.results.append(_refusal(turn, part, _denied(decision)))
        elif granted and not turn.app.holds.take(turn.session, turn.principal, part.name, part.data):
            outcome.results.append(_tool_message(part, "Not done: the approval was already used."))
        elif turn.app.runs(part.name):
            allowed.append(part)
        else:
            if turn.app.gate.mode is Mode.ENFORCE:
                call["function"]["arguments"] = part.text  # what was approved is what travels
            outcome.for_client.append(call)
    turn.left = turn.left or bool(outcome.for_client or allowed)
    if not outcome.for_client:
        outcome.results += [_tool_message(part, await _run(turn, part)) for part in allowed]
    return outcome


def _as_made(turn: Turn, call: dict[str, Any]) -> Part:
    """The call with the values that its tool will be given: policy judges those, not their placeholders."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    here = turn.app.runs(name)
    return tool_call_part(call["id"], name, turn.app.hiding.arguments(turn.place, name, arguments, here=here))


def _carried_out(turn: Turn, part: Part, decision: Decision) -> Action:
    """Monitor mode watches what clients and models do; the gateway itself never runs a tool that its own
    policy would have stopped."""
    if turn.app.careful and turn.app.runs(part.name):
        return max(decision.action, decision.would if decision.would >= Action.HOLD else decision.action)
    return decision.action


async def _decide(turn: Turn, part: Part, granted: bool) -> Decision:
    crossing = turn.crossing(
        CrossingKind.TOOL_CALL,
        [part],
        {
            "provenance": {part.ref: turn.app.provenance(turn.content, part)},
            "approved": frozenset({part.ref} if granted else ()),
            "turn_calls": turn.tool_calls - 1,
            "session_labels": turn.app.labels.session(turn.session).join(turn.content_label),
        },
    )
    return await turn.decide(crossing)


def _hold(turn: Turn, part: Part, decision: Decision) -> str:
    reason = " ".join(decision.reasons)
    hold = turn.app.holds.request(turn.session, turn.principal, part.name, part.data, reason, turn.id)
    turn.held.append(hold.id)
    return (
        f"Not done: this call waits for the approval of a person ({hold.id}). {reason} "
        "Tell the user so; do not try another way. Once approved, the same call will go through."
    )


def _denied(decision: Decision) -> str:
    reason = " ".join(decision.reasons) or "Not allowed for this user."
    return f"Denied by policy: {reason} Go on without this call, or tell the user that it can't be done."


async def _run(turn: Turn, part: Part) -> str:
    """Execute a gateway-run tool and take its result through the gate."""
    app = turn.app.application.name
    await turn.recorder.tool_called(turn.principal, app, turn.session, turn.id, part)
    text = await turn.app.run_tool(part.name, part.data, turn.principal)
    label = turn.app.tool_label(part.name)
    return await shown_result(turn, Part(PartKind.TOOL_RESULT, text, label, "tool", part.name, ref=part.ref))


async def shown_result(turn: Turn, result: Part) -> str:
    """What the model is shown of a result, which is remembered; of a withheld one, a sentence."""
    decision = await turn.decide(turn.crossing(CrossingKind.TOOL_RESULT, [result]))
    if decision.action >= Action.HOLD:
        return WITHHELD
    edits = decision.joined.edits
    turn.show([result])
    return "" if any(edit.drop for edit in edits) else apply_edits(result.text, edits)


def _refusal(turn: Turn, part: Part, text: str) -> dict[str, Any]:
    """A reason may name what the call was about; the model knows that by its placeholder."""
    return _tool_message(part, turn.app.hiding.reply(turn.place, text))


def _tool_message(part: Part, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": part.ref, "content": text}
