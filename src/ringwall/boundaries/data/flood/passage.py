"""What the analysis of an index reads: passages, of which it needs five fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..document import Document
from ..passages import passages


class PassageLike(Protocol):
    """``index.Chunk`` is one."""

    @property
    def document(self) -> str:
        """Id of its document; revisions of a document share it."""

    @property
    def ordinal(self) -> int:
        """Which passage of the document it is, from 0."""

    @property
    def title(self) -> str:
        """Of the document; empty when it has none."""

    @property
    def text(self) -> str:
        """As it is given to a model."""

    @property
    def contributor(self) -> str:
        """Subject of whoever put the document there; empty when unknown."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that is in no index, or in another one."""

    document: str
    text: str
    ordinal: int = 0
    title: str = ""
    contributor: str = ""

    @property
    def name(self) -> str:
        """``DOCUMENT#ORDINAL``."""
        return name_of(self)


def name_of(passage: PassageLike) -> str:
    """``DOCUMENT#ORDINAL``: how a finding names a passage."""
    return f"{passage.document}#{passage.ordinal}"


def passages_of(document: Document, longest: int = 900) -> Iterator[Passage]:
    """The passages of a document as the index cuts it, ``longest`` characters at most."""
    for ordinal, piece in enumerate(passages(document.text, longest)):
        yield Passage(document.id, piece.text, ordinal, document.title, document.contributor)
