"""Training sets: versions of records. Nothing in them is ever overwritten.

A contribution's records go, in order, into packs; a version lists packs and what it does not hold of them.
So adding costs what is added, removing a record costs one entry, and every version shares the packs of the
one before. A collection's name may stand for a branch of it everywhere: ``tuning~cleaner``.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from ringwall.core import DataError, Principal
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database

from ..approvals import Approval, Approvals, Bar, check_merger
from ..changes import Check, Difference, Side, Touched, merged
from ..keys import CollectionKeys, Sealer
from ..lines import Apply, Lines, nothing
from ..names import base
from ..records.record import Record
from ..retention import DAY, locked_until
from ..review import Reviews
from ..tree import Tree
from ..versions import ATTEMPTS, BY_HAND, Version, Whence
from . import record_index, record_keys
from .changes import At, changes, same, touched, with_taken
from .commit import RecordsCommit
from .entry import PackEntry
from .plans import grouped, settled, without
from .reading import Packs
from .record_index import Place, RecordIndex, terms_of
from .record_keys import RecordKeys
from .writing import RecordWriter, is_live

__all__ = ["RecordsCommit", "TrainingSets"]

_NAMED = 5


class TrainingSets:
    """Thread-safe; several processes may commit to the same directory."""

    def __init__(self, db: Database, blobs: BlobStore, envelope: Sealer, keys: CollectionKeys) -> None:
        """Keeps the keys of records and the index of their ids in files beside ``db``."""
        self._db = db
        self.blobs = blobs
        self.envelope = envelope
        self.lines: Lines[PackEntry] = Lines(db, blobs, envelope, "training", PackEntry.read)
        self.versions = self.lines.versions
        self.keys = RecordKeys(db.path.with_name(record_keys.FILE), envelope)
        self.index = RecordIndex(db.path.with_name(record_index.FILE), keys)
        self.packs = Packs(db, blobs, envelope, self.keys, keys)
        self.approvals = Approvals(db, self.versions, self.touched)
        self._reviews = Reviews(db, envelope)

    def close(self) -> None:
        self.keys.close()
        self.index.close()

    def forget(self) -> None:
        """Read everything from the store again."""
        self.lines.forget()
        self.packs.forget()

    def add(
        self,
        collection: str,
        records: Iterable[Record],
        *,
        author: str,
        note: str = "",
        released: str = "",
        apply: Apply = nothing,
    ) -> RecordsCommit | None:
        """Make a version with records added, in constant memory; one with an id that is there takes the
        other's place. None when that changes nothing.

        ``released``: what it stores out of quarantine. ``apply`` writes to the database in the transaction
        that makes the version, which does not come to be when it raises. Raises DataError when two of them
        have one id and different content, one is no JSON, or one would replace another tenant's.
        """
        _, tree = self.lines.head(collection)
        writer = RecordWriter(base(collection), tree, self.blobs, self.envelope, self.keys, self.index)
        written = writer.write(records)
        if not written.packs:
            return None
        planned = tree

        def plan(now: Tree[PackEntry]) -> Tree[PackEntry]:
            nonlocal written, planned
            if now.root != planned.root:
                written, planned = settled(self.packs, self.index, base(collection), now, written), now
            return without(now, written.superseded, written.packs)

        version = self._publish(collection, plan, author, note, whence=Whence(released=released), apply=apply)
        if version is None:
            return None
        return RecordsCommit(
            version,
            *(written.added, written.changed, 0, written.unchanged),
            _names(pack.contributors for pack in written.packs),
            _names(pack.contributions for pack in written.packs),
        )

    def remove(
        self, collection: str, ids: Iterable[str], *, author: str, note: str = ""
    ) -> RecordsCommit | None:
        """Make a version without records; earlier ones keep them. DataError when one is not there."""
        wanted = list(dict.fromkeys(ids))

        def plan(now: Tree[PackEntry]) -> Tree[PackEntry]:
            places = self._places(collection, now, wanted)
            missing = [one for one in wanted if one not in places]
            if missing:
                raise DataError(f"{collection} has no {_some(missing)} to remove.")
            return without(now, grouped(places.values()))

        version = self._publish(collection, plan, author, note)
        return RecordsCommit(version, removed=len(wanted)) if version else None

    def records(self, collection: str, version: int | None = None) -> Iterator[Record]:
        """The records of a version (default: the current one), in the order in which they were contributed.
        Each is verified before it is given. What was erased is left out.

        Raises DataError, naming pack and record, when something is damaged or missing.
        """
        _, tree = self.lines.pick(collection, version)
        for entry in tree:
            yield from self.packs.records(base(collection), entry)

    def count(self, collection: str, version: int | None = None) -> int:
        """How many records a version holds, those included that were erased since."""
        _, tree = self.lines.pick(collection, version)
        return sum(entry.held for entry in tree)

    def find(self, collection: str, record: str, version: int | None = None) -> Record:
        """A record as it was in a version (default: as it is). DataError when it is missing, damaged or
        erased."""
        _, tree = self.lines.pick(collection, version)
        place = self._places(collection, tree, [record]).get(record)
        entry = tree.find(place.pack) if place else None
        if place is None or entry is None:
            when = "now" if version is None else f"in version {version}"
            raise DataError(f"{collection} has no record {record[:128]!r} {when}.")
        found = next(self.packs.records(base(collection), entry, [place.ordinal]), None)
        if found is None or found.id != record:
            raise DataError(f"The record {record[:128]!r} of {collection} was erased, or its index is wrong.")
        return found

    def where(self, collection: str, record: str) -> list[Version]:
        """The versions of a collection and of its branches that hold a record of this id."""
        places = self.index.find([self._key(collection, record)])
        every = [place for some in places.values() for place in some]
        return [
            version
            for version in self.lines.every(base(collection))
            if any(is_live(self.lines.tree(version), place) for place in every)
        ]

    def lives(self, collection: str, record: str) -> list[tuple[Record, list[Version]]]:
        """Each row that ever went by an id, in the order in which they came, with the versions of collection
        and branches that hold it. What was erased is left out. DataError when one is damaged."""
        name = base(collection)
        found: list[tuple[Record, list[Version]]] = []
        every = list(self.lines.every(name))
        for place in self.index.find([self._key(name, record)]).get(self._key(name, record), ()):
            held = [version for version in every if is_live(self.lines.tree(version), place)]
            entry = self.lines.tree(held[0]).find(place.pack) if held else None
            rows = self.packs.records(name, entry, [place.ordinal]) if entry else ()
            found += [(row, held) for row in rows if row.id == record]
        return sorted(found, key=lambda life: (life[1][0].at, life[0].source.at))

    def difference(self, old: Version, new: Version) -> Difference:
        """What differs between two versions, of one line or of two of the same collection."""
        tree = self.lines.tree
        return changes(self.packs, base(old.collection), tree(old), tree(new)).difference

    def diff(self, collection: str, old: int, new: int) -> Difference:
        """Ids that were added, removed and changed from one version to another. Only packs that differ are
        read. DataError when there is no such version."""
        return self.difference(self.versions.get(collection, old), self.versions.get(collection, new))

    def branch(self, collection: str, name: str, *, author: str, version: int | None = None) -> Version:
        """A line of its own, ``COLLECTION~NAME``, that starts from a version (default: the current one)."""
        fork, tree = self.lines.pick(collection, version)
        if fork is None:
            raise DataError(f"Training set {collection} has no version to branch from.")
        return self.lines.branch(collection, name, fork, self._unerased(tree), author)

    def merge(
        self,
        branch: str,
        by: Principal,
        approvers: Collection[str],
        resolve: Mapping[str, Side] | None = None,
        check: Check | None = None,
    ) -> RecordsCommit | None:
        """Take what a branch changed into its collection, three-way by id of the record. None when that is
        nothing. ``check`` is told what that touches, and raises for who may not.

        Raises ConflictError, with the ids, where both changed a record differently and ``resolve`` does not
        say which side counts; DeniedError for whoever may not, or made some of the branch.
        """
        name = base(branch)
        common = self.lines.tree(self.lines.merge_base(branch))
        head, theirs = self.lines.head(branch)
        if head is None:
            raise DataError(f"There is no branch {branch}.")
        check_merger(by, approvers, branch, self._made(branch, head, theirs))
        new = changes(self.packs, name, common, theirs).results
        told = Difference()

        def plan(now: Tree[PackEntry]) -> Tree[PackEntry]:
            nonlocal told
            mine = changes(self.packs, name, common, now).results
            taken = merged(branch, mine, new, same, resolve or {})
            held = {
                key: At(place.pack, place.ordinal, b"")
                for key, place in self._places(name, now, list(taken)).items()
            }
            told = Difference(
                tuple(key for key, one in taken.items() if one and key not in held),
                tuple(key for key, one in taken.items() if one is None and key in held),
                tuple(key for key, one in taken.items() if one and key in held),
            )
            return with_taken(now, taken, held, theirs)

        note = f"merged {head.name}"
        version = self._publish(name, plan, by.subject, note, whence=Whence(merged=head.name), check=check)
        counts = (len(told.added), len(told.changed), len(told.removed))
        return RecordsCommit(version, *counts) if version else None

    def roll_back(
        self, collection: str, version: int, *, author: str, note: str = "", check: Check | None = None
    ) -> RecordsCommit | None:
        """Make a version that holds what an earlier one held, without what was erased since. None when the
        current one does. Nothing is lost: the versions between stay. ``check`` as in ``merge``."""
        target = self._unerased(self.lines.tree(self.versions.get(collection, version)))
        told = Difference()

        def plan(now: Tree[PackEntry]) -> Tree[PackEntry]:
            nonlocal told
            told = changes(self.packs, base(collection), now, target).difference
            return target

        made = self._publish(collection, plan, author, note or f"rolled back to {version}", check=check)
        counts = (len(told.added), len(told.changed), len(told.removed))
        return RecordsCommit(made, *counts) if made else None

    def approve(
        self, collection: str, version: int, by: Principal, approvers: Collection[str], bar: Bar | None = None
    ) -> Approval:
        """See ``Approvals.approve``."""
        return self.approvals.approve(collection, version, by, approvers, bar)

    def touched(self, old: Version | None, new: Version) -> Touched:
        """Whose work differs between two versions (None: nothing)."""
        before = self.lines.tree(old) if old else self.lines.empty(new.collection)
        return touched(before, self.lines.tree(new))

    def approved(self, collection: str) -> Version | None:
        """The last version that was approved."""
        return self.approvals.approved(collection)

    def by_contributor(self, collection: str, subject: str) -> list[str]:
        """Ids of all records that a person ever contributed: what erasing the person's work erases."""
        name = base(collection)
        found: set[str] = set()
        for entry in self.ever(name):
            if subject not in entry.contributors:
                continue
            reader = self.packs.open(name, entry)
            theirs = [o for o in range(len(reader)) if reader.source(o)["contributor"] == subject]
            found.update(key for _, key, _ in self.packs.ids(name, entry, theirs))
        return sorted(found)

    def tenants(self, collection: str, ids: Iterable[str]) -> set[str]:
        """Whose records of these ids there ever were, in the collection or a branch of it."""
        name = base(collection)
        marker = self.index.marker(name)
        found = self.index.find([marker.key(one) for one in ids])
        places = grouped(place for some in found.values() for place in some)
        tenants: set[str] = set()
        for entry in self.ever(name) if places else ():
            if entry.id in places:
                reader = self.packs.open(name, entry)
                tenants.update(reader.terms(ordinal).tenant for ordinal in places[entry.id])
        return tenants

    def erase(
        self, collection: str, ids: Iterable[str], *, author: str, lock_days: int = 0
    ) -> list[RecordsCommit]:
        """Remove records from the collection and its branches, and destroy their keys in every version, for
        ever. Hashes, versions and proofs stay whole. The versions that were made.

        DataError when one never was there, or is locked: younger than ``lock_days``.
        """
        name = base(collection)
        wanted = list(dict.fromkeys(ids))
        marker = self.index.marker(name)
        keys = {marker.key(one): one for one in wanted}
        found = self.index.find(list(keys))
        entries = {entry.id: entry for entry in self.ever(name)}
        places = {key: [p for p in found.get(key, ()) if p.pack in entries] for key in keys}
        self._erasable(name, {keys[key]: some for key, some in places.items()}, entries, lock_days)
        gone = grouped(place for some in places.values() for place in some)
        commits = [
            RecordsCommit(version, removed=len(wanted))
            for line in (name, *self.versions.branches(name))
            if (version := self._publish(line, lambda now: without(now, gone), author, "erased"))
        ]
        now = time.time_ns() // 1000
        for pack, ordinals in gone.items():
            self.packs.note_erased(name, pack, ordinals, now)
            self.keys.erase(name, pack, ordinals)
            self.index.forget(pack, [k for k, some in places.items() if any(p.pack == pack for p in some)])
        self.unquote(name, wanted)
        return commits

    def unquote(self, collection: str, ids: Collection[str]) -> None:
        """Take what reviews quote of these records out of them."""
        self._reviews.forget(base(collection), ids)

    def ever(self, collection: str) -> Iterator[PackEntry]:
        """Each pack that a version of the collection, or of a branch, ever held."""
        seen: set[str] = set()
        for entry in self.lines.ever(collection):
            if entry.id not in seen:
                seen.add(entry.id)
                yield entry

    def reindex(self, collection: str) -> int:
        """Make the index of ids anew from the packs; the number of records."""
        name = base(collection)
        marker = self.index.marker(name)
        total = 0
        for entry in self.ever(name):
            reader = self.packs.open(name, entry)
            rows = []
            for record in self.packs.ids(name, entry, range(entry.count)):
                ordinal, key, body = record
                terms = terms_of(reader.terms(ordinal))
                rows.append((marker.key(key), ordinal, marker.mark(body, terms)))
            self.index.replace(entry.id, rows)
            total += len(rows)
        return total

    def _publish(
        self,
        line: str,
        plan: Callable[[Tree[PackEntry]], Tree[PackEntry]],
        author: str,
        note: str,
        whence: Whence = BY_HAND,
        apply: Apply = nothing,
        check: Check | None = None,
    ) -> Version | None:
        """None when the plan changes nothing."""
        for _ in range(ATTEMPTS):
            head, tree = self.lines.head(line)
            after = plan(tree)
            if after.root == tree.root:
                return None
            if check:
                check(touched(tree, after))
            version = self.lines.commit(*(line, head, after, author, note), apply=apply, whence=whence)
            if version:
                return version
        raise DataError(f"Collection {line} is being changed by others all the time: try again.")

    def _unerased(self, tree: Tree[PackEntry]) -> Tree[PackEntry]:
        return without(tree, self.packs.every_erased())

    def _made(self, branch: str, head: Version, tree: Tree[PackEntry]) -> set[str]:
        """Who made a branch: authors of its versions, and contributors of the packs that are new in it."""
        first = self.lines.tree(self.versions.get(branch, 1))
        found = self.approvals.branch_authors(head)
        for before, after in first.differences(tree):
            if after is not None and before is None:
                found.update(after.contributors)
        return found

    def _places(self, collection: str, tree: Tree[PackEntry], ids: list[str]) -> dict[str, Place]:
        """Where a version holds records; those that it does not hold are left out."""
        marker = self.index.marker(base(collection))
        keys = {marker.key(one): one for one in ids}
        found = self.index.find(list(keys))
        live = {keys[key]: [p for p in some if is_live(tree, p)] for key, some in found.items()}
        return {one: some[0] for one, some in live.items() if some}

    def _key(self, collection: str, record: str) -> bytes:
        return self.index.marker(base(collection)).key(record)

    def _erasable(
        self, collection: str, places: dict[str, list[Place]], entries: dict[str, PackEntry], lock_days: int
    ) -> None:
        missing = [one for one, some in places.items() if not some]
        if missing:
            raise DataError(f"{collection} never held {_some(missing)}, or it is erased already.")
        now = time.time_ns() // 1000
        ends = {
            pack: locked_until(self._db, collection, entries[pack].at, lock_days)
            for pack in {place.pack for some in places.values() for place in some}
        }
        locked = [one for one, some in places.items() if any(ends[place.pack] > now for place in some)]
        if locked:
            days = max((end - entries[pack].at) // DAY for pack, end in ends.items())
            raise DataError(
                f"{_some(locked)} in {collection} is locked for {days} days after it came: it can be "
                "removed from the current version but not erased yet."
            )


def _some(ids: list[str]) -> str:
    named = ", ".join(repr(one[:128]) for one in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ("record " if len(ids) == 1 else "records ") + named + more


def _names(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in lists for name in names}))
