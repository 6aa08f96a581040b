"""Passages on their way out of a collection: found, decided, treated. One path, whoever asked for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringwall.boundaries.application.spotlight import unframed
from ringwall.boundaries.data.index import Chunk
from ringwall.boundaries.data.retrieve import chunk_part
from ringwall.core import Action, CrossingKind, Decision, Part, PartKind, apply_edits

from .state import Turn


@dataclass(frozen=True, slots=True)
class Passage:
    """One that the gate let through."""

    chunk: Chunk
    """As it was found."""
    part: Part
    """As the gate left it."""
    told: bool = True
    """Whether what was to be told beside it may be."""
    notes: tuple[str, ...] = ()
    """Rules of what controls noted of it: the response's controls read them."""

    @property
    def plain(self) -> dict[str, Any]:
        """What the embedded models and the response's controls need of it."""
        chunk = self.chunk
        return {
            "collection": chunk.collection,
            "document": chunk.document,
            "title": chunk.title,
            "text": self.part.text,
            **({"notes": list(self.notes)} if self.notes else {}),
        }


async def let_through(
    turn: Turn,
    chunks: Sequence[Chunk],
    context: Mapping[str, Any],
    beside: Sequence[str] = (),
    *,
    told: bool = False,
) -> list[Passage]:
    """Those that the gate lets pass, edited as it says; none when it stops the retrieval. The turn is shown
    them.

    ``told``: whoever asked for passages is told that they were stopped (WireError); a conversation goes on
    without them.
    ``beside``: what goes with each chunk (its attributes), as text; it is judged like the chunk's own, and
    goes whole or not at all.
    """
    if not chunks:
        return []
    parts = [chunk_part(chunk) for chunk in chunks]
    with_more = [index for index, text in enumerate(beside) if text]
    asked = [*parts, *(_beside(parts[index], beside[index]) for index in with_more)]
    decision = await turn.decide(turn.crossing(CrossingKind.RETRIEVAL, asked, context))
    if told:
        turn.refuse_if_stopped(decision)
    if decision.action >= Action.HOLD:
        return []
    edits = decision.joined.edits
    dropped = {edit.part for edit in edits if edit.drop}
    touched = {with_more[edit.part - len(parts)] for edit in edits if edit.part >= len(parts)}
    kept = [
        Passage(chunks[index], left_of(part, index, decision), index not in touched, _noted(decision, index))
        for index, part in enumerate(parts)
        if index not in dropped
    ]
    turn.show(passage.part for passage in kept)
    return kept


def _noted(decision: Decision, index: int) -> tuple[str, ...]:
    return tuple(sorted({found.rule for found in decision.joined.findings if found.part == index}))


def _beside(part: Part, text: str) -> Part:
    """No passage of its own: neither counted nor cited as one."""
    return replace(part, kind=PartKind.TEXT, text=text, ref="")


def left_of(part: Part, index: int, decision: Decision) -> Part:
    """A part as a decision left it."""
    edits = [edit for edit in decision.joined.edits if edit.part == index]
    if not edits:
        return part
    # Not with its marks: what a client sends again is to be known again.
    text = "" if any(edit.drop for edit in edits) else unframed(part.text, apply_edits(part.text, edits))
    return Part(part.kind, text, part.label, part.role, part.name, part.data, part.ref, part.fresh)
