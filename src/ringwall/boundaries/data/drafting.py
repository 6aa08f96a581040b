"""What a change makes of a version of documents: sealed revisions, entries, and what of it is indexed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ringwall.core import DataError, new_id
from ringwall.storage.blobs import BlobStore, put_all

from .changes import Touched
from .document import Document, check_id, cite
from .index import Prepared, RetrievalStore
from .keys import CollectionKeys, Sealer
from .manifest import Entry
from .names import base
from .revisions import Revisions
from .tree import Tree
from .versions import is_branch


@dataclass(frozen=True, slots=True)
class _Draft:
    """A revision that is about to be stored."""

    document: Document
    owner: str
    fingerprint: str

    def entry(self, blob: str) -> Entry:
        document = self.document
        return Entry(
            id=document.id,
            revision=document.revision,
            owner=self.owner,
            blob=blob,
            fingerprint=self.fingerprint,
            contributor=document.contributor,
            at=document.at,
            origin=document.origin,
            tenant=document.access.tenant,
            roles=tuple(sorted(document.access.roles)),
            subjects=tuple(sorted(document.access.subjects)),
            sensitivity=tuple(sorted(document.sensitivity)),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that can be published."""

    put: tuple[Entry, ...]
    """Entries that are new or replaced."""
    indexed: tuple[Prepared, ...]
    added: tuple[str, ...]
    """Cited names of ``put``."""
    gone: tuple[str, ...]
    """Cited names of what is no longer in it."""
    removed: tuple[str, ...]
    """Ids of documents that leave."""
    fresh: tuple[Entry, ...] = ()
    """Those of ``put`` that are new revisions."""


class Drafting:
    """Seals documents and opens them; nothing of what it stores is part of a version until that is
    published. Thread-safe."""

    def __init__(
        self,
        blobs: BlobStore,
        envelope: Sealer,
        keys: CollectionKeys,
        index: RetrievalStore,
        revisions: Revisions,
    ) -> None:
        self._blobs = blobs
        self._envelope = envelope
        self._keys = keys
        self._index = index
        self._revisions = revisions

    def open(self, collection: str, entry: Entry) -> Document:
        """Decrypt the document of an entry. DataError, naming it, when it is missing, damaged or erased."""
        name = cite(base(collection), entry.id, entry.revision)
        try:
            raw = self._envelope.open(entry.owner, self._blobs.get(entry.blob), name.encode())
        except DataError as error:
            raise DataError(f"{name} can't be read: {error}") from error
        return Document.from_bytes(raw)

    def fingerprint(self, document: Document) -> str:
        """Keyed hash of a document's content."""
        return self._keys.digest(document.collection, "content", document.content()).hex()

    def plan(self, line: str, tree: Tree[Entry], add: Sequence[Document], remove: Sequence[str]) -> Plan:
        """Documents added (or revised) and removed. DataError when one to remove is not there, or one to
        revise is another tenant's."""
        collection = base(line)
        drafts: dict[str, _Draft] = {}
        gone: dict[str, None] = {}
        removed: dict[str, None] = {}
        for document in remove:
            entry = None if document in removed else tree.find(document)
            if entry is None:
                raise DataError(f"Collection {line} has no document {document!r} to remove.")
            removed[document] = None
            gone[cite(collection, entry.id, entry.revision)] = None
        for given in add:
            before = None if given.id in removed else tree.find(check_id(given.id))
            draft = self._draft(collection, given, drafts.get(given.id), before)
            if draft is None:
                continue
            drafts[given.id] = draft
            if before:
                gone[cite(collection, before.id, before.revision)] = None
        fresh = self._store(list(drafts.values()))
        indexed = (
            ()
            if is_branch(line)
            else tuple(self._index.prepare(draft.document, draft.owner) for draft in drafts.values())
        )
        added = tuple(cite(collection, entry.id, entry.revision) for entry in fresh)
        return Plan(fresh, indexed, added, tuple(gone), tuple(removed), fresh)

    def _draft(
        self, collection: str, given: Document, drafted: _Draft | None, held: Entry | None
    ) -> _Draft | None:
        """The next revision of a document; None when it is what is there."""
        tenant = drafted.document.access.tenant if drafted else held.tenant if held else None
        if tenant is not None and tenant != given.access.tenant:
            raise DataError(
                f"The id {given.id!r} in {collection} is taken by another tenant's document: choose another."
            )
        fingerprint = self.fingerprint(replace(given, collection=collection))
        known = drafted.fingerprint if drafted else held.fingerprint if held else ""
        if known == fingerprint:
            return None
        if drafted:
            revision, owner = drafted.document.revision, drafted.owner
        else:
            revision, owner = self._next(collection, given.id, held)
        return _Draft(replace(given, collection=collection, revision=revision), owner, fingerprint)

    def moved(self, line: str, tree: Tree[Entry], taken: Mapping[str, Entry | None]) -> Plan:
        """A plan out of entries that are stored already."""
        collection = base(line)
        put = tuple(entry for entry in taken.values() if entry is not None)
        removed = tuple(key for key, entry in taken.items() if entry is None and tree.find(key))
        before = [entry for key in taken if (entry := tree.find(key)) is not None]
        indexed = (
            ()
            if is_branch(line)
            else tuple(self._index.prepare(self.open(collection, entry), entry.owner) for entry in put)
        )
        return Plan(
            put,
            indexed,
            tuple(cite(collection, entry.id, entry.revision) for entry in put),
            tuple(cite(collection, entry.id, entry.revision) for entry in before),
            removed,
        )

    def _next(self, collection: str, document: str, held: Entry | None) -> tuple[int, str]:
        """The next revision and its owner: a document that comes back after a removal counts on, so that a
        cited name never means two things; its key is a new one, since the old one may be erased."""
        past = max((one.revision for one in self._revisions.of(collection, document)), default=0)
        if held:
            return max(past, held.revision) + 1, held.owner
        return past + 1, new_id("own")

    def _store(self, drafts: Sequence[_Draft]) -> tuple[Entry, ...]:
        """Together, so that a thousand documents wait for the disk about as long as a few."""
        if len(drafts) > 1:
            self._envelope.provide([draft.owner for draft in drafts])
        sealed = [
            self._envelope.seal(draft.owner, draft.document.to_bytes(), draft.document.name.encode())
            for draft in drafts
        ]
        stored = put_all(self._blobs, sealed) if len(sealed) > 1 else [self._blobs.put(one) for one in sealed]
        return tuple(draft.entry(blob) for draft, blob in zip(drafts, stored, strict=True))


def pairs(old: Tree[Entry], new: Tree[Entry]) -> list[tuple[Entry | None, Entry | None, str]]:
    """Entries before and after where content or access differ, with their id."""
    found = []
    for before, after in old.differences(new):
        either = before or after
        if either is not None:
            found.append((before, after, either.id))
    return found


def touched(old: Tree[Entry], new: Tree[Entry]) -> Touched:
    """Whose documents differ."""
    found = pairs(old, new)
    before = [one for one, _, _ in found if one]
    after = [one for _, one, _ in found if one]
    return Touched(
        frozenset(one.contributor for one in after),
        frozenset(one.contributor for one in before),
        frozenset(one.tenant for one in (*before, *after)),
    )


def same(one: Entry, other: Entry) -> bool:
    return one.fingerprint == other.fingerprint
