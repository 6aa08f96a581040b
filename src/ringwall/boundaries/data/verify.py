"""Find and locate damage in the vault: flipped bytes, dropped versions, reordered manifests, edited rows.

For each line of versions, of either kind:
1. versions are numbered without gaps, and each one's chain hash binds it to the one before;
2. the head record agrees with the last version, and the ledger's last word with the version it names;
3. each manifest, and each part of it, is what the version's Merkle root says;
4. each document, pack and record is what the manifest says;
5. what the database keeps beside (search index, revisions, ids of records, approvals) agrees with all that.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ringwall.core import DataError

from .approvals import Approvals, Said
from .damage import Damage, Problem, walk
from .document import Document, cite
from .index import RetrievalStore
from .manifest import Entry
from .training.check import check_training
from .training.sets import TrainingSets
from .vault import Vault
from .versions import Version, Versions, chain

_AT_ONCE = 64
"""Documents whose rows are examined at a time."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """What the ledger says, which the database can't take back."""

    versions: Mapping[str, tuple[int, str]] | None = None
    """Number and chain of the last ``data.version`` event of each line; None: not asked."""
    announced: frozenset[tuple[str, int, str]] = frozenset()
    """Line, number and chain of versions that were about to be made, after those."""
    approvals: Mapping[str, tuple[str, str, int]] | None = None
    """Chain, subject and time by name (``LINE@NUMBER``) of each ``data.approved`` event; None: not asked."""
    assents: frozenset[Said] | None = None
    """Each person's word for a version; None: not asked."""


def verify(
    vault: Vault,
    index: RetrievalStore,
    anchors: Mapping[str, tuple[int, str]] | Anchors | None = None,
    training: TrainingSets | None = None,
) -> list[Damage]:
    """Read everything that was ever committed; what is wrong, in order. Empty: all is sound.

    Without ``anchors``, somebody who can write to the database can cut off the newest versions unseen.
    """
    said = anchors if isinstance(anchors, Anchors) else Anchors(anchors)
    versions = vault.lines.versions
    found: list[Damage] = []
    for line in sorted({*versions.every_line(), *(said.versions or ())}):
        found.extend(_line(versions, line))
        if said.versions is not None:
            found.extend(_anchored(line, versions.whatever(line), said.versions.get(line)))
            found.extend(_unsaid(line, versions.whatever(line), said))
    found.extend(_documents(vault, index))
    found.extend(_approvals(vault.approvals, said.approvals))
    found.extend(_assents(vault.approvals, said.assents))
    found.extend(vault.broken_locks(training))
    if training is not None:
        found.extend(check_training(training))
    return found


def _line(versions: Versions, line: str) -> list[Damage]:
    """Steps 1 and 2, within the database."""
    made = versions.whatever(line)
    return _chain(versions, line, made) + _ends(line, made, versions.heads().get(line), "The head record")


def _unsaid(line: str, made: list[Version], said: Anchors) -> list[Damage]:
    """A process killed between commit and record leaves a version that the ledger knows by its announcement
    alone. One that it does not know at all: the ledger was put back, or it was made behind its back."""
    known = (said.versions or {}).get(line, (0, ""))[0]
    unknown = [
        one.number
        for one in made
        if one.number > known and (line, one.number, one.chain) not in said.announced
    ]
    if not unknown:
        return []
    which = f"version {unknown[0]}" if len(unknown) == 1 else f"versions {unknown[0]} to {unknown[-1]}"
    return [Damage(line, unknown[0], "", f"The ledger knows nothing of {which}.")]


def _chain(versions: Versions, line: str, made: list[Version]) -> list[Damage]:
    found = []
    previous, expected = _origin(versions, made), 1
    for version in made:
        if version.number != expected:
            gap = (
                f"Version {expected} is missing."
                if version.number == expected + 1
                else f"Versions {expected} to {version.number - 1} are missing."
            )
            found.append(Damage(line, expected, "", gap))
        elif version.chain != chain(version, previous):
            found.append(
                Damage(line, version.number, "", "Its record was changed: the hash chain breaks here.")
            )
        previous, expected = version.chain, version.number + 1
    return found


def _origin(versions: Versions, made: list[Version]) -> str:
    """The chain that a branch begins with."""
    if not made or not made[0].forked:
        return ""
    line, _, number = made[0].forked.rpartition("@")
    return next((one.chain for one in versions.whatever(line) if str(one.number) == number), "")


def _ends(line: str, made: list[Version], head: tuple[int, str] | None, source: str) -> list[Damage]:
    last = (made[-1].number, made[-1].chain) if made else (0, "")
    if head is None:
        return [Damage(line, 0, "", f"{source} of the collection is missing.")]
    if head[0] > last[0]:
        return [Damage(line, last[0] + 1, "", f"{source} names version {head[0]}; it was dropped.")]
    if head != last:
        return [Damage(line, last[0], "", f"{source} does not agree with the last version.")]
    return []


