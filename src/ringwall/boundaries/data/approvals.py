"""Who may say that a version is good, and which versions somebody said it of."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ringwall.core import DataError, DeniedError, Principal, new_id
from ringwall.storage.database import Database, Row

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
    """
]


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

    def event(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "id": new_id("dat"),
            "type": "data.approved",
            "at": self.at,
            "boundary": "data",
            "collection": self.collection,
            "version": self.version,
            "chain": self.chain,
            "subject": self.by,
            "tenant": self.tenant,
        }


class Approvals:
    """Of both kinds of collections. Thread-safe."""

    def __init__(self, db: Database, versions: Versions) -> None:
        self._db = db
        self._versions = versions
        db.migrate("data_approvals", _STEPS)

    def approve(self, line: str, version: int, by: Principal, approvers: Collection[str]) -> Approval:
        """Approve a version. ``approvers``: roles that may; empty: nobody.

        Raises DeniedError for whoever may not, or who is the only author of what is new in it since the
        last approved version; DataError when there is no such version, or it is approved already.
        """
        found = self._versions.get(line, version)
        check_role(by, approvers, line)
        if self.authors(found) <= {by.subject}:
            raise DeniedError(
                f"{by.subject} is the only author of {found.name}: somebody else has to approve it.", ""
            )
        at = time.time_ns() // 1000
        added = self._db.write(
            "INSERT OR IGNORE INTO data_approval VALUES (?, ?, ?, ?, ?)",
            *(line, version, found.chain, by.subject, at),
        )
        if not added:
            raise DataError(f"{found.name} is approved already.")
        return Approval(line, version, found.chain, by.subject, at, by.tenant)

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

    def authors(self, version: Version) -> set[str]:
        """Who made the versions since the last approved one before this, merged branches included."""
        since = max(
            (one.version for one in self.all(version.collection) if one.version < version.number), default=0
        )
        made = self._versions.all(version.collection)[since : version.number]
        found = {one.author for one in made}
        for one in made:
            if one.merged:
                found |= self.branch_authors(self._versions.named(one.merged))
        return found

    def branch_authors(self, version: Version) -> set[str]:
        """Who made the versions of a branch up to one."""
        made = self._versions.all(version.collection)[: version.number]
        return (
            {one.author for one in made[1:]}
            if is_branch(version.collection)
            else {one.author for one in made}
        )


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
