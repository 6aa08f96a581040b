"""What every store of passages does. The access list is enforced inside it, in the query."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ringwall.core import Principal

from ..document import Document
from ..settings import CollectionSettings
from .chunk import Chunk, Prepared
from .settings import RetrievalSettings
from .within import Within

Progress = Callable[[int, int], None]
"""Called with how many documents are done, and of how many."""


class RetrievalStore(Protocol):
    """Thread-safe; several processes may use the same one."""

    def configure(
        self, collections: Mapping[str, CollectionSettings], retrieval: RetrievalSettings | None = None
    ) -> None:
        """Make the access tables say what the workload file says. A collection that it no longer names can't
        be read by anybody. ConfigError when a collection asks for what is not installed."""

    def prepare(self, document: Document, owner: str) -> Prepared:
        """The slow part of adding a document, to be done outside the transaction. DataError when it is
        refused."""

    def apply(self, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> None:
        """Replace and remove documents, all or nothing. Called inside a transaction of the vault."""

    def search(
        self,
        principal: Principal,
        collections: Sequence[str],
        query: str,
        top_k: int = 4,
        within: Within | None = None,
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first; ``within``: only of these.

        ``query`` is any text: only its words and its meaning count. DataError when a returned row was
        tampered with.
        """

    def indexed(self, collection: str) -> list[str]:
        """Ids of the documents that it holds of a collection."""

    def missing(self, current: Mapping[tuple[str, str], int]) -> list[str]:
        """Where the store and the vault's current revisions differ, or a vector is wanting:
        ``collection/id`` of each."""

    def examine(self, documents: Sequence[Document]) -> list[str]:
        """What is wrong with what it holds of each of some documents of one collection, in their order; empty
        where nothing is, or where ``missing`` tells it."""

    def warm(self, progress: Progress | None = None) -> None:
        """Do now what the first search would have to wait for. DataError as ``search``."""

    def close(self) -> None:
        """Let go of connections and memory."""
