"""A passage on its way into a store and out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from numpy import float32
from numpy.typing import NDArray

from ringwall.core import DataError, Integrity, Label

from ..document import Access, Document, canonical, cite
from ..keys import Sealer


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that a principal may read, with what is known of it."""

    collection: str
    document: str
    version: int
    """Revision of the document."""
    ordinal: int
    title: str
    text: str
    score: float
    """Higher is better; comparable within one search only."""
    label: Label
    access: Access
    """The document's list as sealed with the passage: not what the query was filtered by."""
    contributor: str = ""
    """Subject of who put the document there; empty for passages indexed before this was kept."""
    origin: str = ""
    """Where the document came from, a path or URL; empty for passages indexed before this was kept."""

    @property
    def name(self) -> str:
        """``document:COLLECTION/ID@REVISION``, as the ledger cites it."""
        return cite(self.collection, self.document, self.version)


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A document hashed, sealed and embedded, ready to be written in one short transaction."""

    document: Document
    owner: str
    passages: "tuple[PreparedPassage, ...]"
    vectors: "NDArray[float32] | None" = None
    """A row for each passage, turned by the collection's key; None when it is searched by words alone."""


@dataclass(frozen=True, slots=True, repr=False)
class PreparedPassage:
    """One passage of it."""

    title: tuple[str, ...]
    """Keyed hashes of the words of title and heading, sorted."""
    body: tuple[str, ...]
    """Keyed hashes of the words of the text, sorted."""
    sealed: bytes


def seal_passage(envelope: Sealer, owner: str, document: Document, ordinal: int, text: str) -> bytes:
    """A passage with its access list and label, bound to its place."""
    payload = {
        "title": document.title,
        "text": text,
        "tenant": document.access.tenant,
        "roles": sorted(document.access.roles),
        "subjects": sorted(document.access.subjects),
        "sensitivity": sorted(document.sensitivity),
        "contributor": document.contributor,
        "origin": document.origin,
    }
    place = passage_place(document.collection, document.id, document.revision, ordinal)
    return envelope.seal(owner, canonical(payload), place)


def open_chunk(envelope: Sealer, row: Mapping[str, Any], score: float) -> Chunk:
    """The passage of a store's row (collection, document, revision, ordinal, owner, sealed). DataError when
    it was tampered with."""
    collection, document, revision = row["collection"], row["document"], row["revision"]
    place = passage_place(collection, document, revision, row["ordinal"])
    try:
        payload: dict[str, Any] = orjson.loads(envelope.open(row["owner"], row["sealed"], place))
    except DataError as error:
        raise DataError(f"Passage {place.decode()} of the index is damaged or erased: {error}") from error
    name = cite(collection, document, revision)
    return Chunk(
        collection=collection,
        document=document,
        version=revision,
        ordinal=row["ordinal"],
        title=payload["title"],
        text=payload["text"],
        score=score,
        label=Label(Integrity.UNTRUSTED, frozenset(payload["sensitivity"]), frozenset({name})),
        access=Access(payload["tenant"], frozenset(payload["roles"]), frozenset(payload["subjects"])),
        contributor=payload.get("contributor", ""),
        origin=payload.get("origin", ""),
    )


def passage_place(collection: str, document: str, revision: int, ordinal: int) -> bytes:
    """What a sealed passage is bound to."""
    return f"{cite(collection, document, revision)}#{ordinal}".encode()
