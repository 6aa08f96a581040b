"""The one way into a collection: read, decide, then store, quarantine or refuse."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from ringwall.core import Crossing, DataError, Decision, DeniedError, Principal
from ringwall.storage.database import Database
from ringwall.storage.s3_source import S3Sources

from .document import COMMON, Document, id_from
from .events import event
from .intake.documents import crossing_of, document_of, edited, seen, why
from .intake.files import ENDINGS, TEXT_ENDINGS, read_any
from .intake.means import Means
from .intake.process import credential_of
from .intake.receipt import Offer, Receipt
from .intake.review import Reviews
from .intake.rows import SECOND_PERSON, Progress, RowIntake
from .intake.terms import Terms
from .quarantine import Content, Held, Quarantine
from .records import Record as Row
from .settings import CollectionSettings, DataSection
from .vault import Commit, Vault

__all__ = ["Contributions", "Decide", "Offer", "Receipt", "Record"]

Decide = Callable[[Crossing], Awaitable[Decision]]
"""The gate of the workload, with the recording of its decisions."""
Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""

_STEPS = [
    "CREATE TABLE data_seed (collection TEXT NOT NULL, path TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "PRIMARY KEY (collection, path)) STRICT, WITHOUT ROWID;"
]


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
        means: Means | None = None,
    ) -> None:
        means = means or Means()
        self._section = section
        self._db = db
        self._vault = vault
        self._quarantine = quarantine
        self._decide = decide
        self._record = record
        self._training = means.training
        self._reader = means.reader
        self.reviews = Reviews(section, db, vault, quarantine, means, record)
        db.migrate("data_seed", _STEPS)

    @property
    def sources(self) -> S3Sources:
        """The places in S3 that contributions may come from."""
        return S3Sources([one.place for one in self._section.sources])

    def is_training(self, collection: str) -> bool:
        """Whether it takes rows, and not documents. DataError when there is no such collection."""
        return self._settings(collection).kind == "training"

    def bounded(self, file: BinaryIO, collection: str) -> bytes:
        """What a file holds, or so much of it as is needed to see that it is too large for the collection. It
        is closed then."""
        settings = self._settings(collection)
        with file:
            return file.read(max(settings.max_bytes, settings.max_file_bytes) + 1)

    async def add(self, offer: Offer, principal: Principal) -> Receipt:
        """Take a document for the principal's own tenant.

        Raises DeniedError when the decision is to block, DataError when the file can't be read or is
        too large.
        """
        return await self._add(offer, principal, principal.tenant, seed=False)

    async def add_records(
        self,
        collection: str,
        records: Iterable[Row],
        principal: Principal,
        terms: Terms | None = None,
        progress: Progress | None = None,
    ) -> Receipt:
        """Take rows into a training set: all at once, in one version, when the last of them was judged.

        Rows that a control holds go into quarantine as one group. Raises DeniedError when the contribution is
        refused (whole, or with ``blocked_rows: refuse`` for one row), DataError for rows that can't be taken.
        """
        settings = self._settings(collection)
        if settings.kind != "training" or self._training is None:
            raise DataError(f"{collection} is no training set: it takes documents, not rows.")
        means = (self._decide, self._record, self._reader)
        intake = RowIntake(self._section, self._quarantine, self._training, *means)
        return await intake.add(collection, settings, records, principal, terms or Terms(), progress)

    async def seed(self, collection: str, folder: Path, principal: Principal) -> list[Receipt]:
        """Take the files of a folder as documents for all tenants; a file that did not change since the last
        time is left alone, whatever became of it. Files that are gone stay stored."""
        receipts = []
        for path in await asyncio.to_thread(files_below, folder):
            place = path.relative_to(folder).as_posix()
            file = await asyncio.to_thread(path.open, "rb")
            raw = await asyncio.to_thread(self.bounded, file, collection)
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
        """See ``Reviews.content``."""
        return self.reviews.content(held, by)

    async def release(self, held: str, by: Principal, reason: str = "") -> Receipt:
        """Store what was quarantined: by somebody of an approver role who did not contribute it, nor through
        the same credential. Raises DeniedError for anybody else, DataError when it was decided already."""
        return await self.reviews.release(held, by, reason)

    async def reject(self, held: str, by: Principal, reason: str = "") -> None:
        """Refuse it for good. It is kept, sealed, as evidence. Raises as ``release``."""
        await self.reviews.reject(held, by, reason)

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
            await self._record(event("data.erased", by, collection=collection, document=document))

    async def _seeded(self, offer: Offer, principal: Principal) -> Receipt:
        decision = ""
        try:
            return await self._add(offer, principal, COMMON, seed=True)
        except DeniedError as denied:
            told, decision = str(denied), denied.decision_id
        except DataError as error:
            if Path(offer.name).suffix.lower() in TEXT_ENDINGS:
                raise
            told = str(error)  # of a file that people make with other programs; the others still count
        where = (offer.collection, id_from(offer.name))
        return Receipt("refused", *where, reasons=(told,), decision=decision)

    async def _add(self, offer: Offer, principal: Principal, tenant: str, *, seed: bool) -> Receipt:
        settings = self._settings(offer.collection)
        if settings.kind != "index":
            raise DataError(f"{offer.collection} is a training set: it takes rows, not documents.")
        reading = await read_any(offer.raw, offer.name, settings, self._reader, principal.owner)
        document = document_of(offer, reading, principal, tenant, self._section, seed=seed)
        document.to_bytes()  # DataError for what is no Unicode, before anybody decides on it
        decision = await self._decide(crossing_of(document, reading, principal, settings, seed=seed))
        if decision.blocked:
            told = " ".join(decision.reasons) or "It is not allowed here."
            raise DeniedError(f"The document {document.id!r} was refused. {told}", decision.id)
        stored = edited(document, decision)
        if decision.held or settings.two_person:
            return await self._quarantined(
                Content(document, stored, why(decision), seen(decision)), decision, principal
            )
        commit = await asyncio.to_thread(
            self._vault.commit, offer.collection, add=[stored], author=principal.subject, note="added"
        )
        where = (document.collection, document.id)
        if commit is None:
            return Receipt("unchanged", *where, decision=decision.id, contribution=document.contribution)
        await self._noted(commit)
        await self._contributed(document, principal, decision, "")
        return Receipt(
            "stored",
            *where,
            name=commit.added[0],
            reasons=decision.reasons,
            decision=decision.id,
            commit=commit,
            contribution=document.contribution,
        )

    async def _quarantined(self, content: Content, decision: Decision, by: Principal) -> Receipt:
        if not decision.held:
            content = replace(content, reasons=(SECOND_PERSON, *content.reasons))
        document = content.original
        mark = self._vault.fingerprint(document)
        held = await asyncio.to_thread(self._quarantine.hold, content, decision.id, mark, credential_of(by))
        await self._contributed(document, by, decision, held.id)
        return Receipt(
            "quarantined",
            document.collection,
            document.id,
            reasons=content.reasons,
            decision=decision.id,
            held=held.id,
            contribution=document.contribution,
        )

    async def _contributed(self, document: Document, by: Principal, decision: Decision, held: str) -> None:
        if self._record:
            await self._record(
                event(
                    "data.contributed",
                    by,
                    collection=document.collection,
                    document=document.id,
                    contribution=document.contribution,
                    process=document.process,
                    licence=document.licence,
                    sha256=document.sha256,
                    signer=document.signer,
                    decision=decision.id,
                    held=held,
                )
            )

    def _settings(self, collection: str) -> CollectionSettings:
        settings = self._section.of(collection)
        if settings is None:
            known = ", ".join(sorted(self._section.collections)) or "none"
            raise DataError(f"There is no collection {collection!r}; known: {known}.")
        return settings

    def _owner(self, collection: str, document: str, by: Principal) -> None:
        entry = self._vault.manifest(collection).find(document)
        tenants = {entry.tenant} if entry else self._vault.tenants(collection, document)
        if not tenants:
            raise DataError(f"Collection {collection} never held a document {document!r}.")
        settings = self._settings(collection)
        roles = set(settings.contributors)
        if settings.two_person:  # what took two to come in is not one contributor's to take out
            roles = set(settings.approvers or settings.contributors)
            brought = {entry.contributor} if entry else self._vault.contributors(collection, document)
            if by.subject in brought:
                raise DeniedError(
                    f"Somebody other than {by.subject}, who brought it, has to take it out.", ""
                )
        if not by.authenticated or not by.roles & roles or not tenants <= {COMMON, by.tenant}:
            raise DeniedError(f"{by.subject} may not change this document of {collection}.", "")

    async def _noted(self, commit: Commit) -> None:
        if self._record:
            await self._record(commit.event())


def files_below(folder: Path) -> list[Path]:
    """Documents below the folder; a link that leads out of it is not followed."""
    if not folder.is_dir():
        raise DataError(f"The documents folder {folder.name!r} is not there: create it or name another.")
    root = folder.resolve()
    found = [path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()]
    return [folder / path.relative_to(root) for path in sorted(found) if path.resolve().is_relative_to(root)]
