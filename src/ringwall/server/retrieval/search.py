"""Search of an application's collections: through the store's access list, then through the gate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringwall.boundaries.data.corroboration import SHARE, SINGLE
from ringwall.boundaries.data.index import Chunk
from ringwall.boundaries.data.library import About
from ringwall.boundaries.data.library import facts as document_facts
from ringwall.boundaries.data.uploads.attached import Attributes
from ringwall.core import USER, CrossingKind, Label, Part, PartKind, Principal
from ringwall.wire.errors import WireError
from ringwall.wire.vector_stores import SearchCall
from ringwall.workload.site import ApplicationSite

from ..turn.retrieval import Passage, left_of, let_through
from ..turn.state import Turn
from .filtered import fitting


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as it may be shown, with what is known of it."""

    passage: Passage
    text: str
    """Marked as data, the way the application shows it to its models."""
    score: float
    """From 0 to 1, as a share of the best passage of this search."""
    about: About

    @property
    def name(self) -> str:
        """File name; the document's id where what was said of it must not be told."""
        return self.about.name if self.passage.told else self.passage.chunk.document

    @property
    def attributes(self) -> Attributes:
        """Citation, origin and labels of the passage, with what its contributor said of the file."""
        said = self.about.attributes if self.passage.told else {}
        return {**facts(self.passage, self.about), **said, **self.borne_out}

    @property
    def borne_out(self) -> dict[str, str]:
        """``corroboration``, where ``data.corroboration`` noted that too few stand behind it."""
        noted = [rule for rule in (SINGLE, SHARE) if rule in self.passage.notes]
        return {"corroboration": noted[0]} if noted else {}


async def admit(
    turn: Turn, queries: Sequence[str], *, address: str = "", label: Label = USER
) -> tuple[str, ...]:
    """The request as a crossing: identity, roles, quota, containment, and what is asked. The queries as the
    gate left them. Raises WireError where it stops them.

    Queries are no content of the session: a model may have written them, and what it asks for is nobody's
    word.
    """
    parts = [Part(PartKind.TEXT, query, label, "user") for query in queries]
    size = sum(map(len, queries))
    crossing = turn.crossing(
        CrossingKind.REQUEST,
        parts,
        {
            "depth": 1,
            "messages": len(parts),
            "prompt_chars": size,
            "estimated_tokens": size // 4,
            "address": address,
        },
    )
    decision = await turn.decide(crossing)
    turn.refuse_if_stopped(decision)
    return tuple(left_of(part, index, decision).text for index, part in enumerate(parts))


async def search(turn: Turn, collections: Sequence[str], call: SearchCall) -> list[Found]:
    """The best passages of these collections that the principal may read and that the gate lets pass. Raises
    WireError where it stops them all."""
    within = await asyncio.to_thread(fitting, turn, collections, call.filter) if call.filter else None
    found: dict[str, tuple[float, Chunk]] = {}
    for query in call.queries:
        chunks = await turn.app.retrieve(turn.principal, query, collections, call.most, within)
        for score, chunk in _scored(chunks):
            key = f"{chunk.name}#{chunk.ordinal}"
            if key not in found or found[key][0] < score:
                found[key] = (score, chunk)
    best = sorted(found.values(), key=lambda pair: -pair[0])
    shown = (await asyncio.to_thread(_known, turn, call, best))[: call.most]
    chunks = [chunk for _, chunk, _ in shown]
    context = {"query_chars": sum(map(len, call.queries)), "collections": list(collections)}
    beside = [told(about) for _, _, about in shown]
    kept = await let_through(turn, chunks, context, beside, told=True)
    await turn.committed()
    turn.left = turn.left or bool(kept)
    by_chunk = {id(chunk): (score, about) for score, chunk, about in shown}
    return [
        Found(passage, turn.lit(passage.part, passage.part.text), *by_chunk[id(passage.chunk)])
        for passage in kept
    ]


def facts(passage: Passage, about: About) -> dict[str, Any]:
    """What the gateway itself knows of a passage."""
    known = _facts(passage.chunk, about)
    return known if passage.told else {**known, "origin": "withheld"}


def told(about: About) -> str:
    """What a contributor said of a file, for the gate."""
    said = [f"{key}: {value}" for key, value in about.attributes.items()]
    return "\n".join((about.origin, about.name, *said))


def _scored(chunks: Sequence[Chunk]) -> list[tuple[float, Chunk]]:
    best = max((chunk.score for chunk in chunks), default=0.0)
    if best <= 0:
        return [(1.0, chunk) for chunk in chunks]
    return [(min(1.0, max(0.0, chunk.score / best)), chunk) for chunk in chunks]


def _known(
    turn: Turn, call: SearchCall, found: Sequence[tuple[float, Chunk]]
) -> list[tuple[float, Chunk, About]]:
    """Without those that were changed since they were found, or that are too far from the best."""
    known = []
    for score, chunk in found:
        about = turn.app.library.about(chunk.collection, chunk.document, chunk.version)
        fits = about is not None and (call.filter is None or call.filter.fits(_all(chunk, about)))
        if about is not None and fits and score >= call.threshold:
            known.append((score, chunk, about))
    return known


def _all(chunk: Chunk, about: About) -> Attributes:
    return {**about.attributes, **_facts(chunk, about)}


def _facts(chunk: Chunk, about: About) -> dict[str, Any]:
    sensitivity = ",".join(sorted(chunk.label.sensitivity))
    return {
        **document_facts(chunk.name, about.origin, sensitivity),
        "title": chunk.title,
        "passage": chunk.ordinal,
    }


def readable(app: ApplicationSite, principal: Principal) -> list[str]:
    """Collections of the application that the principal may read."""
    return [
        name
        for name in app.application.collections
        if not principal.roles.isdisjoint(app.retriever.readers_of(name))
    ]


def require_open(turn: Turn, collection: str) -> None:
    """Raises WireError (404) for a collection that the application does not use, or that the principal may
    not read: whoever may not read it does not learn whether it is there."""
    if collection not in readable(turn.app, turn.principal):
        raise no_store(collection)


def no_store(collection: str) -> WireError:
    return WireError(
        404, f"There is no vector store {collection[:64]!r} here.", "not_found", "vector_store_id"
    )
