"""What the gateway asks for passages."""

from collections.abc import Sequence

from ringwall.core import Crossing, CrossingKind, Part, PartKind, Principal

from .index import Chunk, RetrievalStore
from .settings import DataSection


class Retriever:
    """Search, and the crossing that the found passages make on their way out."""

    def __init__(self, index: RetrievalStore, section: DataSection) -> None:
        self._index = index
        self._section = section

    def search(
        self, principal: Principal, collections: Sequence[str], query: str, top_k: int | None = None
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first. ``top_k`` defaults to the largest of the
        collections' own. DataError when a passage was tampered with."""
        own = [self._section.collections[name].top_k for name in collections if self._has(name)]
        if not own:
            return []
        return self._index.search(principal, collections, query, max(own) if top_k is None else top_k)

    def readers_of(self, collection: str) -> frozenset[str]:
        """Roles that may read a collection; none of one that the workload does not have."""
        settings = self._section.collections.get(collection)
        return frozenset(settings.readers) if settings else frozenset()

    def _has(self, name: str) -> bool:
        return name in self._section.collections


def chunk_part(chunk: Chunk) -> Part:
    """A passage as a part, with what the controls of this boundary re-check."""
    return Part(
        PartKind.DOCUMENT,
        chunk.text,
        chunk.label,
        name=chunk.title,
        data={
            "collection": chunk.collection,
            "document": chunk.document,
            "version": chunk.version,
            "ordinal": chunk.ordinal,
            "readers": sorted(chunk.access.roles),
            "subjects": sorted(chunk.access.subjects),
            "tenant": chunk.access.tenant,
            "contributor": chunk.contributor,
            "score": chunk.score,
        },
        ref=f"{chunk.name}#{chunk.ordinal}",
    )


def retrieval(
    principal: Principal,
    chunks: Sequence[Chunk],
    *,
    application: str = "",
    session: str = "",
    endpoint: str = "",
) -> Crossing:
    """The crossing of passages on their way to a model. Parts that the decision drops must not go on."""
    return Crossing(
        CrossingKind.RETRIEVAL,
        principal,
        tuple(chunk_part(chunk) for chunk in chunks),
        application=application,
        session=session,
        endpoint=endpoint,
    )
