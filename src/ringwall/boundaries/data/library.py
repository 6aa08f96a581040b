"""What may be told of documents beside the passages that a search finds: whole texts, origins, file ids.

Everything here asks the document's own access list first. The id under which a document goes as a file is a
keyed hash, so that it can't be guessed; whoever has one is checked all the same.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ringwall.core import Integrity, Principal

from .document import Access, cite
from .index import Chunk
from .keys import CollectionKeys
from .manifest import Entry, Manifest
from .passages import passages
from .settings import DataSection
from .uploads.attached import Attached, Attachments, Attributes, State
from .vault import Vault

_KEPT = 32
_TITLES = 50_000


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one revision of a document."""

    file: str
    """Id under which it goes as a file."""
    name: str
    """File name."""
    origin: str
    at: int
    """When it was contributed, in microseconds since the epoch, UTC."""
    attributes: Attributes
    """What its contributor said of it: untrusted like its text."""


@dataclass(slots=True)
class _Known:
    """One version of a collection, by id; by file id once somebody asks."""

    entries: Mapping[str, Entry]
    files: dict[str, str] = field(default_factory=dict)


class Library:
    """Over the vault's current versions. Thread-safe."""

    def __init__(
        self, vault: Vault, keys: CollectionKeys, attachments: Attachments, section: DataSection
    ) -> None:
        self._vault = vault
        self._keys = keys
        self._attachments = attachments
        self._section = section
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._titles: OrderedDict[str, str] = OrderedDict()
        """By blob; asked only of documents that a current version names."""
        self._lock = threading.Lock()

    def about(self, collection: str, document: str, revision: int) -> About | None:
        """Of a document that was found for somebody who may read it. None when the vault has another revision
        by now."""
        entry = self._of(collection).entries.get(document)
        if entry is None or entry.revision != revision:
            return None
        return self._about(collection, entry, self._attachments.of_document(collection, document))

    def readable(self, principal: Principal, collection: str) -> list[Entry]:
        """The current documents that the principal may read."""
        settings = self._section.collections.get(collection)
        if settings is None:
            return []
        entries = self._of(collection).entries.values()
        return [entry for entry in entries if _access(entry).admits(principal, settings)]

    def listed(self, principal: Principal, collection: str) -> Iterator[tuple[str, Attributes]]:
        """The current documents that the principal may read, with what is told of all their passages but the
        title."""
        attached = {one.document: one for one in self._attachments.of_collection(collection)}
        for entry in self.readable(principal, collection):
            about = self._about(collection, entry, attached.get(entry.id))
            sensitivity = ",".join(sorted(entry.sensitivity))
            own = facts(cite(collection, entry.id, entry.revision), about.origin, sensitivity)
            yield entry.id, {**about.attributes, **own}

    def title(self, collection: str, document: str) -> str:
        """Of a document that the principal may read; empty when it is there no more. DataError when it was
        tampered with."""
        entry = self._of(collection).entries.get(document)
        if entry is None:
            return ""
        with self._lock:
            known = self._titles.get(entry.blob)
        if known is None:
            known = self._vault.open(collection, entry).title
            with self._lock:
                self._titles[entry.blob] = known
                while len(self._titles) > _TITLES:
                    self._titles.popitem(last=False)
        return known

    def named(self, principal: Principal, collection: str, file: str) -> str | None:
        """The document that goes by this file id and that the principal may read."""
        known = self._of(collection)
        if not known.files:
            known.files = {self._file(collection, name): name for name in known.entries}
        document = known.files.get(file)
        if document is None:
            attached = self._attachments.anybodys(collection, file)
            entry = known.entries.get(attached.document) if attached else None
            document = entry.id if attached and entry and _made(attached, entry) else None
        return document if document and self._entry(principal, collection, document) else None

    def chunks(
        self, principal: Principal, collection: str, document: str, first: int, most: int
    ) -> tuple[list[Chunk], int]:
        """Passages ``first`` and following of a document that the principal may read, and how many it has.
        Empty for any other. DataError when it was tampered with."""
        entry = self._entry(principal, collection, document)
        if entry is None:
            return [], 0
        found = self._vault.open(collection, entry)
        if not found.access.admits(principal, self._section.collections[collection]):
            return [], 0
        cut = passages(found.text, self._section.collections[collection].chunk_chars)
        chunks = [
            Chunk(
                collection=collection,
                document=document,
                version=found.revision,
                ordinal=ordinal,
                title=found.title,
                text=passage.text,
                score=1.0,
                label=found.label,
                access=found.access,
                contributor=found.contributor,
                origin=found.origin,
            )
            for ordinal, passage in enumerate(cut[first : first + most], first)
        ]
        return chunks, len(cut)

    def current(self, attached: Attached) -> bool:
        """Whether what was attached is what the collection holds."""
        entry = self._of(attached.collection).entries.get(attached.document)
        return entry is not None and _made(attached, entry)

    def _entry(self, principal: Principal, collection: str, document: str) -> Entry | None:
        """Of a document that the principal may read."""
        settings = self._section.collections.get(collection)
        entry = self._of(collection).entries.get(document) if settings else None
        return entry if settings and entry and _access(entry).admits(principal, settings) else None

    def _about(self, collection: str, entry: Entry, attached: Attached | None) -> About:
        if attached is None or not _made(attached, entry):
            name = entry.origin.replace("\\", "/").rstrip("/").rpartition("/")[2] or entry.id
            return About(self._file(collection, entry.id), name, entry.origin, entry.at, {})
        return About(attached.file, attached.name, entry.origin, entry.at, attached.attributes)

    def _file(self, collection: str, document: str) -> str:
        return f"file-{self._keys.digest(collection, 'file id', document.encode())[:16].hex()}"

    def _of(self, collection: str) -> _Known:
        manifest: Manifest = self._vault.manifest(collection)
        key = (collection, manifest.version)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = _Known({entry.id: entry for entry in manifest.entries})
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
            return known


def facts(citation: str, origin: str, sensitivity: str) -> dict[str, str]:
    """What is told of every passage of a document."""
    integrity = Integrity.UNTRUSTED.name.lower()  # of all that is contributed
    return {"citation": citation, "origin": origin, "integrity": integrity, "sensitivity": sensitivity}


def _access(entry: Entry) -> Access:
    return Access(entry.tenant, frozenset(entry.roles), frozenset(entry.subjects))


def _made(attached: Attached, entry: Entry) -> bool:
    """Whether this revision came from that upload: by the same person, at that time."""
    same = attached.owner == (entry.tenant, entry.contributor)
    return same and attached.state in (State.STORED, State.HELD) and attached.at <= entry.at <= attached.done
