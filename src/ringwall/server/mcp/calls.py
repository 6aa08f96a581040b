"""``tools/call``: judged like every tool call of this workload, then run at the server, its result judged too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.boundaries.application.hold import Why
from ringwall.boundaries.application.mcp.approved import McpBound
from ringwall.boundaries.application.mcp.upstream import Asker, McpFault, Progress
from ringwall.core import Action, CrossingKind, Decision, Label, Part, new_id, untrusted
from ringwall.wire.chat_parts import tool_call_part

from ..turn.state import Turn
from .caller import Caller
from .results import pass_result

if TYPE_CHECKING:
    from mcp.types import CallToolResult

_CLIENT = untrusted("mcp-client")
"""Of what the client sends and the gateway has not seen: it may come from anywhere."""
_OWN = frozenset({"model"})
UNKNOWN = "There is no such tool here, or it waits for an operator's approval. Use one of the tools offered."


@dataclass(frozen=True, slots=True)
class _Judged:
    part: Part
    decision: Decision
    action: Action
    """What the gateway does, monitor mode taken into account."""
    granted: bool
    """Whether a person's approval of this call was counted."""


async def call(
    caller: Caller,
    turn: Turn,
    name: str,
    arguments: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    asker: Asker | None = None,
) -> "CallToolResult":
    """Every outcome is a result that the client's model can read; refusals and failures are marked as errors."""
    bound = caller.app.mcp.tools.find(caller.server, name)
    if bound is None or bound.name not in caller.app.application.tools:
        await _record_unknown(turn, caller.server, name, arguments)
        return said(UNKNOWN)
    text = turn.app.hiding.arguments(turn.place, bound.name, _text(arguments), here=True)
    part = tool_call_part(new_id("call"), bound.name, text)
    judged = await _judge(turn, part)
    if judged.action is Action.HOLD:
        judged = await _waited(turn, judged)
    if judged.action is Action.HOLD:
        return said(_held(turn, judged))
    if judged.action is Action.BLOCK:
        return said(_denied(turn, judged.decision))
    if judged.granted and not _take(turn, judged.part):
        return said("Not done: the approval was already used.")
    return await _run(caller, turn, bound, judged.part, progress, asker)


async def _record_unknown(turn: Turn, server: str, name: str, arguments: Mapping[str, Any]) -> None:
    """The gate refuses it as well; the refusal is on the ledger."""
    safe = name.encode("utf-8", "replace").decode()[:64]
    await _decide(turn, tool_call_part(new_id("call"), f"{server}__{safe}", _text(arguments)), granted=False)
    await turn.committed()


async def _judge(turn: Turn, part: Part) -> _Judged:
    """An approval may have been given here, or at the chat endpoint, where it was used when the call was handed
    to the client."""
    hold = turn.app.holds.granted(turn.session, turn.principal, part.name, part.data)
    if hold is not None and hold.granted_arguments is not None:
        part = tool_call_part(part.ref, part.name, _text(hold.granted_arguments))
    fact = turn.app.facts.find(turn.session, part.name, part.data)
    granted = hold is not None or (fact is not None and fact.approved)
    decision = await _decide(turn, part, granted=granted)
    await turn.committed()
    action = decision.action
    if turn.app.careful and decision.would >= Action.HOLD:
        action = max(action, decision.would)
    return _Judged(part, decision, action, granted)


async def _decide(turn: Turn, part: Part, *, granted: bool) -> Decision:
    crossing = turn.crossing(
        CrossingKind.TOOL_CALL,
        [part],
        {
            "provenance": {part.ref: _provenance(turn, part)},
            "approved": frozenset({part.ref} if granted else ()),
            "turn_calls": 0,
            "session_labels": turn.app.labels.session(turn.session),
        },
    )
    return await turn.decide(crossing)


