"""What the gateway asks for passages."""

from collections.abc import Sequence
from typing import Protocol

from ringwall.core import Crossing, CrossingKind, Part, PartKind, Principal

from .index import Chunk, RetrievalStore
from .manifest import Manifest
from .retrieval.within import Within
from .settings import DataSection


class Current(Protocol):
    """What is needed of the vault."""

    def manifest(self, collection: str, version: int | None = None) -> Manifest: ...


class Retriever:
    """Search, and the crossing that the found passages make on their way out."""

    def __init__(self, index: RetrievalStore, section: DataSection, vault: Current) -> None:
        """``vault``: has the last word on what is current."""
        self._index = index
        self._section = section
        self._vault = vault

    def search(
        self,
        principal: Principal,
        collections: Sequence[str],
        query: str,
        top_k: int | None = None,
        within: Within | None = None,
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first; ``within``: only of these. ``top_k``
        defaults to the largest of the collections' own. DataError when a passage was tampered with."""
        own = [self._section.collections[name].top_k for name in collections if self._has(name)]
        if not own:
            return []
        most = max(own) if top_k is None else top_k
        found = self._index.search(principal, collections, query, most, within)
        return [chunk for chunk in found if self._current(chunk)]

    def readers_of(self, collection: str) -> frozenset[str]:
        """Roles that may read a collection; none of one that the workload does not have."""
        settings = self._section.collections.get(collection)
        return frozenset(settings.readers) if settings else frozenset()

    def _current(self, chunk: Chunk) -> bool:
        """Whether the vault holds this revision now. An index that somebody put back to an earlier one, or in
        which a removed document stands again, is not believed."""
        entry = self._vault.manifest(chunk.collection).find(chunk.document)
        return entry is not None and entry.revision == chunk.version

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
