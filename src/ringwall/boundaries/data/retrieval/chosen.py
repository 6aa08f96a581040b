"""The store that the workload file asks for. It is opened before the file is read, and follows a reload."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ringwall.core import Principal

from ..document import Document
from ..settings import CollectionSettings, DataSection
from .chunk import Chunk, Prepared
from .installed import check_installed, check_store
from .settings import RetrievalSettings, StoreKind
from .store import Progress, RetrievalStore
from .within import Within

Opens = Mapping[StoreKind, Callable[[RetrievalSettings], RetrievalStore]]


class ChosenStore:
    """A RetrievalStore that hands everything on to the chosen one. Thread-safe."""

    def __init__(self, opens: Opens) -> None:
        """``opens``: how each kind is opened. The embedded one is there until another is asked for."""
        self._opens = opens
        self._settings = RetrievalSettings()
        self._store = opens["sqlite"](self._settings)

    @property
    def kind(self) -> StoreKind:
        return self._settings.kind

    def configure(
        self, collections: Mapping[str, CollectionSettings], retrieval: RetrievalSettings | None = None
    ) -> None:
        """As ``RetrievalStore.configure``; opens another store when the settings ask for one. ConfigError
        when it can't be had: the one before stays."""
        settings = retrieval or RetrievalSettings()
        check_installed(collections)
        if settings == self._settings or settings.kind == self._settings.kind == "sqlite":
            self._store.configure(collections, settings)
            self._settings = settings
            return
        opened = self.open(settings)
        opened.configure(collections, settings)
        before, self._store, self._settings = self._store, opened, settings
        before.close()

    def open(self, settings: RetrievalSettings) -> RetrievalStore:
        """A store of its own, for the caller to configure and to close."""
        check_store(settings)
        return self._opens[settings.kind](settings)

    def prepare(self, document: Document, owner: str) -> Prepared:
        return self._store.prepare(document, owner)

    def apply(self, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> None:
        self._store.apply(collection, put, removed)

    def search(
        self,
        principal: Principal,
        collections: Sequence[str],
        query: str,
        top_k: int = 4,
        within: Within | None = None,
    ) -> list[Chunk]:
        return self._store.search(principal, collections, query, top_k, within)

    def indexed(self, collection: str) -> list[str]:
        return self._store.indexed(collection)

    def missing(self, current: Mapping[tuple[str, str], int]) -> list[str]:
        return self._store.missing(current)

    def examine(self, documents: Sequence[Document]) -> list[str]:
        """See ``RetrievalStore``."""
        return self._store.examine(documents)

    def warm(self, progress: Progress | None = None) -> None:
        self._store.warm(progress)

    def close(self) -> None:
        self._store.close()


def check_retrieval(section: DataSection) -> None:
    """ConfigError when what the section asks for is not installed or not given: before anything is
    changed."""
    check_installed(section.collections)
    check_store(section.retrieval)
