"""Find and locate damage in the vault: a flipped byte, a dropped version, a reordered manifest."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringwall.core import DataError

from .document import cite
from .index import RetrievalStore
from .manifest import Manifest
from .vault import Vault, Version, chain


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was committed."""

    collection: str
    version: int
    """0 when it concerns the collection as a whole."""
    document: str
    """Cited name; empty when it concerns the version."""
    message: str


def verify(
    vault: Vault, index: RetrievalStore, anchors: Mapping[str, tuple[int, str]] | None = None
) -> list[Damage]:
    """Read everything that was ever committed; what is wrong, in order. Empty: all is sound.

    ``anchors``: collection to (version, chain) as the ledger has the last ``data.version`` event of each.
    Without them, somebody who can write to the database can cut off the newest versions unseen.
    """
    found: list[Damage] = []
    current: dict[tuple[str, str], int] = {}
    unknown: set[str] = set()
    checked: dict[str, str] = {}
    erased = vault.erased()
    heads = vault.heads()
    for collection in sorted({*vault.collections(), *(anchors or {})}):
        versions = vault.versions(collection)
        found.extend(_chain(collection, versions))
        found.extend(_ends(collection, versions, heads.get(collection), "The head record"))
        if anchors is not None and collection in anchors:
            found.extend(_anchored(collection, versions, anchors[collection]))
        manifest: Manifest | None = Manifest(collection, 0)
        for version in versions:
            try:
                manifest = vault.manifest_of(version)
            except DataError as error:
                found.append(Damage(collection, version.number, "", str(error)))
                manifest = None
                continue
            found.extend(_documents(vault, version, manifest, erased, checked))
        if manifest is None:
            unknown.add(collection)
            continue
        current.update({(collection, entry.id): entry.revision for entry in manifest.entries})
    for place in index.missing(current):
        collection = place.split("/", 1)[0]
        if collection in unknown:
            continue
        found.append(Damage(collection, 0, place, f"The index and the vault disagree about {place}."))
    return found


def _chain(collection: str, versions: list[Version]) -> list[Damage]:
    found = []
    previous, expected = "", 1
    for version in versions:
        if version.number != expected:
            gap = (
                f"Version {expected} is missing."
                if version.number == expected + 1
                else (f"Versions {expected} to {version.number - 1} are missing.")
            )
            found.append(Damage(collection, expected, "", gap))
        elif version.chain != chain(version, previous):
            found.append(
                Damage(collection, version.number, "", "Its record was changed: the hash chain breaks here.")
            )
        previous, expected = version.chain, version.number + 1
    return found


def _ends(
    collection: str, versions: list[Version], head: tuple[int, str] | None, source: str
) -> list[Damage]:
    last = (versions[-1].number, versions[-1].chain) if versions else (0, "")
    if head is None:
        return [Damage(collection, 0, "", f"{source} of the collection is missing.")]
    if head[0] > last[0]:
        return [Damage(collection, last[0] + 1, "", f"{source} names version {head[0]}; it was dropped.")]
    if head != last:
        return [Damage(collection, last[0], "", f"{source} does not agree with the last version.")]
    return []


def _anchored(collection: str, versions: list[Version], anchor: tuple[int, str]) -> list[Damage]:
    """The ledger may lag behind by a version (a process killed between commit and record), never lead."""
    number, expected = anchor
    at = next((version for version in versions if version.number == number), None)
    if at is None:
        return [Damage(collection, number, "", f"The ledger names version {number}; it was dropped.")]
    if at.chain != expected:
        return [Damage(collection, number, "", "It is not the version that is on the ledger.")]
    return []


def _documents(
    vault: Vault, version: Version, manifest: Manifest, erased: set[str], checked: dict[str, str]
) -> list[Damage]:
    """Each blob is read once, however many versions share it."""
    found = []
    for entry in manifest.entries:
        if entry.blob not in checked:
            checked[entry.blob] = vault.examine(manifest.collection, entry, entry.owner in erased)
        if checked[entry.blob]:
            name = cite(manifest.collection, entry.id, entry.revision)
            found.append(Damage(manifest.collection, version.number, name, checked[entry.blob]))
    return found
