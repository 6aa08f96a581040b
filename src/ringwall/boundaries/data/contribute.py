"""The one way into a collection: read, decide, then store, quarantine or refuse."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ringwall.core import (
    Crossing,
    CrossingKind,
    DataError,
    Decision,
    DeniedError,
    Label,
    Part,
    PartKind,
    Principal,
    apply_edits,
    new_id,
)
from ringwall.core.label import Integrity
from ringwall.storage.database import Database

from .document import COMMON, Access, Document, check_id, id_from, split_readers
from .quarantine import Content, Held, Quarantine
from .read import Reading, read
from .settings import CollectionSettings, DataSection
from .vault import Commit, Vault

Decide = Callable[[Crossing], Awaitable[Decision]]
"""The gate of the workload, with the recording of its decisions."""
Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""

_ENDINGS = frozenset({".md", ".markdown", ".txt", ".html", ".htm"})
_STEPS = [
    "CREATE TABLE data_seed (collection TEXT NOT NULL, path TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "PRIMARY KEY (collection, path)) STRICT, WITHOUT ROWID;"
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a contribution."""

    status: str
    """``stored``, ``unchanged``, ``quarantined`` or (in a seed) ``refused``."""
    collection: str
    document: str
    name: str = ""
    """Cited name of the revision that was stored."""
    reasons: tuple[str, ...] = ()
    decision: str = ""
    """Id of the decision."""
    held: str = ""
    """Id in quarantine."""
    commit: Commit | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A file on its way in."""

    collection: str
    name: str
    """File name; its ending says how to read it."""
    raw: bytes
    origin: str = ""
    """Where it came from; default: its name."""
    document: str = ""
    """Id; default: made from the name."""


class Contributions:
    """Everything that writes to collections goes through here."""

    def __init__(
        self,
        section: DataSection,
        db: Database,
        vault: Vault,
        quarantine: Quarantine,
        decide: Decide,
        record: Record | None = None,
    ) -> None:
        self._section = section
        self._db = db
        self._vault = vault
        self._quarantine = quarantine
        self._decide = decide
        self._record = record
        db.migrate("data_seed", _STEPS)

    async def add(self, offer: Offer, principal: Principal) -> Receipt:
        """Take a document for the principal's own tenant.

        Raises DeniedError when the decision is to block, DataError when the file can't be read or is
        too large.
        """
        return await self._add(offer, principal, principal.tenant, seed=False)

    async def seed(self, collection: str, folder: Path, principal: Principal) -> list[Receipt]:
        """Take the files of a folder as documents for all tenants; a file that did not change since the last
        time is left alone, whatever became of it. Files that are gone stay stored."""
        settings = self._settings(collection)
        receipts = []
        for path in await asyncio.to_thread(_files, folder):
            place = path.relative_to(folder).as_posix()
            raw = await asyncio.to_thread(_bounded, path, settings.max_bytes)
            mark = self._vault.mark(collection, raw)
            known = self._db.one(
                "SELECT fingerprint FROM data_seed WHERE collection = ? AND path = ?", collection, place
            )
            if known and known["fingerprint"] == mark:
                receipts.append(Receipt("unchanged", collection, id_from(place)))
                continue
            offer = Offer(collection, place, raw, f"{folder.name}/{place}")
            receipts.append(await self._seeded(offer, principal))
            self._db.write("INSERT OR REPLACE INTO data_seed VALUES (?, ?, ?)", collection, place, mark)
        return receipts

    def quarantined(self, collection: str = "") -> list[Held]:
        """What waits for a person."""
        return self._quarantine.waiting(collection)

    def review(self, held: str, by: Principal) -> Content:
        """What was contributed, and what would be stored. DeniedError for whoever may not decide on it."""
        found = self._quarantine.find(held)
        self._reviewer(found, by)
        return self._quarantine.content(held)

    async def release(self, held: str, by: Principal) -> Receipt:
        """Store a quarantined document: by a contributor of the collection who did not contribute it.

        Raises DeniedError for anybody else, DataError when it was already decided.
        """
        found = self._quarantine.find(held)
        self._reviewer(found, by)
        commit = await asyncio.to_thread(self._release, found, by)
        await self._note("data.released", found, by)
        if commit:
            await self._noted(commit)
        name = commit.added[0] if commit and commit.added else ""
        return Receipt("stored", found.collection, found.document, name, held=held, commit=commit)

    async def reject(self, held: str, by: Principal) -> None:
        """Refuse a quarantined document for good. It is kept, sealed, as evidence. Raises as ``release``."""
        found = self._quarantine.find(held)
        self._reviewer(found, by)
        self._quarantine.decide(held, "rejected", by.subject)
        await self._note("data.rejected", found, by)

    async def remove(self, collection: str, document: str, by: Principal) -> Commit | None:
        """Make a version without a document; earlier versions keep it."""
        self._owner(collection, document, by)
        commit = await asyncio.to_thread(
            self._vault.commit, collection, remove=[document], author=by.subject, note="removed"
        )
        if commit:
            await self._noted(commit)
        return commit

    async def erase(self, collection: str, document: str, by: Principal) -> None:
        """Remove a document and destroy its keys, in quarantine as well. DataError when it is locked."""
        self._owner(collection, document, by)
        lock = self._settings(collection).lock_days
        commit = await asyncio.to_thread(
            self._vault.erase, collection, document, author=by.subject, lock_days=lock
        )
        await asyncio.to_thread(self._quarantine.erase, collection, document)
        if commit:
            await self._noted(commit)
        if self._record:
            await self._record(_event("data.erased", by, collection=collection, document=document))

    async def _seeded(self, offer: Offer, principal: Principal) -> Receipt:
        try:
            return await self._add(offer, principal, COMMON, seed=True)
        except DeniedError as denied:
            return Receipt(
                *("refused", offer.collection, id_from(offer.name)),
                reasons=(str(denied),),
                decision=denied.decision_id,
            )

    async def _add(self, offer: Offer, principal: Principal, tenant: str, *, seed: bool) -> Receipt:
        settings = self._settings(offer.collection)
        if len(offer.raw) > settings.max_bytes:
            raise DataError(
                f"The document has {len(offer.raw)} bytes; {offer.collection} takes at most "
                f"{settings.max_bytes}: split it, or raise max_bytes."
            )
        reading = await asyncio.to_thread(read, offer.raw, offer.name)
        document = _document(offer, reading, principal, tenant, settings)
        document.to_bytes()  # DataError for what is no Unicode, before anybody decides on it
        decision = await self._decide(_crossing(document, principal, settings, seed=seed))
        where = (document.collection, document.id)
        if decision.blocked:
            why = " ".join(decision.reasons) or "It is not allowed here."
            raise DeniedError(f"The document {document.id!r} was refused. {why}", decision.id)
        edited = _edited(document, decision)
        if decision.held:
            content = Content(document, edited, _why(decision))
            mark = self._vault.fingerprint(document)
            held = await asyncio.to_thread(self._quarantine.hold, content, decision.id, mark)
            return Receipt("quarantined", *where, reasons=content.reasons, decision=decision.id, held=held.id)
        commit = await asyncio.to_thread(
            self._vault.commit, offer.collection, add=[edited], author=principal.subject, note="added"
        )
        if commit is None:
            return Receipt("unchanged", *where, decision=decision.id)
        await self._noted(commit)
        return Receipt(
            "stored",
            *where,
            name=commit.added[0],
            reasons=decision.reasons,
            decision=decision.id,
            commit=commit,
        )

    def _release(self, found: Held, by: Principal) -> Commit | None:
        """One transaction: of two reviewers who disagree, one is told that it was already decided."""
        edited = self._quarantine.content(found.id).edited
        with self._db.transaction():
            self._quarantine.decide(found.id, "stored", by.subject)
            return self._vault.commit(
                found.collection, add=[edited], author=by.subject, note=f"released {found.id}"
            )

    def _settings(self, collection: str) -> CollectionSettings:
        try:
            return self._section.collections[collection]
        except KeyError:
            known = ", ".join(sorted(self._section.collections)) or "none"
            raise DataError(f"There is no collection {collection!r}; known: {known}.") from None

    def _reviewer(self, found: Held, by: Principal) -> None:
        self._contributor(found.collection, found.tenant, by, found.decision)
        if by.subject == found.contributor:
            raise DeniedError("Somebody other than the contributor has to decide on it.", found.decision)

    def _owner(self, collection: str, document: str, by: Principal) -> None:
        entry = self._vault.manifest(collection).find(document)
        tenants = {entry.tenant} if entry else self._vault.tenants(collection, document)
        if not tenants:
            raise DataError(f"Collection {collection} never held a document {document!r}.")
        for tenant in tenants:
            self._contributor(collection, tenant, by, "")

    def _contributor(self, collection: str, tenant: str, by: Principal, decision: str) -> None:
        roles = set(self._settings(collection).contributors)
        if not by.authenticated or not by.roles & roles or tenant not in (COMMON, by.tenant):
            raise DeniedError(f"{by.subject} may not change this document of {collection}.", decision)

    async def _noted(self, commit: Commit) -> None:
        if self._record:
            await self._record(commit.event())

    async def _note(self, kind: str, found: Held, by: Principal) -> None:
        if self._record:
            event = _event(kind, by, collection=found.collection, document=found.document, held=found.id)
            await self._record({**event, "decision": found.decision, "contributor": found.contributor})


def _document(
    offer: Offer, reading: Reading, principal: Principal, tenant: str, settings: CollectionSettings
) -> Document:
    roles, subjects = split_readers(reading.front.readers)
    if reading.front.readers and not any(roles) and not any(subjects):
        raise DataError("The readers of the document name nobody: leave them out or name a role.")
    return Document(
        collection=offer.collection,
        id=check_id(offer.document) if offer.document else id_from(offer.name),
        title=_line(reading.title, 300),
        text=reading.text,
        origin=_line(reading.front.source or offer.origin or offer.name, 2000),
        contributor=principal.subject,
        at=time.time_ns() // 1000,
        access=Access(tenant, roles, subjects),
        sensitivity=frozenset({*settings.sensitivity, *reading.front.sensitivity}),
        hidden=reading.hidden_text,
    )


def _crossing(
    document: Document, principal: Principal, settings: CollectionSettings, *, seed: bool
) -> Crossing:
    """Part 0 is the document; part 1, when there is any, what it hides: every control sees both."""
    origin = frozenset({f"document:{document.collection}/{document.id}"})
    label = Label(Integrity.UNTRUSTED, document.sensitivity, origin)
    data: dict[str, Any] = {
        "collection": document.collection,
        "document": document.id,
        "origin": document.origin,
        "contributor": document.contributor,
        "contributors": sorted(settings.contributors),
        "tenant": document.access.tenant,
        "readers": sorted(document.access.roles),
        "subjects": sorted(document.access.subjects),
        "classes": sorted(document.sensitivity),
        "hidden": False,
    }
    parts = [Part(PartKind.DOCUMENT, document.text, label, name=document.title, data=data, ref=document.id)]
    if document.hidden:
        hidden = {**data, "hidden": True}
        parts.append(
            Part(PartKind.DOCUMENT, document.hidden, label, name=document.title, data=hidden, ref=document.id)
        )
    return Crossing(
        CrossingKind.CONTRIBUTION,
        principal,
        tuple(parts),
        endpoint="data.add",
        context={"collection": document.collection, "seed": seed},
    )


def _edited(document: Document, decision: Decision) -> Document:
    edits = decision.joined.edits
    if any(edit.drop and edit.part == 0 for edit in edits):
        raise DeniedError(f"The document {document.id!r} was refused: nothing of it may stay.", decision.id)
    text = apply_edits(document.text, [edit for edit in edits if edit.part == 0])
    hidden = apply_edits(document.hidden, [edit for edit in edits if edit.part == 1])
    return replace(document, text=text, hidden=hidden)


def _why(decision: Decision) -> tuple[str, ...]:
    messages = dict.fromkeys(finding.message for finding in decision.joined.findings)
    return (*decision.reasons, *list(messages)[:20])


def _line(text: str, longest: int) -> str:
    """One printable line: titles and origins are shown to models and people beside the text."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())[:longest]


def _event(kind: str, by: Principal, **facts: str) -> dict[str, Any]:
    head = {"id": new_id("dat"), "type": kind, "at": time.time_ns() // 1000, "boundary": "data"}
    return {**head, "subject": by.subject, "tenant": by.tenant, **facts}


def _files(folder: Path) -> list[Path]:
    """Documents below the folder; a link that leads out of it is not followed."""
    if not folder.is_dir():
        raise DataError(f"The documents folder {folder.name!r} is not there: create it or name another.")
    root = folder.resolve()
    found = [path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file()]
    return [folder / path.relative_to(root) for path in sorted(found) if path.resolve().is_relative_to(root)]


def _bounded(path: Path, longest: int) -> bytes:
    """One byte more than allowed is enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(longest + 1)
