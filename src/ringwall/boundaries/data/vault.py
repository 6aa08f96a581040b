"""Documents, encrypted and versioned; nothing in it is ever overwritten.

Each commit of a collection adds a version (see ``versions``) with a sealed manifest in the blob store. The
chain's head goes on the ledger (``Commit.event``). The index changes in the transaction that makes a version
current. A collection's name may stand for a branch of it: ``handbook~tidy``; branches are never indexed.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ringwall.core import DataError, Principal
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database

from .approvals import Approval, Approvals, Bar, check_merger
from .changes import Check, Difference, Side, Touched, merged
from .damage import Damage
from .document import Document, cite
from .drafting import Drafting, Plan, pairs, same, touched
from .erasures import Erasures
from .index import RetrievalStore
from .keys import CollectionKeys, Sealer
from .lines import Apply, Lines, nothing
from .manifest import Entry, Manifest
from .names import base
from .retention import DAY, locked_until
from .retention_check import check_locks
from .retrieval.rebuild import rebuild
from .retrieval.store import Progress
from .review import Reviews
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
        return self.version.event(added=list(self.added), removed=list(self.removed))


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
    versions: tuple[int, ...] = ()
    """All that hold it: not those between in which it was taken out."""


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
        self._drafting = Drafting(blobs, envelope, keys, index, self._revisions)
        self._erasures = Erasures(db, keys)
        self._reviews = Reviews(db, envelope)

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
            *(collection, lambda tree: self._drafting.plan(collection, tree, add, remove), author, note),
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
        return self._drafting.open(collection, entry)

    def fingerprint(self, document: Document) -> str:
        """Keyed hash of a document's content."""
        return self._drafting.fingerprint(document)

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
        found: dict[int, tuple[Entry, list[int]]] = {}
        for version in self.versions(collection):
            entry = self.lines.tree(version).find(document)
            if entry is not None:
                found.setdefault(entry.revision, (entry, []))[1].append(version.number)
        return [
            Trace(
                cite(base(collection), document, revision),
                *(entry.contributor, entry.tenant, entry.origin, entry.at, held[0], held[-1], tuple(held)),
            )
            for revision, (entry, held) in sorted(found.items())
        ]

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
        return self.lines.branch(
            collection, name, fork, self._erasures.without(self.lines.tree(fork)), author
        )

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

        def plan(tree: Tree[Entry]) -> Plan:
            mine = {key: new for _, new, key in pairs(self.lines.tree(common), tree)}
            taken = merged(branch, mine, self._changed(common, theirs), same, resolve or {})
            return self._drafting.moved(ours, tree, taken)

        note = f"merged {theirs.name}"
        return self._publish(ours, plan, by.subject, note, whence=Whence(merged=theirs.name), check=check)

    def roll_back(
        self, collection: str, version: int, *, author: str, note: str = "", check: Check | None = None
    ) -> Commit | None:
        """Make a version that holds what an earlier one held, without what was erased since. None when the
        current one does. ``check`` as in ``merge``."""
        target = self._erasures.without(self.lines.tree(self.lines.versions.get(collection, version)))

        def plan(tree: Tree[Entry]) -> Plan:
            taken = {key: new for _, new, key in pairs(tree, target)}
            return self._drafting.moved(collection, tree, taken)

        return self._publish(collection, plan, author, note or f"rolled back to {version}", check=check)

    def approve(
        self, collection: str, version: int, by: Principal, approvers: Collection[str], bar: Bar | None = None
    ) -> Approval:
        """See ``Approvals.approve``."""
        return self.approvals.approve(collection, version, by, approvers, bar)

    def touched(self, old: Version | None, new: Version) -> Touched:
        """Whose documents differ between two versions (None: nothing)."""
        before = self.lines.tree(old) if old else self.lines.empty(new.collection)
        return touched(before, self.lines.tree(new))

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
            self._erasures.note(owner, name, at)
            self._envelope.erase(owner)
        self.unquote(collection, [document])
        return removal

    def unquote(self, collection: str, documents: Collection[str]) -> None:
        """Take what reviews quote of these documents out of them."""
        self._reviews.forget(base(collection), documents)

    def by_contributor(self, collection: str, subject: str) -> list[str]:
        """Ids of all documents that ever had a revision by this person: what erasing the person erases."""
        return self._revisions.by(base(collection), subject)

    def broken_locks(self, training: TrainingSets | None = None) -> list[Damage]:
        """See ``check_locks``."""
        return check_locks(self._db, self._blobs, training)

    def erased(self) -> set[str]:
        """Owners whose keys were destroyed on purpose."""
        return self._erasures.owners()

    def false_erasures(self) -> list[str]:
        """Documents that are noted as erased by somebody without the collection's secret."""
        return self._erasures.false()

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
        plan: Callable[[Tree[Entry]], Plan],
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
                check(touched(tree, after))
            version = self.lines.commit(
                *(line, head, after, author, note),
                apply=partial(self._apply, line, made, apply),
                whence=whence,
            )
            if version:
                return Commit(version, made.added, made.gone)
        raise DataError(f"Collection {line} is being changed by others all the time: try again.")

    def _apply(self, line: str, plan: Plan, more: Apply) -> None:
        more()
        self._revisions.give(base(line), plan.fresh)
        if not is_branch(line):
            self._index.apply(line, plan.indexed, plan.removed)

    def _changed(self, old: Version, new: Version) -> dict[str, Entry | None]:
        return {key: entry for _, entry, key in pairs(self.lines.tree(old), self.lines.tree(new))}

    def _made(self, branch: str, head: Version) -> set[str]:
        """Who made a branch: authors of its versions, and contributors of what it changes."""
        first = self.lines.versions.get(branch, 1)
        contributors = {entry.contributor for entry in self._changed(first, head).values() if entry}
        return contributors | self.approvals.branch_authors(head)
