"""Documents, encrypted and versioned; nothing in it is ever overwritten.

Each commit of a collection adds a version: a sealed manifest in the blob store, and a row whose ``chain``
hash binds the version's number, time, Merkle root and manifest to the version before. The chain's head goes
on the ledger (``Commit.event``), so whoever rewrites the database has to rewrite the ledger as well.

Blobs are on the disk before the one transaction that makes a version current (in the vault and in the
index), so a killed process leaves either the old version or the new one, and at worst blobs that nothing
refers to.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringwall.core import DataError, new_id
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database, Row

from .document import Document, canonical, check_id, cite
from .index import Prepared, RetrievalStore
from .keys import CollectionKeys, Sealer
from .manifest import Entry, Manifest

_STEPS = [
    """
    CREATE TABLE data_version (
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        note TEXT NOT NULL,
        root TEXT NOT NULL,
        manifest TEXT NOT NULL,
        chain TEXT NOT NULL,
        PRIMARY KEY (collection, version)
    ) STRICT;
    CREATE TABLE data_head (
        collection TEXT PRIMARY KEY, version INTEGER NOT NULL, chain TEXT NOT NULL
    ) STRICT;
    CREATE TABLE data_erased (owner TEXT PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    """
]
_ATTEMPTS = 20
_CACHED = 32
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a collection, as the database has it."""

    collection: str
    number: int
    """1, 2, 3… without gaps."""
    at: int
    """Microseconds since the epoch, UTC."""
    author: str
    note: str
    root: str
    """Merkle root of the manifest."""
    manifest: str
    """Blob of the sealed manifest."""
    chain: str
    """SHA-256 over this version and the chain of the one before."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A version that was just made."""

    version: Version
    added: tuple[str, ...] = ()
    """Cited names of what is new in it."""
    removed: tuple[str, ...] = ()
    """Cited names of the revisions that are no longer in it."""

    def event(self) -> dict[str, Any]:
        """For the ledger: names and hashes, nothing that a person wrote."""
        return {
            "id": new_id("dat"),
            "type": "data.version",
            "at": self.version.at,
            "boundary": "data",
            "collection": self.version.collection,
            "version": self.version.number,
            "root": self.version.root,
            "chain": self.version.chain,
            "subject": self.version.author,
            "added": list(self.added),
            "removed": list(self.removed),
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one revision of a document came from and where it went."""

    name: str
    """As answers cite it on the ledger."""
    contributor: str
    tenant: str
    origin: str
    at: int
    first: int
    """First version of the collection that holds it."""
    last: int
    """Last one so far."""


class Vault:
    """Thread-safe; several processes may commit to the same directory."""

    def __init__(
        self, db: Database, blobs: BlobStore, envelope: Sealer, keys: CollectionKeys, index: RetrievalStore
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._envelope = envelope
        self._keys = keys
        self._index = index
        self._manifests: OrderedDict[str, Manifest] = OrderedDict()
        db.migrate("data_vault", _STEPS)

    def commit(
        self,
        collection: str,
        *,
        add: Sequence[Document] = (),
        remove: Sequence[str] = (),
        author: str,
        note: str = "",
    ) -> Commit | None:
        """Make a version with documents added (or revised) and removed; None when that changes nothing.

        Raises DataError when a document to remove is not there, or one to revise belongs to another tenant.
        """
        for _ in range(_ATTEMPTS):
            head = self.head(collection)
            before = self._manifest(head) if head else Manifest(collection, 0)
            plan = self._plan(before, add, remove)
            if not plan.put and not plan.gone:
                return None
            after = Manifest(collection, before.version + 1, plan.entries)
            version = self._version(after, head, author, note)
            if self._publish(version, head, plan):
                added = tuple(item.document.name for item in plan.put)
                return Commit(version, added, plan.gone)
        raise DataError(f"Collection {collection} is being changed by others all the time: try again.")

    def head(self, collection: str) -> Version | None:
        """The current version."""
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? ORDER BY version DESC LIMIT 1", collection
        )
        return _as_version(row) if row else None

    def versions(self, collection: str) -> list[Version]:
        """All versions, oldest first."""
        rows = self._db.all("SELECT * FROM data_version WHERE collection = ? ORDER BY version", collection)
        return [_as_version(row) for row in rows]

    def collections(self) -> list[str]:
        """Names of the collections that hold or held something."""
        rows = self._db.all(
            "SELECT collection FROM data_version UNION SELECT collection FROM data_head ORDER BY 1"
        )
        return [row["collection"] for row in rows]

    def at(self, collection: str, when: int) -> Version | None:
        """The version that was current at a time (microseconds since the epoch); None before the first."""
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? AND at <= ? ORDER BY version DESC LIMIT 1",
            *(collection, when),
        )
        return _as_version(row) if row else None

    def manifest(self, collection: str, version: int | None = None) -> Manifest:
        """What a version (default: the current one) holds. DataError when there is no such version."""
        if version is None:
            found = self.head(collection)
            return self._manifest(found) if found else Manifest(collection, 0)
        row = self._db.one(
            "SELECT * FROM data_version WHERE collection = ? AND version = ?", collection, version
        )
        if row is None:
            raise DataError(f"Collection {collection} has no version {version}.")
        return self._manifest(_as_version(row))

    def document(self, collection: str, document: str, version: int | None = None) -> Document:
        """A document as it was in a version (default: as it is). DataError when it is missing, damaged or
        erased."""
        entry = self.manifest(collection, version).find(document)
        if entry is None:
            place = "now" if version is None else f"in version {version}"
            raise DataError(f"Collection {collection} has no document {document!r} {place}.")
        return self.open(collection, entry)

    def open(self, collection: str, entry: Entry) -> Document:
        """Decrypt the document of an entry. DataError, naming it, when it is missing, damaged or erased."""
        name = cite(collection, entry.id, entry.revision)
        try:
            raw = self._envelope.open(entry.owner, self._blobs.get(entry.blob), name.encode())
        except DataError as error:
            raise DataError(f"{name} can't be read: {error}") from error
        return Document.from_bytes(raw)

    def fingerprint(self, document: Document) -> str:
        """Keyed hash of a document's content."""
        return self._keys.digest(document.collection, "content", document.content()).hex()

    def mark(self, collection: str, raw: bytes) -> str:
        """Keyed hash of a file as it came."""
        return self._keys.digest(collection, "file", raw).hex()

    def tenants(self, collection: str, document: str) -> set[str]:
        """Whose the document ever was."""
        return {entry.tenant for entry in self._history(collection) if entry.id == document}

    def who(self, collection: str, document: str) -> list["Trace"]:
        """Each revision that ever was, oldest first: who contributed it, and the versions that hold it."""
        found: dict[int, Trace] = {}
        for version in self.versions(collection):
            entry = self._manifest(version).find(document)
            if entry is not None:
                first = found[entry.revision].first if entry.revision in found else version.number
                name = cite(collection, document, entry.revision)
                found[entry.revision] = Trace(
                    name, entry.contributor, entry.tenant, entry.origin, entry.at, first, version.number
                )
        return [found[revision] for revision in sorted(found)]

    def erase(self, collection: str, document: str, *, author: str, lock_days: int = 0) -> Commit | None:
        """Remove a document and destroy the key of all its revisions, in every version, for ever.

        Hashes, versions and proofs stay whole. Returns the new version if it was current. DataError when
        there never was one, or it is locked: its last revision is younger than ``lock_days``.
        """
        lives = [entry for entry in self._history(collection) if entry.id == document]
        if not lives:
            raise DataError(f"Collection {collection} never held a document {document!r}.")
        youngest = max(entry.at for entry in lives)
        if time.time_ns() // 1000 - youngest < lock_days * _DAY:
            raise DataError(
                f"{document!r} in {collection} is locked for {lock_days} days after its last revision: "
                "it can be removed from the current version but not erased yet."
            )
        current = self.manifest(collection).find(document)
        removal = (
            self.commit(collection, remove=[document], author=author, note="erased") if current else None
        )
        for owner in sorted({entry.owner for entry in lives}):
            self._db.write(
                "INSERT OR IGNORE INTO data_erased VALUES (?, ?, ?)",
                *(owner, f"{collection}/{document}", time.time_ns() // 1000),
            )
            self._envelope.erase(owner)
        return removal

    def by_contributor(self, collection: str, subject: str) -> list[str]:
        """Ids of all documents that ever had a revision by this person: what erasing the person erases."""
        return sorted({entry.id for entry in self._history(collection) if entry.contributor == subject})

    def erased(self) -> set[str]:
        """Owners whose keys were destroyed on purpose."""
        return {row["owner"] for row in self._db.all("SELECT owner FROM data_erased")}

    def heads(self) -> dict[str, tuple[int, str]]:
        """Version and chain of each collection's head, as noted beside the versions."""
        rows = self._db.all("SELECT * FROM data_head")
        return {row["collection"]: (row["version"], row["chain"]) for row in rows}

    def reindex(self, collection: str) -> int:
        """Rebuild the index of a collection from its current version; the number of documents."""
        manifest = self.manifest(collection)
        put = [self._index.prepare(self.open(collection, entry), entry.owner) for entry in manifest.entries]
        with self._db.transaction():
            self._index.apply(collection, put, self._index.indexed(collection))
        return len(put)

    def manifest_of(self, version: Version) -> Manifest:
        """The manifest of a version, read from the store again and not from memory."""
        self._manifests.pop(version.chain, None)
        return self._manifest(version)

    def examine(self, collection: str, entry: Entry, erased: bool) -> str:
        """What is wrong with a stored document; empty when nothing is. Of an erased one only the hash of the
        sealed bytes can be checked."""
        try:
            if erased:
                self._blobs.get(entry.blob)
            else:
                self.open(collection, entry)
        except DataError as error:
            return str(error)
        return ""

    def _history(self, collection: str) -> Iterator[Entry]:
        for version in self.versions(collection):
            yield from self._manifest(version).entries

    def _plan(self, before: Manifest, add: Sequence[Document], remove: Sequence[str]) -> "_Plan":
        entries = {entry.id: entry for entry in before.entries}
        put: list[Prepared] = []
        gone: list[str] = []
        for document in remove:
            entry = entries.pop(document, None)
            if entry is None:
                raise DataError(f"Collection {before.collection} has no document {document!r} to remove.")
            gone.append(cite(before.collection, entry.id, entry.revision))
        for given in add:
            held = entries.get(check_id(given.id))
            if held and held.tenant != given.access.tenant:
                raise DataError(
                    f"The id {given.id!r} in {before.collection} is taken by another tenant's document: "
                    "choose another."
                )
            fingerprint = self.fingerprint(given)
            if held and held.fingerprint == fingerprint:
                continue
            revision, owner = self._next(before, given.id, held)
            stored = replace(given, collection=before.collection, revision=revision)
            entries[given.id] = self._store(stored, owner, fingerprint)
            put.append(self._index.prepare(stored, owner))
            if held:
                gone.append(cite(before.collection, held.id, held.revision))
        return _Plan(tuple(entries[key] for key in sorted(entries)), tuple(put), tuple(gone), tuple(remove))

    def _next(self, before: Manifest, document: str, held: Entry | None) -> tuple[int, str]:
        """The next revision and its owner: a document that comes back after a removal counts on, so that a
        cited name never means two things; its key is a new one, since the old one may be erased."""
        if held:
            return held.revision + 1, held.owner
        past = [entry.revision for entry in self._history(before.collection) if entry.id == document]
        return max(past, default=0) + 1, new_id("own")

    def _store(self, document: Document, owner: str, fingerprint: str) -> Entry:
        sealed = self._envelope.seal(owner, document.to_bytes(), document.name.encode())
        return Entry(
            id=document.id,
            revision=document.revision,
            owner=owner,
            blob=self._blobs.put(sealed),
            fingerprint=fingerprint,
            contributor=document.contributor,
            at=document.at,
            origin=document.origin,
            tenant=document.access.tenant,
            roles=tuple(sorted(document.access.roles)),
            subjects=tuple(sorted(document.access.subjects)),
            sensitivity=tuple(sorted(document.sensitivity)),
        )

    def _version(self, manifest: Manifest, head: Version | None, author: str, note: str) -> Version:
        owner, place = _manifest_place(manifest.collection, manifest.version)
        blob = self._blobs.put(self._envelope.seal(owner, manifest.to_bytes(), place))
        at = max(time.time_ns() // 1000, head.at + 1 if head else 0)
        draft = Version(manifest.collection, manifest.version, at, author, note, manifest.root, blob, "")
        return replace(draft, chain=chain(draft, head.chain if head else ""))

    def _publish(self, version: Version, head: Version | None, plan: "_Plan") -> bool:
        """The one moment in which a version comes to be. False when another commit was faster."""
        with self._db.transaction():
            now = self.head(version.collection)
            if (now.chain if now else "") != (head.chain if head else ""):
                return False
            self._db.write(
                "INSERT INTO data_version VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(version.collection, version.number, version.at, version.author, version.note),
                *(version.root, version.manifest, version.chain),
            )
            self._db.write(
                "INSERT OR REPLACE INTO data_head VALUES (?, ?, ?)",
                *(version.collection, version.number, version.chain),
            )
            self._index.apply(version.collection, plan.put, plan.removed)
        return True

    def _manifest(self, version: Version) -> Manifest:
        """Verified against the version's row."""
        known = self._manifests.get(version.chain)
        if known:
            return known
        owner, place = _manifest_place(version.collection, version.number)
        where = f"The manifest of {version.collection} version {version.number}"
        try:
            manifest = Manifest.from_bytes(
                self._envelope.open(owner, self._blobs.get(version.manifest), place)
            )
        except DataError as error:
            raise DataError(f"{where} can't be read: {error}") from error
        if manifest.root != version.root:
            raise DataError(f"{where} is not the one that was committed: its root differs.")
        self._manifests[version.chain] = manifest
        while len(self._manifests) > _CACHED:
            self._manifests.popitem(last=False)
        return manifest


@dataclass(frozen=True, slots=True)
class _Plan:
    entries: tuple[Entry, ...]
    put: tuple[Prepared, ...]
    gone: tuple[str, ...]
    removed: tuple[str, ...]


def chain(version: Version, previous: str) -> str:
    """The hash that binds a version to the one before."""
    bound = {
        "collection": version.collection,
        "version": version.number,
        "at": version.at,
        "author": version.author,
        "note": version.note,
        "root": version.root,
        "manifest": version.manifest,
        "previous": previous,
    }
    return hashlib.sha256(b"ringwall data version" + canonical(bound)).hexdigest()


def _manifest_place(collection: str, version: int) -> tuple[str, bytes]:
    return f"collection:{collection}", f"manifest:{collection}@{version}".encode()


def _as_version(row: Row) -> Version:
    return Version(*(row[name] for name in _COLUMNS))


_COLUMNS = ("collection", "version", "at", "author", "note", "root", "manifest", "chain")