def _anchored(line: str, made: list[Version], anchor: tuple[int, str] | None) -> list[Damage]:
    """The ledger never leads."""
    if anchor is None:
        return []
    number, expected = anchor
    at = next((version for version in made if version.number == number), None)
    if at is None:
        return [Damage(line, number, "", f"The ledger names version {number}; it was dropped.")]
    if at.chain != expected:
        return [Damage(line, number, "", "It is not the version that is on the ledger.")]
    return []


def _documents(vault: Vault, index: RetrievalStore) -> list[Damage]:
    vault.lines.forget()
    found = _erasures(vault)
    current: dict[tuple[str, str], int] = {}
    unknown: set[str] = set()
    erased = vault.erased()
    for collection in vault.collections():
        seen: dict[str, list[Problem]] = {}
        checked: dict[str, list[Problem]] = {}

        def look(
            entry: Entry, collection: str = collection, checked: dict[str, list[Problem]] = checked
        ) -> list[Problem]:
            """Each blob is read once, however many versions share it."""
            if entry.blob not in checked:
                name = cite(collection, entry.id, entry.revision)
                wrong = vault.examine(collection, entry, entry.owner in erased)
                checked[entry.blob] = [Problem(name, wrong)] if wrong else []
            return checked[entry.blob]

        for line in (collection, *vault.lines.versions.branches(collection)):
            found.extend(walk(vault.lines, line, look, seen))
        try:
            current.update({(collection, one.id): one.revision for one in vault.manifest(collection).entries})
            found.extend(_revisions(vault, collection))
            found.extend(_rows(vault, index, collection, erased))
        except DataError:  # said above
            unknown.add(collection)
    for place in index.missing(current):
        collection = place.split("/", 1)[0]
        if collection not in unknown:
            found.append(Damage(collection, 0, place, f"The index and the vault disagree about {place}."))
    return found


def _rows(vault: Vault, index: RetrievalStore, collection: str, erased: set[str]) -> Iterator[Damage]:
    """What is retrieved of each current document, against the document."""
    documents = _readable(vault, collection, erased)
    while some := list(islice(documents, _AT_ONCE)):
        for document, wrong in zip(some, index.examine(some), strict=True):
            if wrong:
                yield Damage(collection, 0, document.name, wrong)


def _readable(vault: Vault, collection: str, erased: set[str]) -> Iterator[Document]:
    for entry in vault.manifest(collection).entries:
        if entry.owner not in erased:
            with suppress(DataError):  # said of the document
                yield vault.open(collection, entry)


def _erasures(vault: Vault) -> list[Damage]:
    try:
        return [
            Damage(name.partition("/")[0], 0, name, f"The note that {name} was erased is not genuine.")
            for name in vault.false_erasures()
        ]
    except DataError:  # the collection's secret is damaged, as each of its documents tells
        return []


def _revisions(vault: Vault, collection: str) -> list[Damage]:
    made = {
        (one.id, one.revision, one.owner, one.contributor, one.tenant, one.at)
        for one in vault.lines.ever(collection)
    }
    known = {
        (one.document, one.revision, one.owner, one.contributor, one.tenant, one.at)
        for one in vault.revisions(collection)
    }
    names = {cite(collection, one[0], one[1]) for one in made ^ known}
    return [
        Damage(collection, 0, name, f"The table of revisions and the manifests disagree about {name}.")
        for name in sorted(names)
    ]


def _approvals(approvals: Approvals, said: Mapping[str, tuple[str, str, int]] | None) -> list[Damage]:
    """An approval names a version that is there; the ledger knows it, and knows no other."""
    found = []
    held = set()
    for approval in approvals.every():
        name = f"{approval.collection}@{approval.version}"
        held.add(name)
        version = approvals.version(approval.collection, approval.version)
        if version is None or version.chain != approval.chain:
            message = "What was approved is not this version."
        elif said is not None and said.get(name) != (approval.chain, approval.by, approval.at):
            message = "The ledger knows of no such approval of this version."
        else:
            continue
        found.append(Damage(approval.collection, approval.version, "", message))
    for name in sorted(set(said or ()) - held):
        line, _, number = name.rpartition("@")
        found.append(Damage(line, int(number), "", "Its approval is on the ledger and not in the database."))
    return found


def _assents(approvals: Approvals, said: frozenset[Said] | None) -> list[Damage]:
    """Nobody's word is in the database and not on the ledger, or the other way round: one that was made up
    would let an author approve alone."""
    held = {one.said for one in approvals.every_assent()}
    found = []
    for name, *_ in sorted(held ^ said) if said is not None else ():
        line, _, number = name.rpartition("@")
        message = "The ledger and the database disagree about who said that this version is good."
        found.append(Damage(line, int(number), "", message))
    return found
