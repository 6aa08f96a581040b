"""What there is of one contributor, wherever a collection keeps something: read, and nothing changed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ringwall.core import DataError

from ..quarantine import Held, Quarantine
from ..settings import DataSection
from ..training.sets import TrainingSets
from ..uploads.attached import Attachments
from ..vault import Vault
from .origins import brought, contributors
from .radius import Export, Lineage, Trained


@dataclass(frozen=True, slots=True)
class OnBranch:
    """What the head of a branch has of a contributor."""

    line: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What one collection has of a contributor."""

    collection: str
    kind: str
    subject: str
    """The contributor."""
    current: tuple[str, ...]
    """Ids in the current version: what will be taken out of it."""
    ever: int
    """How many records the contributor ever brought; earlier versions keep them until they are erased."""
    shared: tuple[str, ...] = ()
    """Those of ``current`` that somebody else had an earlier revision of: taken out as well, to be brought
    back from that revision by hand."""
    versions: tuple[int, ...] = ()
    """Versions that hold any of it: they keep it until it is erased."""
    models: tuple[Trained, ...] = ()
    """Models that were trained on one of those versions: they can be marked, not made to forget."""
    branches: tuple[OnBranch, ...] = ()
    held: tuple[Held, ...] = ()
    """What waits in quarantine: will be rejected."""
    waiting: int = 0
    """Uploads that wait for their turn to be contributed: will be cancelled."""
    exports: tuple[Export, ...] = ()
    """Copies of one of those versions that left: nothing here reaches them."""
    tenants: tuple[str, ...] = ()
    """Whose records would be taken out or rejected."""

    @property
    def anything(self) -> bool:
        return bool(self.ever or self.held or self.waiting)


class Planner:
    """Of all collections of a workload."""

    def __init__(
        self,
        section: DataSection,
        vault: Vault,
        sets: TrainingSets,
        lineage: Lineage,
        quarantine: Quarantine,
        attachments: Attachments,
    ) -> None:
        self._section = section
        self._vault = vault
        self._sets = sets
        self._lineage = lineage
        self._quarantine = quarantine
        self._attachments = attachments

    def plan(self, subject: str, collections: Iterable[str] = ()) -> list[Removal]:
        """``collections``: default, all of the workload. DataError for an unknown one."""
        names = list(collections) or list(self._section.collections)
        for name in names:
            if name not in self._section.collections:
                known = ", ".join(sorted(self._section.collections)) or "none"
                raise DataError(f"There is no collection {name!r}; known: {known}.")
        plans = [self._planned(name, subject) for name in names]
        return [plan for plan in plans if plan.anything]

    def _planned(self, collection: str, subject: str) -> Removal:
        if self._section.collections[collection].kind == "training":
            return self._of_rows(collection, subject)
        return self._of_documents(collection, subject)

    def _of_documents(self, collection: str, subject: str) -> Removal:
        ever = self._vault.by_contributor(collection, subject)
        shared = []
        versions: set[int] = set()
        current, tenants = self._on_line(collection, ever, subject)
        for document in ever:
            traces = self._vault.who(collection, document)
            theirs = [one for one in traces if one.contributor == subject]
            versions.update(number for one in theirs for number in range(one.first, one.last + 1))
            if document in current and len(theirs) < len(traces):
                shared.append(document)
        branches = []
        for line in self._vault.lines.versions.branches(collection):
            ids, more = self._on_line(line, ever, subject)
            tenants |= more
            branches.append(OnBranch(line, ids))
        plan = Removal(collection, "index", subject, current, len(ever), tuple(shared))
        return self._beside(plan, branches, versions, tenants)

    def _on_line(self, line: str, ids: Iterable[str], subject: str) -> tuple[tuple[str, ...], set[str]]:
        """Those documents that the head of a line has as the contributor brought them, and their tenants."""
        manifest = self._vault.manifest(line)
        found = [entry for one in ids if (entry := manifest.find(one)) and entry.contributor == subject]
        return tuple(entry.id for entry in found), {entry.tenant for entry in found}

    def _of_rows(self, collection: str, subject: str) -> Removal:
        versions = self._sets.versions
        ever = self._sets.by_contributor(collection, subject)
        holding = [one for one in versions.all(collection) if subject in contributors(self._sets, one)]
        branches = [
            OnBranch(line, self._at_head(line, subject)) for line in versions.branches(collection) if ever
        ]
        plan = Removal(collection, "training", subject, self._at_head(collection, subject), len(ever))
        numbers = {one.number for one in holding}
        return self._beside(plan, branches, numbers, self._sets.tenants(collection, ever))

    def _at_head(self, line: str, subject: str) -> tuple[str, ...]:
        head = self._sets.versions.head(line)
        return tuple(brought(self._sets, head, subject)) if head else ()

    def _beside(
        self, plan: Removal, branches: Iterable[OnBranch], versions: set[int], tenants: set[str]
    ) -> Removal:
        """With what there is of it outside of the current version."""
        collection = plan.collection
        held = tuple(one for one in self._quarantine.waiting(collection) if one.contributor == plan.subject)
        return replace(
            plan,
            versions=tuple(sorted(versions)),
            models=self._lineage.models_of(collection, versions),
            branches=tuple(one for one in branches if one.ids),
            held=held,
            waiting=self._attachments.waiting(collection, plan.subject),
            exports=self._lineage.exports_of(collection, sorted(versions)),
            tenants=tuple(sorted(tenants.union(one.tenant for one in held))),
        )
