"""Who may say that a version is good, and which versions somebody said it of.

*Authors* of a version are those whose work is new in it since the last approved one: who contributed it, who
made a version or branch by hand. Who released a contribution out of quarantine, or merged a branch, is not:
they were the second person already.

Each person's word is kept (an *assent*). A version is approved once the words that were given suffice:
1. nobody's work is approved by themselves alone: not if it is all that is new; and where the collection asks
   for two persons, not if any of it is;
2. as many persons said it as the collection asks for, each by a credential of their own;
3. where tenants are apart, each whose records are touched has somebody of its own among them.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

from ringwall.core import DataError, DeniedError, Principal, new_id
from ringwall.storage.database import Database, Row

from .changes import Touched
from .document import COMMON
from .intake.process import credential_of
from .versions import Version, Versions, is_branch

_STEPS = [
    """
    CREATE TABLE data_approval (
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        chain TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (collection, version)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE data_assent (
        collection TEXT NOT NULL,
        version INTEGER NOT NULL,
        chain TEXT NOT NULL,
        by TEXT NOT NULL,
        tenant TEXT NOT NULL,
        credential TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (collection, version, by, tenant)
    ) STRICT, WITHOUT ROWID;
    """,
]


Said: TypeAlias = tuple[str, str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a collection asks before a version of it is approved."""

    two_person: bool = False
    """Whether no author may approve alone, however much of it others made."""
    persons: int = 1
    """How many have to say that it is good."""
    tenants_apart: bool = False
    """Whether people answer for the records of their own tenant only."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person said that a version is good."""

    collection: str
    version: int
    chain: str
    """Of the version: it can't be another one later."""
    by: str
    at: int
    tenant: str = ""
    missing: str = ""
    """What it takes before the version is approved; empty when it is."""
    others: tuple[str, ...] = ()
    """Who said so before."""
    credential: str = ""
    """By which it was said."""

    def event(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "id": new_id("dat"),
            "type": "data.assented" if self.missing else "data.approved",
            "at": self.at,
            "boundary": "data",
            "collection": self.collection,
            "version": self.version,
            "chain": self.chain,
            "subject": self.by,
            "tenant": self.tenant,
            "others": list(self.others),
            "credential": self.credential,
        }


@dataclass(frozen=True, slots=True)
class Assent:
    """One person's word, of those that a version's approval takes."""

    collection: str
    version: int
    chain: str
    by: str
    tenant: str
    credential: str
    at: int

    @property
    def said(self) -> Said:
        """As the ledger has it: name of the version, its chain, who, of which tenant, by which credential,
        when."""
        name = f"{self.collection}@{self.version}"
        return name, self.chain, self.by, self.tenant, self.credential, self.at


class Approvals:
    """Of both kinds of collections. Thread-safe."""

    def __init__(
        self, db: Database, versions: Versions, touched: Callable[[Version | None, Version], Touched]
    ) -> None:
        """``touched``: whose work differs between two versions (None: nothing)."""
        self._db = db
        self._versions = versions
        self._touched = touched
        db.migrate("data_approvals", _STEPS)

    def approve(
        self, line: str, version: int, by: Principal, approvers: Collection[str], bar: Bar | None = None
    ) -> Approval:
        """Say that a version is good. ``approvers``: roles that may; empty: nobody. What is still missing
        before it is approved is told in the answer.

        Raises DeniedError for whoever may not, who is the only author of what is new in it since the last
        approved version, or answers for none of the tenants that it touches; DataError when there is no such
        version, or it is approved already, or this person said so already.
        """
        found = self._versions.get(line, version)
        check_role(by, approvers, line)
        bar = bar or Bar()
        authors = self.authors(found)
        if authors <= {by.subject}:
            raise DeniedError(
                f"{by.subject} is the only author of {found.name}: somebody else has to approve it.", ""
            )
        tenants = self._tenants(found) if bar.tenants_apart else frozenset()
        if tenants and by.tenant not in tenants:
            raise DeniedError(f"What is new in {found.name} is of other tenants than {by.tenant}.", "")
        with self._db.transaction():
            return self._said(found, by, bar, authors, tenants)

    def _said(
        self, found: Version, by: Principal, bar: Bar, authors: Collection[str], tenants: frozenset[str]
    ) -> Approval:
        """Keep somebody's word, and the approval when it was the last that was missing."""
        line, number = found.collection, found.number
        if self._db.one("SELECT 1 FROM data_approval WHERE collection = ? AND version = ?", line, number):
            raise DataError(f"{found.name} is approved already.")
        before = [one for one in self.assents(line, number) if one.chain == found.chain]
        credential = credential_of(by)
        if any(one.by == by.subject for one in before):
            raise DataError(f"{by.subject} has said so of {found.name}: it takes somebody else now.")
        if any(one.credential == credential for one in before):
            raise DeniedError(f"Somebody approved {found.name} by the credential that you use.", "")
        at = time.time_ns() // 1000
        self._db.write(
            "INSERT OR REPLACE INTO data_assent VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(line, number, found.chain, by.subject, by.tenant, credential, at),
        )
        persons = {by.subject, *(one.by for one in before)}
        homes = {by.tenant, *(one.tenant for one in before)}
        others = tuple(sorted(persons - {by.subject}))
        lacking = missing(bar, persons, set(authors), tenants - homes)
        approval = Approval(line, number, found.chain, by.subject, at, by.tenant, lacking, others, credential)
        if not lacking:
            self._db.write(
                "INSERT INTO data_approval VALUES (?, ?, ?, ?, ?)", line, number, found.chain, by.subject, at
            )
        return approval

    def approved(self, line: str) -> Version | None:
        """The last version that was approved."""
        for approval in reversed(self.all(line)):
            version = self._versions.get(line, approval.version)
            if version.chain == approval.chain:
                return version
        return None

    def every(self) -> list[Approval]:
        """Of all collections, of whatever kind."""
        return [_approval(row) for row in self._db.all("SELECT * FROM data_approval ORDER BY 1, 2")]

    def version(self, line: str, number: int) -> Version | None:
        """The version of that number, of whatever kind of collection."""
        return next((one for one in self._versions.whatever(line) if one.number == number), None)

    def all(self, line: str) -> list[Approval]:
        """In the order of versions."""
        rows = self._db.all("SELECT * FROM data_approval WHERE collection = ? ORDER BY version", line)
        return [_approval(row) for row in rows]

    def assents(self, line: str, version: int) -> list[Assent]:
        """Who said that a version is good, in the order in which they did."""
        rows = self._db.all(
            "SELECT * FROM data_assent WHERE collection = ? AND version = ? ORDER BY at", line, version
        )
        return [Assent(*tuple(row)) for row in rows]

    def every_assent(self) -> list[Assent]:
        """Of all collections, of whatever kind."""
        return [Assent(*tuple(row)) for row in self._db.all("SELECT * FROM data_assent ORDER BY 1, 2, 4")]

    def before(self, version: Version) -> Version | None:
        """The last approved version before one; of a branch without any, where it was forked."""
        numbers = [one.version for one in self.all(version.collection) if one.version < version.number]
        if numbers:
            return self._versions.get(version.collection, numbers[-1])
        if is_branch(version.collection):
            return self._versions.named(self._versions.get(version.collection, 1).forked)
        return None

    def authors(self, version: Version) -> set[str]:
        """Whose work is new in it since the last approved version before it."""
        since = self.before(version)
        first = since.number if since and since.collection == version.collection else 0
        found = set(self._touched(since, version).came)
        for one in self._versions.all(version.collection)[first : version.number]:
            if one.merged:
                found |= self.branch_authors(self._versions.named(one.merged))
            elif not one.released and not one.forked:
                found.add(one.author)
        return found - {""}

    def branch_authors(self, version: Version) -> set[str]:
        """Who made the versions of a branch up to one, other than by a release."""
        made = self._versions.all(version.collection)[: version.number]
        return {one.author for one in made if not one.released and not one.forked}

    def _tenants(self, version: Version) -> frozenset[str]:
        """Whose records are touched since the last approved version before it, beside those of all."""
        return self._touched(self.before(version), version).tenants - {COMMON}


def missing(bar: Bar, persons: set[str], authors: set[str], tenants: Collection[str]) -> str:
    """One sentence; empty when nothing is."""
    if bar.two_person and len(persons) == 1 and persons <= authors:
        return "Some of it is your own work: somebody else has to approve it as well."
    if len(persons) < bar.persons:
        return f"{bar.persons} persons have to approve it; {len(persons)} did."
    if tenants:
        return f"Somebody of {', '.join(sorted(tenants))} has to approve it as well."
    return ""


def check_role(by: Principal, approvers: Collection[str], line: str) -> None:
    """DeniedError unless the principal has one of the roles."""
    if not by.authenticated or not by.roles & set(approvers):
        raise DeniedError(f"{by.subject} may not approve versions of {line}.", "")


def check_merger(by: Principal, approvers: Collection[str], branch: str, authors: Collection[str]) -> None:
    """DeniedError unless somebody with one of the roles merges what others made."""
    check_role(by, approvers, branch)
    if by.subject in authors:
        raise DeniedError(f"{by.subject} made some of {branch}: somebody else has to merge it.", "")


def _approval(row: Row) -> Approval:
    return Approval(*tuple(row))
