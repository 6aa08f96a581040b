"""A document read whole, passage by passage: the same access list, the same gate as a search."""

import asyncio
from dataclasses import dataclass, replace

from ringwall.boundaries.data.library import About

from ..turn.retrieval import Passage, let_through
from ..turn.state import Turn
from .search import facts, told

PAGE = 100
"""Passages of one answer."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Some passages of a document that the gate let through."""

    passages: tuple[Passage, ...]
    about: About
    title: str
    more: int
    """Number of the passage that comes next; 0 after the last."""

    @property
    def name(self) -> str:
        return self.passages[0].chunk.name

    @property
    def attributes(self) -> dict[str, str | float | bool]:
        first = self.passages[0]
        known = {key: value for key, value in facts(first, self.about).items() if key != "passage"}
        return {**known, **(self.about.attributes if first.told else {})}

    def text(self, turn: Turn) -> str:
        """All of it, marked as data once."""
        whole = "\n\n".join(passage.chunk.text for passage in self.passages)
        left = "\n\n".join(passage.part.text for passage in self.passages)
        return turn.lit(replace(self.passages[0].part, text=whole), left)


async def read(turn: Turn, collection: str, document: str, first: int = 0) -> Pages | None:
    """From passage ``first`` on. None when there is nothing that the principal may be shown, for whatever
    reason. Raises WireError where the gate stops it as a whole."""
    library = turn.app.library
    chunks, count = await asyncio.to_thread(library.chunks, turn.principal, collection, document, first, PAGE)
    about = library.about(collection, document, chunks[0].version) if chunks else None
    if not about:
        return None
    beside = [told(about), *[""] * (len(chunks) - 1)]
    context = {"query_chars": 0, "collections": [collection]}
    kept = await let_through(turn, chunks, context, beside, told=True)
    await turn.committed()
    turn.left = turn.left or bool(kept)
    if not kept:
        return None
    after = first + len(chunks)
    return Pages(tuple(kept), about, chunks[0].title, after if after < count else 0)