def _provenance(turn: Turn, part: Part) -> Mapping[str, Label]:
    """What the chat gateway knew of exactly this call of this session; else what was seen in this session, and
    what was not seen is untrusted."""
    fact = turn.app.facts.find(turn.session, part.name, part.data)
    if fact is not None:
        return fact.labels
    found = turn.app.provenance(turn.app.seen.of(turn.session), part)
    return {path: _CLIENT if label.origin == _OWN else label for path, label in found.items()}


async def _waited(turn: Turn, judged: _Judged) -> _Judged:
    """Ask a person, wait as long as the workload says, and judge again if there was a yes."""
    hold = turn.app.holds.request(
        turn.session,
        turn.principal,
        judged.part.name,
        judged.part.data,
        Why(
            " ".join(judged.decision.reasons),
            turn=turn.id,
            application=turn.app.application.name,
            decision=judged.decision.id,
        ),
    )
    turn.held.append(hold.id)
    if turn.app.holds.wait_s <= 0:
        return judged
    await turn.app.holds.settled(hold.id, turn.app.holds.wait_s)
    if turn.app.holds.granted(turn.session, turn.principal, judged.part.name, judged.part.data) is None:
        return judged
    return await _judge(turn, judged.part)


def _take(turn: Turn, part: Part) -> bool:
    if turn.app.holds.take(turn.session, turn.principal, part.name, part.data) is not None:
        return True
    return turn.app.facts.use_approval(turn.session, part.name, part.data)


async def _run(
    caller: Caller, turn: Turn, bound: McpBound, part: Part, progress: Progress | None, asker: Asker | None
) -> "CallToolResult":
    from mcp.types import CallToolResult  # noqa: PLC0415

    app = turn.app
    await turn.recorder.tool_called(turn.principal, app.application.name, turn.session, turn.id, part)
    turn.left = True
    try:
        answer = await app.mcp.call(bound, part.data, caller.owner, progress=progress, asker=asker)
    except McpFault as fault:
        return said(str(fault))
    label = app.tool_label(bound.name)
    passed = await pass_result(turn, answer, label, bound.name, part.ref)
    app.seen.remember(turn.session, turn.content)
    return CallToolResult(
        content=[_block(piece) for piece in passed.pieces],
        structured_content=passed.structured,
        is_error=answer.failed or passed.withheld or _lost(bound, caller, answer.structured, passed.structured),
    )


def _lost(bound: McpBound, caller: Caller, before: Any, after: Any) -> bool:
    """A tool that promises structured results and has none left can only be answered as an error."""
    promised = bound.output is not None and caller.app.mcp.tools.servers[caller.server].structured
    return promised and before is not None and after is None


def _block(piece: Any) -> Any:
    from mcp.types import ImageContent, TextContent  # noqa: PLC0415

    if isinstance(piece, str):
        return TextContent(type="text", text=piece)
    return ImageContent(type="image", data=piece.data, mime_type=piece.kind)


def said(text: str) -> "CallToolResult":
    """A refusal or a failure, for the client's model."""
    from mcp.types import CallToolResult, TextContent  # noqa: PLC0415

    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _held(turn: Turn, judged: _Judged) -> str:
    reason = " ".join(judged.decision.reasons)
    hold = turn.held[-1] if turn.held else ""
    return _told(
        turn,
        f"Not done: this call waits for the approval of a person ({hold}). {reason} "
        "Tell the user so; do not try another way. Once approved, the same call will go through.",
    )


def _denied(turn: Turn, decision: Decision) -> str:
    reason = " ".join(decision.reasons) or "Not allowed for this user."
    return _told(turn, f"Denied by policy: {reason} Go on without this call, or tell the user that it can't be done.")


def _told(turn: Turn, text: str) -> str:
    return turn.app.hiding.reply(turn.place, text)


def _text(arguments: Mapping[str, Any]) -> str:
    """Whatever JSON can't hold is refused where the text is read strictly."""
    return json.dumps(dict(arguments))
