"""What waits in quarantine, before the person who decides on it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ringwall.core import DataError, DeniedError, Principal
from ringwall.storage.database import Database

from ..document import COMMON, Document
from ..events import event
from ..quarantine import Content, Held, Quarantine
from ..records import Record as Row
from ..settings import CollectionSettings, DataSection
from ..training.sets import RecordsCommit
from ..vault import Commit, Vault
from .held_rows import HeldRow
from .means import Means
from .process import same_credential
from .receipt import Receipt
from .terms import line

Note = Callable[[Mapping[str, Any]], Awaitable[None]]
_REASON = 500


@dataclass(frozen=True, slots=True)
class HeldPage:
    """Some rows of a held contribution, and what is to be known of the whole."""

    held: Held
    rows: tuple[HeldRow, ...]
    start: int
    """Number of the first of them, from 0."""
    reasons: tuple[str, ...]
    counts: Mapping[str, int]
    """``rows`` contributed, ``flagged`` by a control, ``left_out``."""


class Reviews:
    """Who may see and decide is checked here, whichever way the person comes."""

    def __init__(
        self,
        section: DataSection,
        db: Database,
        vault: Vault,
        quarantine: Quarantine,
        means: Means,
        note: Note | None,
    ) -> None:
        self._section = section
        self._vault = vault
        self._quarantine = quarantine
        self._training = means.training
        self._policy = means.policy
        self._note = note

    def waiting(self, by: Principal) -> list[Held]:
        """What this person may know of, oldest first: also what they brought themselves."""
        return [held for held in self._quarantine.waiting() if self._knows(held, by)]

    def _knows(self, held: Held, by: Principal) -> bool:
        settings = self._section.of(held.collection)
        return settings is not None and _at_home(held, settings, by)

    def find(self, held: str) -> Held:
        """DataError when there is none."""
        return self._quarantine.find(held)

    def barred(self, held: Held, by: Principal) -> str:
        """Why this person may not decide on it; empty when they may."""
        settings = self._section.of(held.collection)
        if settings is None:
            return "The collection is no longer in the workload file."
        if not _at_home(held, settings, by):
            return f"{by.subject} may not decide on what is contributed to {held.collection}."
        if by.subject == held.contributor:
            return "Somebody other than the contributor has to decide on it."
        if same_credential(held.credential, by):
            return "It was contributed with the credential that you use: somebody else has to decide on it."
        return self._policy.refuses_release(held, settings, by) if self._policy else ""

    def content(self, held: str, by: Principal) -> Content:
        """A document as it was contributed, and as it would be stored. DeniedError for whoever may not
        decide on it."""
        return self._quarantine.content(self._entitled(held, by).id)

    def page(self, held: str, by: Principal, start: int = 0, count: int = 50) -> HeldPage:
        """Some of the rows. Raises as ``content``."""
        found = self._entitled(held, by)
        facts = self._quarantine.rows_facts(held)
        rows = tuple(islice(self._quarantine.rows.read(held, start), count))
        return HeldPage(found, rows, start, tuple(facts["reasons"]), facts["facts"])

    async def release(self, held: str, by: Principal, reason: str = "") -> Receipt:
        """Store it as the controls have edited it.

        Raises DeniedError for whoever may not decide, DataError when it was decided already.
        """
        found = self._entitled(held, by)
        told = _event("data.released", found, by)
        commit = await asyncio.to_thread(self._stored, found, by, line(reason, _REASON), told)
        await self._noted(held, told)
        if commit and self._note:
            await self._note(commit.event())
        name = commit.added[0] if isinstance(commit, Commit) and commit.added else ""
        return Receipt(
            "stored",
            found.collection,
            "" if found.rows else found.document,
            name,
            held=held,
            commit=commit,
            contribution=found.document if found.rows else "",
            rows=found.rows,
        )

    async def reject(self, held: str, by: Principal, reason: str = "") -> None:
        """Refuse it for good. It is kept, sealed, as evidence. Raises as ``release``."""
        found = self._entitled(held, by)
        told = _event("data.rejected", found, by)
        self._quarantine.decide(held, "rejected", by.subject, line(reason, _REASON), told)
        await self._noted(held, told)

    async def erase(self, collection: str, contributor: str, by: Principal) -> int:
        """Destroy all that was ever held of a person, decided or not; how many there were. DeniedError, and
        nothing is destroyed, for whoever may not decide on all of it."""
        settings = self._section.of(collection)
        if settings is None:
            raise DataError(f"There is no collection {collection[:64]!r}.")
        found = self._quarantine.brought(collection, contributor)
        if not all(_at_home(held, settings, by) for held in found):
            raise DeniedError(f"{by.subject} may not destroy what waits in {collection}.", "")
        for held in found:
            self._quarantine.destroy(held.id)
        if found and self._note:
            await self._note(event("data.erased", by, collection=collection, held=[one.id for one in found]))
        return len(found)

    def _entitled(self, held: str, by: Principal) -> Held:
        """To look at it is the right to decide: what the controls saw is not shown to who tries to pass
        them."""
        found = self._quarantine.find(held)
        why = self.barred(found, by)
        if why:
            raise DeniedError(why, found.decision)
        return found

    def _stored(
        self, found: Held, by: Principal, reason: str, told: Mapping[str, Any]
    ) -> Commit | RecordsCommit | None:
        """The decision is noted in the transaction that makes the version. So of two reviewers who disagree
        one is told that it was already decided, and whoever is killed on the way leaves either both or
        neither; storing the rows, which takes longer than a transaction may, comes before."""

        def decide() -> None:
            self._quarantine.decide(found.id, "stored", by.subject, reason, told)

        commit: Commit | RecordsCommit | None
        whence: dict[str, Any] = {
            "author": by.subject,
            "note": f"released {found.id}",
            "released": found.id,
            "apply": decide,
        }
        if found.rows:
            if self._training is None:
                raise DataError("There are no training sets here.")
            commit = self._training.add(found.collection, self._rows(found), **whence)
        else:
            commit = self._vault.commit(found.collection, add=[self._document(found)], **whence)
        if commit is None:  # the collection holds all of it already
            decide()
        return commit

    def _document(self, found: Held) -> Document:
        edited = self._quarantine.content(found.id).edited
        if (edited.collection, edited.contributor, edited.access.tenant) != (
            *(found.collection, found.contributor, found.tenant),
        ):
            raise _changed(found)
        return edited

    def _rows(self, found: Held) -> Iterator[Row]:
        for held in self._quarantine.rows.read(found.id):
            source = held.row.source
            if source.contributor != found.contributor or source.tenant not in ("", found.tenant):
                raise _changed(found)
            yield held.row

    async def _noted(self, held: str, told: Mapping[str, Any]) -> None:
        if self._note:
            await self._note(told)
        self._quarantine.told(held)


def _event(kind: str, found: Held, by: Principal) -> dict[str, Any]:
    told = event(kind, by, collection=found.collection, document=found.document, held=found.id)
    decided = {"decision": found.decision, "contributor": found.contributor, "rows": found.rows}
    return {**told, **decided, "credential": by.credential}


def _changed(found: Held) -> DataError:
    """Who may decide goes by the table; what is stored says the same, or somebody changed the table."""
    return DataError(f"What is noted of {found.id} is not what was contributed: the database was changed.")


def _at_home(held: Held, settings: CollectionSettings, by: Principal) -> bool:
    roles = set(settings.approvers or settings.contributors)
    return by.authenticated and bool(by.roles & roles) and held.tenant in (COMMON, by.tenant)
