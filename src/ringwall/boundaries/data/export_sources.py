"""What collections give out: documents of an index to whoever may read them, records of a training set."""

from collections.abc import Iterator

from ringwall.core import DataError, Principal

from .exports import Exported
from .records.record import Form, Record, Source
from .settings import DataSection
from .training.sets import TrainingSets
from .vault import Vault
from .versions import Versions


class DocumentSource:
    """Documents of an index, under the same access lists as retrieval."""

    def __init__(self, section: DataSection, vault: Vault) -> None:
        self._section = section
        self._vault = vault

    def version(self, collection: str, number: int | None) -> Exported:
        return _exported(collection, self._vault.lines.versions, number)

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        settings = self._section.collections[version.collection]
        for entry in self._vault.manifest(version.collection, version.number).entries:
            document = self._vault.open(version.collection, entry)
            if not document.access.admits(principal, settings):
                yield None
                continue
            fields = {
                "id": document.name,
                "title": document.title,
                "text": document.text,
                "origin": document.origin,
                "contributor": document.contributor,
                "at": document.at,
                "sensitivity": sorted(document.sensitivity),
            }
            source = Source(origin=document.origin, contributor=document.contributor, at=document.at)
            yield Record(
                document.name,
                fields,
                Form.TEXT,
                response=document.text,
                source=source,
                sensitivity=document.sensitivity | set(settings.sensitivity),
            )


class TrainingSource:
    """Records of a training set: all of them, to whoever may export it."""

    def __init__(self, sets: TrainingSets) -> None:
        self._sets = sets

    def version(self, collection: str, number: int | None) -> Exported:
        return _exported(collection, self._sets.versions, number)

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        yield from self._sets.records(version.collection, version.number)


def _exported(collection: str, versions: Versions, number: int | None) -> Exported:
    found = versions.head(collection) if number is None else versions.get(collection, number)
    if found is None:
        raise DataError(f"Collection {collection} has no version yet.")
    return Exported(collection, found.number, found.root, found.chain)
