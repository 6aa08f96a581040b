"""Documents, encrypted and versioned; nothing in it is ever overwritten.

Each commit of a collection adds a version (see ``versions``) with a sealed manifest in the blob store. The
chain's head goes on the ledger (``Commit.event``). The index changes in the transaction that makes a version
current. A collection's name may stand for a branch of it: ``handbook~tidy``; branches are never indexed.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ringwall.core import DataError, Principal, new_id
from ringwall.storage.blobs import BlobStore, put_all
from ringwall.storage.database import Database

from .approvals import Approval, Approvals, Bar, check_merger
from .changes import Check, Difference, Side, Touched, merged
from .damage import Damage
from .document import Document, canonical, check_id, cite
from .index import Prepared, RetrievalStore
from .keys import CollectionKeys, Sealer
from .lines import Apply, Lines, nothing
from .manifest import Entry, Manifest
from .names import base
from .retention import DAY, locked_until
from .retention_check import check_locks
from .retrieval.rebuild import rebuild
from .retrieval.store import Progress
from .revisions import Revision, Revisions
from .training.sets import TrainingSets
from .tree import Tree
from .versions import ATTEMPTS, BY_HAND, Version, Whence, chain, is_branch

__all__ = ["Commit", "Trace", "Vault", "Version", "chain"]


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
        self.lines: Lines[Entry] = Lines(db, blobs, envelope, "index", Entry.read)
        self.approvals = Approvals(db, self.lines.versions, self.touched)
        self._revisions = Revisions(db)

    def commit(
        self,
        collection: str,
        *,
        add: Sequence[Document] = (),
        remove: Sequence[str] = (),
        author: str,
        note: str = "",
        released: str = "",
        apply: Apply = nothing,
    ) -> Commit | None:
        """Make a version with documents added (or revised) and removed; None when that changes nothing.

        ``released``: what it stores out of quarantine. ``apply`` writes to the database in the transaction
        that makes the version, which does not come to be when it raises. Raises DataError when a document to
        remove is not there, or one to revise belongs to another tenant.
        """
        return self._publish(
            *(collection, lambda tree: self._plan(collection, tree, add, remove), author, note),
            whence=Whence(released=released),
            apply=apply,
        )

    def head(self, collection: str) -> Version | None:
        """The current version."""
        return self.lines.versions.head(collection)

    def versions(self, collection: str) -> list[Version]:
        """All versions, oldest first."""
        return self.lines.versions.all(collection)

    def collections(self) -> list[str]:
        """Names of the collections of documents that hold or held something, without their branches."""
        return [line for line in self.lines.versions.lines() if not is_branch(line)]

    def at(self, collection: str, when: int) -> Version | None:
        """The version that was current at a time (microseconds since the epoch); None before the first."""
        return self.lines.versions.at(collection, when)

    def manifest(self, collection: str, version: int | None = None) -> Manifest:
        """What a version (default: the current one) holds. DataError when there is no such version."""
        found, tree = self.lines.pick(collection, version)
        return Manifest(collection, found.number if found else 0, tree)

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
        name = cite(base(collection), entry.id, entry.revision)
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
        return {revision.tenant for revision in self._revisions.of(base(collection), document)}

    def contributors(self, collection: str, document: str) -> set[str]:
        """Who ever brought a revision of it."""
        return {revision.contributor for revision in self._revisions.of(base(collection), document)}

    def who(self, collection: str, document: str) -> list["Trace"]:
        """Each revision that ever was, oldest first: who contributed it, and the versions that hold it."""
        found: dict[int, Trace] = {}
        for version in self.versions(collection):
            entry = self.lines.tree(version).find(document)
            if entry is not None:
                first = found[entry.revision].first if entry.revision in found else version.number
                name = cite(base(collection), document, entry.revision)
                found[entry.revision] = Trace(
                    name, entry.contributor, entry.tenant, entry.origin, entry.at, first, version.number
                )
        return [found[revision] for revision in sorted(found)]

    def difference(self, old: Version, new: Version) -> Difference:
        """What differs between two versions, of one line or of two of the same collection."""
        changed = self._changed(old, new)
        before = self.lines.tree(old)
        gone = [key for key, entry in changed.items() if entry is None]
        there = [key for key, entry in changed.items() if entry is not None]
        added = [key for key in there if before.find(key) is None]
        return Difference(tuple(added), tuple(gone), tuple(key for key in there if key not in set(added)))

    def diff(self, collection: str, old: int, new: int) -> Difference:
        """What differs between two versions of a collection. DataError when there is no such version."""
        versions = self.lines.versions
        return self.difference(versions.get(collection, old), versions.get(collection, new))

    def branch(self, collection: str, name: str, *, author: str, version: int | None = None) -> Version:
        """A line of its own, ``COLLECTION~NAME``, that starts from a version (default: the current one)."""
        fork, _ = self.lines.pick(collection, version)
        if fork is None:
            raise DataError(f"Collection {collection} has no version to branch from.")
        return self.lines.branch(collection, name, fork, self._unerased(self.lines.tree(fork)), author)

    def merge(
        self,
        branch: str,
        by: Principal,
        approvers: Collection[str],
        resolve: Mapping[str, Side] | None = None,
        check: Check | None = None,
    ) -> Commit | None:
        """Take what a branch changed into its collection, three-way by document. None when that is nothing.
        ``check`` is told what that touches, and raises for who may not.

        Raises ConflictError, with the ids, where both changed a document differently and ``resolve`` does not
        say which side counts; DeniedError for whoever may not, or made some of the branch.
        """
        ours = base(branch)
        common = self.lines.merge_base(branch)
        theirs = self.lines.versions.head(branch)
        if theirs is None:
            raise DataError(f"There is no branch {branch}.")
        check_merger(by, approvers, branch, self._made(branch, theirs))

        def plan(tree: Tree[Entry]) -> _Plan:
            mine = {key: new for _, new, key in _pairs(self.lines.tree(common), tree)}
            taken = merged(branch, mine, self._changed(common, theirs), _same, resolve or {})
            return self._moved(ours, tree, taken)

        note = f"merged {theirs.name}"
        return self._publish(ours, plan, by.subject, note, whence=Whence(merged=theirs.name), check=check)

    def roll_back(
        self, collection: str, version: int, *, author: str, note: str = "", check: Check | None = None
    ) -> Commit | None:
        """Make a version that holds what an earlier one held, without what was erased since. None when the
        current one does. ``check`` as in ``merge``."""
        target = self._unerased(self.lines.tree(self.lines.versions.get(collection, version)))

        def plan(tree: Tree[Entry]) -> _Plan:
            taken = {key: new for _, new, key in _pairs(tree, target)}
            return self._moved(collection, tree, taken)

        return self._publish(collection, plan, author, note or f"rolled back to {version}", check=check)

    def approve(
        self, collection: str, version: int, by: Principal, approvers: Collection[str], bar: Bar | None = None
    ) -> Approval:
        """See ``Approvals.approve``."""
        return self.approvals.approve(collection, version, by, approvers, bar)

    def touched(self, old: Version | None, new: Version) -> Touched:
        """Whose documents differ between two versions (None: nothing)."""
        before = self.lines.tree(old) if old else self.lines.empty(new.collection)
        return _touched(before, self.lines.tree(new))

    def approved(self, collection: str) -> Version | None:
        """The last version that was approved."""
        return self.approvals.approved(collection)

    def erase(self, collection: str, document: str, *, author: str, lock_days: int = 0) -> Commit | None:
        """Remove a document and destroy the key of all its revisions, in every version, for ever; from
        branches it is removed as well.

        Hashes, versions and proofs stay whole. Returns the new version if it was current. DataError when
        there never was one, or it is locked: its last revision is younger than ``lock_days``.
        """
        collection = base(collection)
        lives = self._revisions.of(collection, document)
        if not lives:
            raise DataError(f"Collection {collection} never held a document {document!r}.")
        youngest = max(life.at for life in lives)
        until = locked_until(self._db, collection, youngest, lock_days)
        if time.time_ns() // 1000 < until:
            raise DataError(
                f"{document!r} in {collection} is locked for {(until - youngest) // DAY} days after its last "
                "revision: it can be removed from the current version but not erased yet."
            )
        removal = None
        for line in (*self.lines.versions.branches(collection), collection):
            current = self.manifest(line).find(document)
            removal = self.commit(line, remove=[document], author=author, note="erased") if current else None
        name, at = f"{collection}/{document}", time.time_ns() // 1000
        for owner in sorted({life.owner for life in lives}):
            self._db.write(
                "INSERT OR IGNORE INTO data_erased VALUES (?, ?, ?, ?)",
                *(owner, name, at, self._erasure_mark(owner, name, at)),
            )
            self._envelope.erase(owner)
        return removal

    def by_contributor(self, collection: str, subject: str) -> list[str]:
        """Ids of all documents that ever had a revision by this person: what erasing the person erases."""
        return self._revisions.by(base(collection), subject)

    def broken_locks(self, training: TrainingSets | None = None) -> list[Damage]:
        """See ``check_locks``."""
        return check_locks(self._db, self._blobs, training)

    def erased(self) -> set[str]:
        """Owners whose keys were destroyed on purpose."""
        return {row["owner"] for row in self._db.all("SELECT owner FROM data_erased")}

    def false_erasures(self) -> list[str]:
        """Documents that are noted as erased by somebody without the collection's secret."""
        return [
            row["name"]
            for row in self._db.all("SELECT * FROM data_erased ORDER BY name")
            if row["mark"] != self._erasure_mark(row["owner"], row["name"], row["at"])
        ]

    def reindex(
        self, collection: str, *, store: RetrievalStore | None = None, progress: Progress | None = None
    ) -> int:
        """Rebuild the index of a collection (or another ``store``) from its current version, and what is
        known of revisions from all versions; the number of documents."""
        ever = list(self.lines.ever(collection))
        with self._db.transaction():
            self._revisions.fill(collection, ever)
        return rebuild(self, self._db, store or self._index, collection, progress)

    def examine(self, collection: str, entry: Entry, erased: bool) -> str:
        """What is wrong with a stored document; empty when nothing is. Of an erased one only the hash of the
        sealed bytes can be checked."""
        try:
            if erased:
                return self._still_open(collection, entry)
            found = self.open(collection, entry)
            if self.fingerprint(found) != entry.fingerprint:
                return "Its content is not what the manifest says, or the collection's secret was changed."
        except DataError as error:
            return str(error)
        return ""

    def _still_open(self, collection: str, entry: Entry) -> str:
        self._blobs.get(entry.blob)
        try:
            self.open(collection, entry)
        except DataError:
            return ""
        return "It is marked as erased, but its key is there."

    def revisions(self, collection: str) -> list[Revision]:
        """All that the database knows of revisions."""
        return self._revisions.all(collection)

    def _publish(
        self,
        line: str,
        plan: Callable[[Tree[Entry]], "_Plan"],
        author: str,
        note: str,
        whence: Whence = BY_HAND,
        apply: Apply = nothing,
        check: Check | None = None,
    ) -> Commit | None:
        """Plan and publish until no other commit comes between. None when the plan changes nothing."""
        for _ in range(ATTEMPTS):
            head, tree = self.lines.head(line)
            made = plan(tree)
            if not made.put and not made.gone:
                return None
            after = tree.changed(made.put, made.removed)
            if check:
                check(_touched(tree, after))
            version = self.lines.commit(
                *(line, head, after, author, note),
                apply=partial(self._apply, line, made, apply),
                whence=whence,
            )
            if version:
                return Commit(version, made.added, made.gone)
        raise DataError(f"Collection {line} is being changed by others all the time: try again.")

    def _apply(self, line: str, plan: "_Plan", more: Apply) -> None:
        more()
        self._revisions.give(base(line), plan.fresh)
        if not is_branch(line):
            self._index.apply(line, plan.indexed, plan.removed)

    def _plan(self, line: str, tree: Tree[Entry], add: Sequence[Document], remove: Sequence[str]) -> "_Plan":
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
        return _Plan(fresh, indexed, added, tuple(gone), tuple(removed), fresh)

    def _draft(
        self, collection: str, given: Document, drafted: "_Draft | None", held: Entry | None
    ) -> "_Draft | None":
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

    def _moved(self, line: str, tree: Tree[Entry], taken: Mapping[str, Entry | None]) -> "_Plan":
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
        return _Plan(
            put,
            indexed,
            tuple(cite(collection, entry.id, entry.revision) for entry in put),
            tuple(cite(collection, entry.id, entry.revision) for entry in before),
            removed,
        )

    def _erasure_mark(self, owner: str, name: str, at: int) -> str:
        """Keyed hash: who can only write to the database can't make a document pass for erased."""
        said = canonical([owner, name, at])
        return self._keys.digest(name.partition("/")[0], "erased", said).hex()

    def _unerased(self, tree: Tree[Entry]) -> Tree[Entry]:
        """A tree without documents whose keys were destroyed."""
        rows = self._db.all("SELECT owner, name FROM data_erased")
        owners = {row["owner"] for row in rows}
        names = {row["name"].partition("/")[2] for row in rows}
        held = [entry for name in names if (entry := tree.find(name)) and entry.owner in owners]
        return tree.changed((), [entry.id for entry in held])

    def _changed(self, old: Version, new: Version) -> dict[str, Entry | None]:
        pairs = _pairs(self.lines.tree(old), self.lines.tree(new))
        return {key: entry for _, entry, key in pairs}

    def _made(self, branch: str, head: Version) -> set[str]:
        """Who made a branch: authors of its versions, and contributors of what it changes."""
        first = self.lines.versions.get(branch, 1)
        contributors = {entry.contributor for entry in self._changed(first, head).values() if entry}
        return contributors | self.approvals.branch_authors(head)

    def _next(self, collection: str, document: str, held: Entry | None) -> tuple[int, str]:
        """The next revision and its owner: a document that comes back after a removal counts on, so that a
        cited name never means two things; its key is a new one, since the old one may be erased."""
        past = max((one.revision for one in self._revisions.of(collection, document)), default=0)
        if held:
            return max(past, held.revision) + 1, held.owner
        return past + 1, new_id("own")

    def _store(self, drafts: Sequence["_Draft"]) -> tuple[Entry, ...]:
        """Together, so that a thousand documents wait for the disk about as long as a few."""
        if len(drafts) > 1:
            self._envelope.provide([draft.owner for draft in drafts])
        sealed = [
            self._envelope.seal(draft.owner, draft.document.to_bytes(), draft.document.name.encode())
            for draft in drafts
        ]
        stored = put_all(self._blobs, sealed) if len(sealed) > 1 else [self._blobs.put(one) for one in sealed]
        return tuple(draft.entry(blob) for draft, blob in zip(drafts, stored, strict=True))


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
class _Plan:
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


def _pairs(old: Tree[Entry], new: Tree[Entry]) -> list[tuple[Entry | None, Entry | None, str]]:
    """Entries before and after where content or access differ, with their id."""
    found = []
    for before, after in old.differences(new):
        key = (before or after).id  # type: ignore[union-attr]
        found.append((before, after, key))
    return found


def _touched(old: Tree[Entry], new: Tree[Entry]) -> Touched:
    pairs = _pairs(old, new)
    before = [one for one, _, _ in pairs if one]
    after = [one for _, one, _ in pairs if one]
    return Touched(
        frozenset(one.contributor for one in after),
        frozenset(one.contributor for one in before),
        frozenset(one.tenant for one in (*before, *after)),
    )


def _same(one: Entry, other: Entry) -> bool:
    return one.fingerprint == other.fingerprint
