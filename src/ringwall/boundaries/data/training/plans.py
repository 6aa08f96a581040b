"""Trees of packs, changed: what is taken out; what was written against a version that is the last no more."""

from collections.abc import Iterable

from ..tree import Tree
from .entry import PackEntry
from .reading import Packs
from .record_index import Place, RecordIndex, terms_of
from .writing import Places, Written, check_tenant, is_live


def without(tree: Tree[PackEntry], gone: Places, more: Iterable[PackEntry] = ()) -> Tree[PackEntry]:
    """A tree in which records are dropped, and packs added; packs of which it does not hold any record are
    left out."""
    put, emptied = [*more], []
    for pack, ordinals in gone.items():
        entry = tree.find(pack)
        if entry is None:
            continue
        left = entry.without(ordinals)
        if left.held:
            put.append(left)
        else:
            emptied.append(pack)
    return tree.changed(put, emptied)


def grouped(places: Iterable[Place]) -> Places:
    found: Places = {}
    for place in places:
        found.setdefault(place.pack, set()).add(place.ordinal)
    return found


def settled(
    packs: Packs, index: RecordIndex, collection: str, tree: Tree[PackEntry], written: Written
) -> Written:
    """Packs that were written against one version, made to fit another one that came between."""
    marker = index.marker(collection)
    own = {pack.id for pack in written.packs}
    fits = Written(unchanged=written.unchanged)
    for pack in written.packs:
        reader = packs.open(collection, pack)
        rows = {marker.key(key): (o, body) for o, key, body in packs.ids(collection, pack, range(pack.count))}
        found = index.find(list(rows))
        same: set[int] = set()
        for key, (ordinal, body) in rows.items():
            held = [p for p in found.get(key, ()) if p.pack not in own and is_live(tree, p)]
            mark = marker.mark(body, terms_of(reader.terms(ordinal)))
            if any(place.mark == mark for place in held):
                same.add(ordinal)
                continue
            for place in held:
                check_tenant(tree, place, reader.terms(ordinal).tenant, place.pack)
                fits.superseded.setdefault(place.pack, set()).add(place.ordinal)
            fits.changed += bool(held)
            fits.added += not held
        fits.unchanged += len(same)
        if len(same) < pack.count:
            fits.packs.append(pack.without(same))
    return fits
