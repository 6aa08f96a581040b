"""Fill a store from what the vault holds now: after damage, new settings, or a move to another store."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from ringwall.core import DataError
from ringwall.storage.database import Database

from ..document import Document
from ..manifest import Entry, Manifest
from .chunk import Prepared
from .store import Progress, RetrievalStore

_BATCH = 64
_PASSES = 5


class Source(Protocol):
    """What is needed of the vault."""

    def manifest(self, collection: str, version: int | None = None) -> Manifest: ...

    def open(self, collection: str, entry: Entry) -> Document: ...


def rebuild(
    source: Source, db: Database, store: RetrievalStore, collection: str, progress: Progress | None = None
) -> int:
    """Put every current document of a collection into the store anew, and take out what is none; the number
    of documents. Searches and commits go on meanwhile: what they change is put right at the end.

    Raises DataError when a document can't be read, or others keep changing the collection.
    """
    manifest = source.manifest(collection)
    done = 0
    for batch in _batches(manifest.entries):
        _put(source, db, store, collection, batch)
        done += len(batch)
        if progress:
            progress(done, len(manifest.entries))
    for _ in range(_PASSES):
        current = {entry.id: entry for entry in source.manifest(collection).entries}
        wrong = _differing(store, collection, current)
        if not wrong:
            return len(current)
        for batch in _batches([current[name] for name in wrong if name in current]):
            _put(source, db, store, collection, batch)
        _drop(source, db, store, collection, [name for name in wrong if name not in current])
    raise DataError(f"Collection {collection} is being changed by others all the time: try again.")


def _differing(store: RetrievalStore, collection: str, current: dict[str, Entry]) -> list[str]:
    places = store.missing({(collection, entry.id): entry.revision for entry in current.values()})
    return [place.partition("/")[2] for place in places if place.startswith(f"{collection}/")]


def _put(
    source: Source, db: Database, store: RetrievalStore, collection: str, entries: Sequence[Entry]
) -> None:
    """What was superseded while it was being prepared stays out: its successor is in already."""
    made: list[tuple[Entry, Prepared]] = [
        (entry, store.prepare(source.open(collection, entry), entry.owner)) for entry in entries
    ]
    with db.transaction():
        now = {entry.id: entry.revision for entry in source.manifest(collection).entries}
        still = [prepared for entry, prepared in made if now.get(entry.id) == entry.revision]
        store.apply(collection, still, [])


def _drop(
    source: Source, db: Database, store: RetrievalStore, collection: str, documents: Sequence[str]
) -> None:
    with db.transaction():
        now = {entry.id for entry in source.manifest(collection).entries}
        store.apply(collection, [], [document for document in documents if document not in now])


def _batches(entries: Iterable[Entry]) -> Iterable[Sequence[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, _BATCH)):
        yield batch
