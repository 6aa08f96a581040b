"""The playbook for a contributor who turns out to be an attacker: take out what they brought, of collections
and their branches, reject what waits, rebuild what is retrieved, mark what learnt from it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.core import DataError, DeniedError, Principal

from ..events import event
from ..governing import approvers, at_home
from ..quarantine import Quarantine
from ..settings import DataSection
from ..training.sets import TrainingSets
from ..uploads.attached import Attachments
from ..vault import Vault
from .marks import Mark, Marks
from .radius import Lineage
from .removal_plan import Planner, Removal

Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was done in one collection."""

    plan: Removal
    version: int
    """The version that was made without it; 0 when the current one held none."""
    indexed: int
    """Documents that the rebuilt index holds; 0 for a training set."""
    marks: tuple[Mark, ...] = ()
    branches: tuple[str, ...] = ()
    """``LINE@NUMBER`` of the versions of branches that were made without it."""
    rejected: tuple[str, ...] = ()
    """What was rejected in quarantine; it is kept, sealed, as evidence."""
    cancelled: int = 0
    """Uploads that are not contributed any more."""

    @property
    def left(self) -> tuple[str, ...]:
        """What this could not reach, a sentence each."""
        plan = self.plan
        said = []
        if plan.versions:
            many = len(plan.versions)
            keep = "version keeps" if many == 1 else "versions keep"
            said.append(f"{many} earlier {keep} it until it is erased.")
        said += [
            f"Version {one.version} was exported to {one.target} by {one.subject}." for one in plan.exports
        ]
        said += [
            f"{one.model} learnt from version {one.version}: it is marked, not made to forget."
            for one in plan.models
        ]
        return tuple(said)


class Purge:
    """One contributor, all collections that are named."""

    def __init__(
        self,
        section: DataSection,
        vault: Vault,
        sets: TrainingSets,
        lineage: Lineage,
        marks: Marks,
        quarantine: Quarantine,
        attachments: Attachments,
    ) -> None:
        self._section = section
        self._vault = vault
        self._sets = sets
        self._marks = marks
        self._quarantine = quarantine
        self._attachments = attachments
        self._planner = Planner(section, vault, sets, lineage, quarantine, attachments)

    def plan(self, subject: str, collections: Iterable[str] = ()) -> list[Removal]:
        """What would be done, without doing it. ``collections``: default, all of the workload.

        DataError for an unknown collection.
        """
        return self._planner.plan(subject, collections)

    async def run(
        self, plans: Iterable[Removal], by: Principal, reason: str, record: Record
    ) -> list[Removed]:
        """Carry plans out, each in one version of each line. DeniedError for whoever may not approve versions
        of a collection, or where something is another tenant's; nothing is done then."""
        plans = list(plans)
        for plan in plans:
            self._check(plan, by)
        return [await self._done(plan, by, reason, record) for plan in plans]

    def _check(self, plan: Removal, by: Principal) -> None:
        settings = self._section.collections[plan.collection]
        if not by.authenticated or not by.roles & set(approvers(settings)):
            raise DeniedError(f"{by.subject} may not take records out of {plan.collection}.", "")
        if not at_home(settings, frozenset(plan.tenants), by):
            raise DeniedError(f"Some of these records of {plan.collection} are another tenant's.", "")
        if settings.two_person and self._own(plan, by):
            raise DeniedError(f"Somebody other than {by.subject}, who brought it, has to take it out.", "")

    def _own(self, plan: Removal, by: Principal) -> bool:
        store = self._sets if plan.kind == "training" else self._vault
        ids = set(plan.current).union(*(one.ids for one in plan.branches))
        held = any(one.contributor == by.subject for one in plan.held)
        return held or not ids.isdisjoint(store.by_contributor(plan.collection, by.subject))

    async def _done(self, plan: Removal, by: Principal, reason: str, record: Record) -> Removed:
        cancelled = self._attachments.cancel(plan.collection, plan.subject) if plan.waiting else 0
        rejected = [one.id for one in plan.held if await self._rejected(one.id, by, reason, record)]
        branches = [await self._taken(plan, one.line, one.ids, by, record) for one in plan.branches]
        version = await self._taken(plan, plan.collection, plan.current, by, record) if plan.current else ""
        store = self._sets if plan.kind == "training" else self._vault
        await asyncio.to_thread(
            lambda: store.unquote(plan.collection, store.by_contributor(plan.collection, plan.subject))
        )
        indexed = self._vault.reindex(plan.collection) if plan.kind == "index" else 0
        marks = [
            self._marks.put(one.model, one.collection, one.version, plan.ever, reason, by.subject)
            for one in plan.models
        ]
        for mark in marks:
            await record(mark.event())
        number = int(version.rpartition("@")[2] or 0)
        lines = tuple(one for one in branches if one)
        return Removed(plan, number, indexed, tuple(marks), lines, tuple(rejected), cancelled)

    async def _taken(
        self, plan: Removal, line: str, ids: tuple[str, ...], by: Principal, record: Record
    ) -> str:
        """Name of the version of a line that was made without these."""
        note = f"removed {len(ids)} records of one contributor"
        if plan.kind == "training":
            rows = self._sets.remove(line, ids, author=by.subject, note=note)
            made = (rows.version, rows.event()) if rows else None
        else:
            commit = self._vault.commit(line, remove=list(ids), author=by.subject, note=note)
            made = (commit.version, commit.event()) if commit else None
        if made is None:
            return ""
        await record(made[1])
        return made[0].name

    async def _rejected(self, held: str, by: Principal, reason: str, record: Record) -> bool:
        """False when somebody else decided on it meanwhile."""
        found = self._quarantine.find(held)
        told = event("data.rejected", by, collection=found.collection, document=found.document, held=held)
        told |= {"contributor": found.contributor, "rows": found.rows, "credential": by.credential}
        try:
            self._quarantine.decide(held, "rejected", by.subject, reason[:500], told)
        except DataError:
            return False
        await record(told)
        self._quarantine.told(held)
        return True
