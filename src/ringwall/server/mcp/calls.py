"""``tools/call``: judged like every tool call of this workload, then run at the server, its result judged."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, assert_never

from ringwall.boundaries.application.mcp.answer import Picture, Piece, Resource
from ringwall.boundaries.application.mcp.approved import McpBound
from ringwall.boundaries.application.mcp.upstream import Asker, McpFault, Progress
from ringwall.core import Part, new_id
from ringwall.wire.chat_parts import tool_call_part

from .. import refusals
from ..calls import Denied, Held, Judged, Permitted, judge, settle, taken
from .caller import Caller, McpTurn
from .results import Passed, pass_result

if TYPE_CHECKING:
    from mcp.types import CallToolResult

UNKNOWN = "There is no such tool here, or it waits for an operator's approval. Use one of the tools offered."


async def call(
    caller: Caller,
    turn: McpTurn,
    name: str,
    arguments: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    asker: Asker | None = None,
) -> "CallToolResult":
    """Every outcome is a result that the client's model can read; refusals and failures are errors."""
    bound = caller.app.mcp.tools.find(caller.server, name)
    if bound is None or bound.name not in caller.app.application.tools:
        await judge(turn, _part(f"{caller.server}__{_safe(name)}", arguments), 0)
        return said(UNKNOWN)
    judged = await _judged(turn, _made(turn, bound, arguments))
    if not isinstance(judged, Permitted):
        return _refused(turn, judged)
    if not _approval_used(turn, judged):
        turn.app.breakers.left_out(turn.id, judged.part)
        return said(refusals.USED)
    passed = await _run(caller, turn, bound, judged.part, progress, asker)
    if judged.changed:
        note = turn.app.hiding.reply(turn.place, refusals.changed(judged.part.text))
        passed = Passed((note, *passed.pieces), passed.structured, passed.failed)
    return _result(passed)


async def _judged(turn: McpTurn, part: Part) -> Judged:
    """After the time that a person has for a decision."""
    judged = await judge(turn, part, 0)
    if isinstance(judged, Held) and turn.app.holds.wait_s > 0:
        judged = await settle(turn, judged, turn.app.holds.wait_s)
    return await taken(turn, judged) if isinstance(judged, Permitted) else judged


def _approval_used(turn: McpTurn, judged: Permitted) -> bool:
    """One that came with the call from the chat endpoint is good for one call; False when it is gone."""
    if not judged.released:
        return True
    return turn.app.facts.use_approval(turn.session, judged.part.name, judged.part.data)


def _refused(turn: McpTurn, judged: Held | Denied) -> "CallToolResult":
    """What was refused and why, in a form that model and user can act on."""
    if isinstance(judged, Held):
        turn.held.append(judged.hold.id)
    return said(turn.app.hiding.reply(turn.place, judged.told))


async def _run(
    caller: Caller, turn: McpTurn, bound: McpBound, part: Part, progress: Progress | None, asker: Asker | None
) -> Passed:
    app = turn.app
    await turn.recorder.tool_called(turn.principal, app.application.name, turn.session, turn.id, part)
    turn.left = True
    app.breakers.made(turn.id, part)
    try:
        answer = await app.mcp.call(
            bound, part.data, caller.owner, progress=progress, asker=asker, decide=turn.let_out
        )
    except McpFault as fault:
        return Passed((str(fault),), failed=True)
    passed = await pass_result(turn, answer, app.tool_label(bound.name), bound.name, part.ref)
    app.seen.remember(turn.session, turn.content)
    if bound.output is not None and answer.structured is not None and passed.structured is None:
        # A client may refuse a result without what the tool promises: as an error it is read all the same.
        return Passed(passed.pieces, None, failed=True)
    return passed


def _made(turn: McpTurn, bound: McpBound, arguments: Mapping[str, Any]) -> Part:
    """The call with the values that its tool will be given: policy judges those, not their placeholders."""
    text = turn.app.hiding.arguments(turn.place, bound.name, _text(arguments), here=True)
    return tool_call_part(new_id("call"), bound.name, text)


def _part(name: str, arguments: Mapping[str, Any]) -> Part:
    return tool_call_part(new_id("call"), name, _text(arguments))


def _text(arguments: Mapping[str, Any]) -> str:
    """Whatever JSON can't hold is refused where the text is read strictly."""
    return json.dumps(dict(arguments))


def _safe(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:64]


def _result(passed: Passed) -> "CallToolResult":
    from mcp.types import CallToolResult  # noqa: PLC0415

    return CallToolResult(
        content=[_block(piece) for piece in passed.pieces],
        structured_content=passed.structured,
        is_error=passed.failed,
    )


def _block(piece: Piece) -> Any:
    from mcp.types import EmbeddedResource, ImageContent, TextContent, TextResourceContents  # noqa: PLC0415

    match piece:
        case str():
            return TextContent(type="text", text=piece)
        case Picture():
            return ImageContent(type="image", data=piece.data, mime_type=piece.kind)
        case Resource():
            held = TextResourceContents(uri=piece.uri, mime_type=piece.kind, text=piece.text)
            return EmbeddedResource(type="resource", resource=held)
        case _:
            assert_never(piece)


def said(text: str) -> "CallToolResult":
    """A refusal or a failure, for the client's model."""
    return _result(Passed((text,), failed=True))
