"""Tool calls that wait for a person.

An approval is bound to the exact arguments, the session and the requester, is used once, and expires closed.
Everything is one row in the database that server and command line share, and every change of state is one
conditional UPDATE: of two processes only one wins.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ringwall.core import DataError, Principal, new_id
from ringwall.storage.database import Database, Row

from .rights import ApprovalRights
from .strict_json import canonical

_STEPS = (
    """
    CREATE TABLE holds (
      id TEXT PRIMARY KEY, session TEXT NOT NULL, subject TEXT NOT NULL, tenant TEXT NOT NULL,
      tool TEXT NOT NULL, call TEXT NOT NULL, arguments BLOB NOT NULL, sealed INTEGER NOT NULL,
      reason TEXT NOT NULL, turn TEXT NOT NULL, state TEXT NOT NULL,
      requested_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
      decided_at INTEGER NOT NULL DEFAULT 0, decided_by TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX holds_open ON holds (session, tenant, subject, call)
      WHERE state IN ('pending', 'approved');
    CREATE INDEX holds_state ON holds (state, expires_at);
    """,
)


class HoldState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    """A person said yes; the call has not been made yet."""
    REFUSED = "refused"
    USED = "used"
    """Approved, and the approval consumed by the call."""
    EXPIRED = "expired"


class Sealer(Protocol):
    """Encryption at rest under a person's key, as ``ringwall.ledger.envelope.Envelope`` offers."""

    def seal(self, owner: str, plaintext: bytes, aad: bytes) -> bytes: ...

    def open(self, owner: str, sealed: bytes, aad: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Hold:
    id: str
    session: str
    subject: str
    tenant: str
    tool: str
    call: str
    """SHA-256 over the canonical JSON of tool and arguments, hexadecimal."""
    arguments: Mapping[str, Any] | None
    """None when the requester's key was erased: there is nothing left to approve."""
    reason: str
    """Why it waits, for the person who decides."""
    turn: str
    state: HoldState
    requested_at: int
    """Microseconds since the epoch, UTC."""
    expires_at: int
    decided_at: int = 0
    decided_by: str = ""
    """``tenant/subject`` of the person who decided."""


def call_hash(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an approval is bound to."""
    text = canonical({"arguments": arguments, "tool": tool})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Holds:
    """Shared by gateway, console and command line. ``DataError`` says why a decision was refused."""

    def __init__(
        self,
        database: Database,
        rights: ApprovalRights,
        *,
        expire_s: int = 900,
        sealer: Sealer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without a ``sealer`` the arguments lie in the database as they are (a file of mode 0600)."""
        self._database = database
        self._rights = rights
        self._expire_us = expire_s * 1_000_000
        self._sealer = sealer
        self._clock = clock
        database.migrate("application.holds", _STEPS)

    def request(
        self,
        session: str,
        principal: Principal,
        tool: str,
        arguments: Mapping[str, Any],
        reason: str,
        turn: str = "",
    ) -> Hold:
        """Ask a person. The same call of the same session that already waits gives that same hold."""
        call, now, made = call_hash(tool, arguments), self._now(), new_id("hold")
        body = canonical(arguments).encode("utf-8", "surrogatepass")
        sealed = self._sealer is not None
        if self._sealer is not None:
            body = self._sealer.seal(_owner(principal.tenant, principal.subject), body, made.encode())
        with self._database.transaction():
            self._expire(now)
            waiting = self._open(session, principal, call)
            if waiting is not None:
                return self._hold(waiting)
            self._database.write(
                "INSERT INTO holds (id, session, subject, tenant, tool, call, arguments, sealed, reason,"
                " turn, state, requested_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
                *(made, session, principal.subject, principal.tenant, tool, call, body, sealed, reason, turn),
                *(now, now + self._expire_us),
            )
        return self.get(made)

    def approve(self, hold_id: str, by: Principal) -> Hold:
        """Grant it, once, for these exact arguments. The right to use it expires as the hold does."""
        return self._decide(hold_id, by, HoldState.APPROVED)

    def refuse(self, hold_id: str, by: Principal) -> Hold:
        return self._decide(hold_id, by, HoldState.REFUSED)

    def granted(self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether ``take`` would succeed now. For the decision; the call itself must ``take``."""
        row = self._open(session, principal, call_hash(tool, arguments))
        return row is not None and row["state"] == "approved" and row["expires_at"] > self._now()

    def take(
        self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any]
    ) -> Hold | None:
        """Use up a granted approval of exactly this call. None when there is none, or it was used or expired.

        Of any number of takers, in any number of processes, one gets it.
        """
        now = self._now()
        with self._database.transaction():
            row = self._open(session, principal, call_hash(tool, arguments))
            if row is None:
                return None
            won = self._database.write(
                "UPDATE holds SET state = 'used' WHERE id = ? AND state = 'approved' AND expires_at > ?",
                row["id"],
                now,
            )
        return self.get(row["id"]) if won else None

    def get(self, hold_id: str) -> Hold:
        """Raises DataError when there is no such hold."""
        row = self._database.one("SELECT * FROM holds WHERE id = ?", hold_id)
        if row is None:
            raise DataError(f"There is no hold {hold_id[:40]!r}. `ringwall hold list` shows those that wait.")
        return self._hold(row)

    def pending(self) -> list[Hold]:
        """Those that wait for a person, the oldest first."""
        rows = self._database.all(
            "SELECT * FROM holds WHERE state = 'pending' AND expires_at > ? ORDER BY requested_at",
            self._now(),
        )
        return [self._hold(row) for row in rows]

    def list(self, limit: int = 100) -> list[Hold]:
        """All, the newest first."""
        rows = self._database.all("SELECT * FROM holds ORDER BY requested_at DESC, id DESC LIMIT ?", limit)
        return [self._hold(row) for row in rows]

    def _decide(self, hold_id: str, by: Principal, state: HoldState) -> Hold:
        hold = self.get(hold_id)
        self.check_right(hold, by)
        now = self._now()
        won = self._database.write(
            "UPDATE holds SET state = ?, decided_at = ?, decided_by = ?"
            " WHERE id = ? AND state = 'pending' AND expires_at > ?",
            *(str(state), now, f"{by.tenant}/{by.subject}", hold_id, now),
        )
        decided = self.get(hold_id)
        if not won:
            raise DataError(f"Hold {hold_id} is {decided.state} already, so nothing was changed.")
        return decided

    def check_right(self, hold: Hold, by: Principal) -> None:
        """Raises DataError unless this person may decide on this hold."""
        if not by.authenticated:
            raise DataError("Sign in to decide about a hold.")
        if by.tenant != hold.tenant:
            raise DataError(f"There is no hold {hold.id!r} in your tenant.")
        if by.subject == hold.subject:
            raise DataError("Nobody decides about their own call: ask somebody else who may approve it.")
        if not self._rights.may_approve(by, hold.tool):
            raise DataError(f"None of your roles may approve calls of {hold.tool}.")
        if hold.arguments is None:
            raise DataError(f"The arguments of {hold.id} were erased, so there is nothing to decide about.")

    def _open(self, session: str, principal: Principal, call: str) -> Row | None:
        return self._database.one(
            "SELECT * FROM holds WHERE session = ? AND tenant = ? AND subject = ? AND call = ?"
            " AND state IN ('pending', 'approved')",
            *(session, principal.tenant, principal.subject, call),
        )

    def _expire(self, now: int) -> None:
        self._database.write(
            "UPDATE holds SET state = 'expired' WHERE state IN ('pending', 'approved') AND expires_at <= ?",
            now,
        )

    def _hold(self, row: Row) -> Hold:
        state = HoldState(row["state"])
        if state in (HoldState.PENDING, HoldState.APPROVED) and row["expires_at"] <= self._now():
            state = HoldState.EXPIRED
        return Hold(
            id=row["id"],
            session=row["session"],
            subject=row["subject"],
            tenant=row["tenant"],
            tool=row["tool"],
            call=row["call"],
            arguments=self._arguments(row),
            reason=row["reason"],
            turn=row["turn"],
            state=state,
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
            decided_at=row["decided_at"],
            decided_by=row["decided_by"],
        )

    def _arguments(self, row: Row) -> Mapping[str, Any] | None:
        body = bytes(row["arguments"])
        if row["sealed"]:
            if self._sealer is None:
                return None
            try:
                body = self._sealer.open(_owner(row["tenant"], row["subject"]), body, row["id"].encode())
            except DataError:
                return None
        arguments: Mapping[str, Any] = json.loads(body.decode("utf-8", "surrogatepass"))
        return arguments if call_hash(row["tool"], arguments) == row["call"] else None

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _owner(tenant: str, subject: str) -> str:
    """Whose key seals the arguments: the person's own, as on the ledger, so that one erasure takes both."""
    return f"{tenant}/{subject}"


__all__ = ["Hold", "HoldState", "Holds", "Sealer", "call_hash"]
