"""What collections give out, to whoever may read it: each document of an index as a record, and records."""

from collections.abc import Iterator

from ringwall.core import DataError, Principal

from .exports import Exported
from .governing import at_home
from .records.record import Form, Record, Source
from .settings import DataSection
from .training import TrainingSets
from .vault import Vault
from .versions import Version


class DocumentSource:
    """Documents of an index, under the same access lists as retrieval."""

    def __init__(self, section: DataSection, vault: Vault) -> None:
        self._section = section
        self._vault = vault

    def version(self, collection: str, number: int | None) -> Exported:
        return _asked(self._vault.versions(collection), collection, number)

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
            source = Source(
                origin=document.origin,
                contributor=document.contributor,
                process=document.process,
                contribution=document.contribution,
                at=document.at,
                licence=document.licence,
                consent=document.consent,
                signer=document.signer,
            )
            yield Record(
                document.name,
                fields,
                Form.TEXT,
                response=document.text,
                source=source,
                sensitivity=document.sensitivity | set(settings.sensitivity),
            )


class RecordSource:
    """Records of a training set, of one's own tenant where tenants are apart. Whether somebody may have them
    is otherwise the gate's to say: they have no access lists."""

    def __init__(self, section: DataSection, sets: TrainingSets) -> None:
        self._section = section
        self._sets = sets

    def version(self, collection: str, number: int | None) -> Exported:
        return _asked(self._sets.versions.all(collection), collection, number)

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        settings = self._section.collections[version.collection]
        for record in self._sets.records(version.collection, version.number):
            yield record if at_home(settings, frozenset({record.source.tenant}), principal) else None


def _asked(versions: list[Version], collection: str, number: int | None) -> Exported:
    found = [one for one in versions if number in (None, one.number)]
    if not found:
        asked = "no version yet" if number is None else f"no version {number}"
        raise DataError(f"Collection {collection} has {asked}.")
    return Exported(collection, found[-1].number, found[-1].root, found[-1].chain)
