"""A server's answer through the gate: every text a part of one crossing, no channel past it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringwall.boundaries.application.mcp.answer import Answer, Piece, Resource, text_of, with_text
from ringwall.core import Action, CrossingKind, Edit, Label, Part, PartKind, apply_edits

from .. import refusals
from ..turn.state import Turn

_WITHHELD = "withheld:"
"""In the place of an address that the gate did not leave as it was."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What may go to the client."""

    pieces: tuple[Piece, ...]
    structured: Any = None
    failed: bool = False
    """Whether the client is told that it is an error."""


async def pass_result(turn: Turn, answer: Answer, label: Label, tool: str, ref: str) -> Passed:
    """Judge and treat an answer. What the client is given is remembered as content of the session."""
    read = [text_of(piece) for piece in answer.pieces]
    texts = [index for index, text in enumerate(read) if text is not None]
    parts = [_part(read[index] or "", label, tool, ref) for index in texts]
    addressed = {index: piece for index, piece in enumerate(answer.pieces) if isinstance(piece, Resource)}
    parts += [_part(piece.uri, label, tool, ref) for piece in addressed.values()]
    if answer.structured is not None:
        parts.append(_part(json.dumps(answer.structured, ensure_ascii=False), label, tool, ref))
    if not parts:
        parts = [_part("", label, tool, ref)]
    decision = await turn.decide(turn.crossing(CrossingKind.TOOL_RESULT, parts))
    await turn.committed()
    if decision.action >= Action.HOLD:
        return Passed((refusals.WITHHELD,), failed=True)
    edits = decision.joined.edits
    pieces = list(answer.pieces)
    for number, index in enumerate(texts):
        treated = _treated(parts[number].text, [edit for edit in edits if edit.part == number])
        pieces[index] = with_text(pieces[index], treated)
    for number, (index, piece) in enumerate(addressed.items(), len(texts)):
        left = "" if _taken_out([edit for edit in edits if edit.part == number]) else piece.uri
        pieces[index] = replace(piece, uri=left or _WITHHELD, text=text_of(pieces[index]) or "")
    structured = None
    if answer.structured is not None:
        last = len(parts) - 1
        structured = _treated_json(parts[last].text, [edit for edit in edits if edit.part == last])
    turn.show(part for part in parts if part.text)
    return Passed(tuple(piece for piece in pieces if text_of(piece) != ""), structured, answer.failed)


def _part(text: str, label: Label, tool: str, ref: str) -> Part:
    return Part(PartKind.TOOL_RESULT, text, label, "tool", tool, ref=ref)


def _treated(text: str, edits: Sequence[Edit]) -> str:
    return "" if any(edit.drop for edit in edits) else apply_edits(text, edits)


def _taken_out(edits: Sequence[Edit]) -> bool:
    """Whether more than marks were put in."""
    return any(edit.drop or edit.start < edit.end for edit in edits)


def _treated_json(text: str, edits: Sequence[Edit]) -> Any:
    """Marks that are put around a text have no place in JSON; what takes something out is carried out. What
    is no JSON after that is left out."""
    if any(edit.drop for edit in edits):
        return None
    try:
        return json.loads(apply_edits(text, [edit for edit in edits if edit.start < edit.end]))
    except ValueError:
        return None
