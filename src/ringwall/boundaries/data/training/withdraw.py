"""Take rows out of a training set, or destroy them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ringwall.core import DataError, DeniedError, Principal

from ..events import event
from ..governing import approvers, at_home
from ..settings import CollectionSettings, DataSection
from .sets import RecordsCommit, TrainingSets

Note = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""


class Withdrawals:
    """Behind the same rights as releases: an approver role, or a contributor's where there is none."""

    def __init__(self, section: DataSection, sets: TrainingSets, note: Note) -> None:
        self._section = section
        self._sets = sets
        self._note = note

    async def remove(self, collection: str, ids: Sequence[str], by: Principal) -> RecordsCommit | None:
        """Make a version without rows; earlier ones keep them. DeniedError for whoever may not, DataError
        when one is not there."""
        settings = self._check(collection, by)
        await self._theirs(collection, settings, ids, by)
        remove = self._sets.remove
        commit = await asyncio.to_thread(remove, collection, ids, author=by.subject, note="removed")
        if commit:
            await self._note(commit.event())
        return commit

    async def erase(self, collection: str, ids: Sequence[str], by: Principal) -> list[RecordsCommit]:
        """Remove rows from the set and its branches, and destroy their keys in every version, for ever: every
        proof still holds. Raises as ``remove``, and DataError while a row is locked."""
        settings = self._check(collection, by)
        await self._theirs(collection, settings, ids, by)
        erase, lock = self._sets.erase, settings.lock_days
        commits = await asyncio.to_thread(erase, collection, ids, author=by.subject, lock_days=lock)
        for commit in commits:
            await self._note(commit.event())
        await self._note(event("data.erased", by, collection=collection, records=len(set(ids))))
        return commits

    async def _theirs(
        self, collection: str, settings: CollectionSettings, ids: Sequence[str], by: Principal
    ) -> None:
        """Whose they are, of which tenant; and what took two to come in takes two to go: whoever ever brought
        one of these rows is not the second."""
        if settings.isolate_tenants:
            tenants = await asyncio.to_thread(self._sets.tenants, collection, ids)
            if not at_home(settings, frozenset(tenants), by):
                raise DeniedError(f"Some of these records of {collection} are another tenant's.", "")
        if settings.two_person:
            brought = await asyncio.to_thread(self._sets.by_contributor, collection, by.subject)
            if not set(ids).isdisjoint(brought):
                raise DeniedError(
                    f"Somebody other than {by.subject}, who brought it, has to take it out.", ""
                )

    def _check(self, collection: str, by: Principal) -> CollectionSettings:
        settings = self._section.of(collection)
        if settings is None or settings.kind != "training":
            raise DataError(f"{collection} is no training set of this workload.")
        if not by.authenticated or not by.roles & set(approvers(settings)):
            raise DeniedError(f"{by.subject} may not take records out of {collection}.", "")
        return settings
