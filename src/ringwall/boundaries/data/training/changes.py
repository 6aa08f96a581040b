"""Which records differ between two versions of a training set, and where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from ..changes import Difference, Touched
from ..tree import Tree
from .entry import PackEntry
from .reading import Packs
from .record_index import terms_of
from .writing import Places


@dataclass(frozen=True, slots=True)
class At:
    """A record of one version."""

    pack: str
    ordinal: int
    digest: bytes
    """Of content and terms."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Records by id, where two versions differ. What was erased is in neither."""

    before: dict[str, At]
    after: dict[str, At]

    @property
    def difference(self) -> Difference:
        before, after = self.before, self.after
        return Difference(
            tuple(sorted(after.keys() - before.keys())),
            tuple(sorted(before.keys() - after.keys())),
            tuple(key for key in sorted(before.keys() & after.keys()) if not same(before[key], after[key])),
        )

    @property
    def results(self) -> dict[str, At | None]:
        """What is there afterwards, by id; None: nothing."""
        changed = {
            key: one
            for key, one in self.after.items()
            if key not in self.before or not same(self.before[key], one)
        }
        return {**changed, **dict.fromkeys(self.before.keys() - self.after.keys())}


def changes(packs: Packs, collection: str, old: Tree[PackEntry], new: Tree[PackEntry]) -> Changes:
    """Only packs that differ are opened; memory grows with the difference."""
    found = Changes({}, {})
    for before, after in old.differences(new):
        left = before.live if before else set()
        came = after.live if after else set()
        for entry, ordinals, into in ((before, left - came, found.before), (after, came - left, found.after)):
            if entry is not None and ordinals:
                reader = packs.open(collection, entry)
                for ordinal, key, body in packs.ids(collection, entry, ordinals):
                    digest = sha256(terms_of(reader.terms(ordinal)) + body).digest()
                    into[key] = At(entry.id, ordinal, digest)
    return found


def touched(old: Tree[PackEntry], new: Tree[PackEntry]) -> Touched:
    """Whose packs differ: nothing is opened. Of a pack of several people all count."""
    came: set[str] = set()
    gone: set[str] = set()
    tenants: set[str] = set()
    for before, after in old.differences(new):
        left, held = (one.live if one else set() for one in (before, after))
        if after and held - left:
            came.update(after.contributors)
        if before and left - held:
            gone.update(before.contributors)
        tenants.update(*(one.tenants for one in (before, after) if one))
    return Touched(frozenset(came), frozenset(gone), frozenset(tenants))


def same(one: At, other: At) -> bool:
    return one.digest == other.digest


def with_taken(
    tree: Tree[PackEntry], taken: Mapping[str, At | None], now: Mapping[str, At], theirs: Tree[PackEntry]
) -> Tree[PackEntry]:
    """A tree in which each id of ``taken`` is what is said there. ``now``: where the tree holds them."""
    gone: Places = {}
    come: Places = {}
    for key, new in taken.items():
        old = now.get(key)
        if old:
            gone.setdefault(old.pack, set()).add(old.ordinal)
        if new:
            come.setdefault(new.pack, set()).add(new.ordinal)
    put, emptied = [], []
    for pack in {*gone, *come}:
        held = tree.find(pack)
        entry = held or theirs.find(pack)
        if entry is None:
            continue
        live = ((held.live if held else set()) - gone.get(pack, set())) | come.get(pack, set())
        if live:
            put.append(entry.only(live))
        else:
            emptied.append(pack)
    return tree.changed(put, emptied)
