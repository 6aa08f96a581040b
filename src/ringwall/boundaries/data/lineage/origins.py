"""Who brought what into a version of a training set, and under which terms: read from its packs."""

from collections.abc import Iterator

from ..names import base
from ..training.pack import PackReader, ordinals
from ..training.sets import TrainingSets
from ..versions import Version
from .bom import SetFacts


def contributors(sets: TrainingSets, version: Version) -> set[str]:
    """Everybody of whom the version holds a record."""
    return {reader.source(one)["contributor"] for reader, held in _held(sets, version) for one in held}


def brought(sets: TrainingSets, version: Version, subject: str) -> list[str]:
    """Ids of the records of a version that a person contributed and that were not erased, in order of packs.

    DataError when a pack is damaged.
    """
    name = base(version.collection)
    found: list[str] = []
    for entry in sets.lines.tree(version):
        if subject not in entry.contributors:
            continue
        reader = sets.packs.open(name, entry)
        held = ordinals(entry.count, entry.dropped)
        theirs = [one for one in held if reader.source(one)["contributor"] == subject]
        found += [key for _, key, _ in sets.packs.ids(name, entry, theirs)]
    return found


def facts(sets: TrainingSets, version: Version, sensitivity: tuple[str, ...]) -> SetFacts:
    """What a bill of materials says of a version. ``sensitivity``: the collection's data classes."""
    sources = {
        (source["contributor"], source["licence"])
        for reader, held in _held(sets, version)
        for source in (reader.source(one) for one in held)
    }
    return SetFacts(
        *(base(version.collection), version.number, sets.count(version.collection, version.number)),
        *(version.root, version.chain, version.at),
        contributors=tuple(sorted({who for who, _ in sources if who})),
        licences=tuple(sorted({licence for _, licence in sources if licence})),
        sensitivity=sensitivity,
    )


def _held(sets: TrainingSets, version: Version) -> Iterator[tuple[PackReader, list[int]]]:
    for entry in sets.lines.tree(version):
        yield sets.packs.open(base(version.collection), entry), ordinals(entry.count, entry.dropped)
