"""What is done to versions as a whole, and who may: merge, roll back, approve.

Each asks the same four questions, whichever way the person comes (command line, console):
1. role: one of the collection's approvers;
2. tenant: where a collection keeps tenants apart, nobody's version touches records of another tenant;
3. second person: nobody merges, or where two persons are asked for rolls back or approves alone, what they
   made themselves (see ``approvals``);
4. policy: Cedar, where the workload has any beside those that ship.
They are asked of the very versions that are then written, also when others commit meanwhile.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from ringwall.core import DataError, DeniedError, Principal

from .approvals import Approval, Bar, check_role
from .changes import Check, Side, Touched
from .document import COMMON
from .names import base
from .settings import CollectionSettings, DataSection
from .training.sets import RecordsCommit, TrainingSets
from .vault import Commit, Vault

Action: TypeAlias = Literal["merge", "roll_back", "approve_version"]
_WORDS: Mapping[Action, str] = {
    "merge": "merge into",
    "roll_back": "roll back",
    "approve_version": "approve versions of",
}


class VersionPolicy(Protocol):
    """What is needed of ``intake.policies.DataPolicies``."""

    def refuses_version(self, action: Action, line: str, touched: Touched, by: Principal) -> str:
        """Why this person may not; empty when they may."""
        ...


class Governing:
    """Both kinds of collections of a workload."""

    def __init__(
        self, section: DataSection, vault: Vault, sets: TrainingSets, policy: VersionPolicy | None = None
    ) -> None:
        self._section = section
        self._vault = vault
        self._sets = sets
        self._policy = policy

    def settings(self, line: str) -> CollectionSettings:
        """Of a collection, or of the one that a branch belongs to. DataError when there is none."""
        found = self._section.of(line)
        if found is None:
            known = ", ".join(sorted(self._section.collections)) or "none"
            raise DataError(f"There is no collection {line[:64]!r}; known: {known}.")
        return found

    def store(self, line: str) -> Vault | TrainingSets:
        """Where it is kept. DataError when the workload does not name it."""
        return self._sets if self.settings(line).kind == "training" else self._vault

    def merge(
        self, branch: str, by: Principal, resolve: Mapping[str, Side] | None = None
    ) -> Commit | RecordsCommit | None:
        """See ``Vault.merge``. DeniedError for whoever may not."""
        roles, check = approvers(self.settings(branch)), self._check("merge", branch, by)
        return self.store(branch).merge(branch, by, roles, resolve, check)

    def roll_back(self, line: str, version: int, by: Principal) -> Commit | RecordsCommit | None:
        """See ``Vault.roll_back``. DeniedError for whoever may not."""
        settings = self.settings(line)
        check_role(by, approvers(settings), line)
        homely = self._check("roll_back", line, by)

        def check(touched: Touched) -> None:
            if settings.two_person and by.subject in touched.came | touched.gone:
                raise DeniedError(
                    f"Some of it was brought by {by.subject}: somebody else has to roll {line} back.", ""
                )
            homely(touched)

        return self.store(line).roll_back(line, version, author=by.subject, check=check)

    def approve(self, line: str, version: int, by: Principal) -> Approval:
        """See ``Approvals.approve``. DeniedError for whoever may not."""
        settings, store = self.settings(line), self.store(line)
        found = store.lines.versions.get(line, version)
        check_role(by, approvers(settings), line)
        touched = store.touched(store.approvals.before(found), found)
        self._permitted("approve_version", line, touched, by)
        bar = Bar(settings.two_person, settings.approvals, settings.isolate_tenants)
        return store.approve(line, version, by, approvers(settings), bar)

    def reads(self, line: str, touched: Touched, by: Principal) -> bool:
        """Whether somebody may see examples out of what differs between two versions."""
        settings = self.settings(line)
        roles = {*approvers(settings), *settings.contributors}
        return by.authenticated and bool(by.roles & roles) and at_home(settings, touched.tenants, by)

    def _check(self, action: Action, line: str, by: Principal) -> Check:
        settings = self.settings(line)

        def check(touched: Touched) -> None:
            if not at_home(settings, touched.tenants, by):
                asked = f"{_WORDS[action]} {base(line)}"
                raise DeniedError(f"{by.subject} may not {asked}: it touches records of other tenants.", "")
            self._permitted(action, line, touched, by)

        return check

    def _permitted(self, action: Action, line: str, touched: Touched, by: Principal) -> None:
        why = self._policy.refuses_version(action, line, touched, by) if self._policy else ""
        if why:
            raise DeniedError(why, "")


def approvers(settings: CollectionSettings) -> tuple[str, ...]:
    """Roles that decide about what is in a collection."""
    return settings.approvers or settings.contributors


def at_home(settings: CollectionSettings, tenants: frozenset[str], by: Principal) -> bool:
    """Whether somebody may have to do with records of these tenants."""
    return not settings.isolate_tenants or tenants <= {COMMON, by.tenant}
