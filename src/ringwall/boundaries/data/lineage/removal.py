"""The playbook for a contributor who turns out to be an attacker: take out what they brought, rebuild what is
retrieved, mark what learnt from it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.core import DataError, DeniedError, Principal

from ..document import COMMON
from ..settings import DataSection
from ..training.sets import TrainingSets
from ..vault import Vault
from .marks import Mark, Marks
from .origins import brought, contributors
from .radius import Lineage, Trained

Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What one collection has of a contributor."""

    collection: str
    kind: str
    current: tuple[str, ...]
    """Ids in the current version: what will be taken out of it."""
    ever: int
    """How many records the contributor ever brought; earlier versions keep them until they are erased."""
    shared: tuple[str, ...] = ()
    """Those of ``current`` that somebody else had an earlier revision of: taken out as well, to be brought
    back from that revision by hand."""
    versions: tuple[int, ...] = ()
    """Versions that hold any of it."""
    models: tuple[Trained, ...] = ()
    """Models that were trained on one of those versions."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was done in one collection."""

    plan: Removal
    version: int
    """The version that was made without it; 0 when the current one held none."""
    indexed: int
    """Documents that the rebuilt index holds; 0 for a training set."""
    marks: tuple[Mark, ...] = ()


class Purge:
    """One contributor, all collections that are named."""

    def __init__(
        self, section: DataSection, vault: Vault, sets: TrainingSets, lineage: Lineage, marks: Marks
    ) -> None:
        self._section = section
        self._vault = vault
        self._sets = sets
        self._lineage = lineage
        self._marks = marks

    def plan(self, subject: str, collections: Iterable[str] = ()) -> list[Removal]:
        """What would be done, without doing it. ``collections``: default, all of the workload.

        DataError for an unknown collection.
        """
        names = list(collections) or list(self._section.collections)
        for name in names:
            if name not in self._section.collections:
                known = ", ".join(sorted(self._section.collections)) or "none"
                raise DataError(f"There is no collection {name!r}; known: {known}.")
        plans = [self._planned(name, subject) for name in names]
        return [plan for plan in plans if plan.ever]

    async def run(
        self, plans: Iterable[Removal], by: Principal, reason: str, record: Record
    ) -> list[Removed]:
        """Carry plans out, each in one version. DeniedError for whoever may not approve versions of a
        collection, or where a document is another tenant's; nothing is done then."""
        plans = list(plans)
        for plan in plans:
            settings = self._section.collections[plan.collection]
            if not by.authenticated or not by.roles & set(settings.approvers or settings.contributors):
                raise DeniedError(f"{by.subject} may not take records out of {plan.collection}.", "")
            if plan.kind == "index" and not self._tenants(plan) <= {COMMON, by.tenant}:
                raise DeniedError(f"Some of these documents of {plan.collection} are another tenant's.", "")
            if settings.two_person and self._own(plan, by):
                raise DeniedError(
                    f"Somebody other than {by.subject}, who brought it, has to take it out.", ""
                )
        return [await self._done(plan, by, reason, record) for plan in plans]

    def _tenants(self, plan: Removal) -> set[str]:
        manifest = self._vault.manifest(plan.collection)
        return {entry.tenant for one in plan.current if (entry := manifest.find(one))}

    def _own(self, plan: Removal, by: Principal) -> bool:
        store = self._sets if plan.kind == "training" else self._vault
        return not set(plan.current).isdisjoint(store.by_contributor(plan.collection, by.subject))

    async def _done(self, plan: Removal, by: Principal, reason: str, record: Record) -> Removed:
        version = indexed = 0
        if plan.current:
            note = f"removed {len(plan.current)} records of one contributor"
            if plan.kind == "training":
                rows = self._sets.remove(plan.collection, plan.current, author=by.subject, note=note)
                version = rows.version.number if rows else 0
                event = rows.event() if rows else None
            else:
                made = self._vault.commit(
                    plan.collection, remove=list(plan.current), author=by.subject, note=note
                )
                version = made.version.number if made else 0
                event = made.event() if made else None
            if event:
                await record(event)
        if plan.kind == "index":
            indexed = self._vault.reindex(plan.collection)
        marks = [
            self._marks.put(one.model, one.collection, one.version, plan.ever, reason, by.subject)
            for one in plan.models
        ]
        for mark in marks:
            await record(mark.event())
        return Removed(plan, version, indexed, tuple(marks))

    def _planned(self, collection: str, subject: str) -> Removal:
        if self._section.collections[collection].kind == "training":
            return self._of_rows(collection, subject)
        return self._of_documents(collection, subject)

    def _of_documents(self, collection: str, subject: str) -> Removal:
        ever = self._vault.by_contributor(collection, subject)
        current, shared = [], []
        held: set[int] = set()
        manifest = self._vault.manifest(collection)
        for document in ever:
            traces = self._vault.who(collection, document)
            theirs = [one for one in traces if one.contributor == subject]
            held.update(number for one in theirs for number in range(one.first, one.last + 1))
            entry = manifest.find(document)
            if entry and entry.contributor == subject:
                current.append(document)
                if len(theirs) < len(traces):
                    shared.append(document)
        models = self._lineage.models_of(collection, held)
        return Removal(
            *(collection, "index", tuple(current), len(ever), tuple(shared), tuple(sorted(held)), models)
        )

    def _of_rows(self, collection: str, subject: str) -> Removal:
        ever = self._sets.by_contributor(collection, subject)
        versions = self._sets.versions.all(collection) if ever else []
        holding = [one for one in versions if subject in contributors(self._sets, one)]
        current = brought(self._sets, versions[-1], subject) if versions else []
        models = self._lineage.models_of(collection, (one.number for one in holding))
        return Removal(
            collection,
            "training",
            tuple(current),
            len(ever),
            versions=tuple(one.number for one in holding),
            models=models,
        )
