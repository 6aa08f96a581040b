"""Tool calls that wait for a person.

An approval is bound to the exact arguments, the session and the requester, is used once, and expires closed.
Everything is one row in the database that server and command line share, and every change of state is one
conditional UPDATE: of two processes only one wins. A change is told to the journal before it is committed, so
what is not on the ledger has not happened.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ringwall.core import DataError, Principal, new_id
from ringwall.storage.database import Database, Row

from .hold import STEPS, Approver, Box, Hold, HoldEvent, HoldState, Sealer, Why, call_hash, sealed_name
from .rights import ApprovalRights
from .strict_json import read_amendment

Journal = Callable[[HoldEvent, Hold, str, str], None]
"""Told of each change with the subject and the tenant that made it, inside of its transaction: raising undoes
the change."""
Misfit = Callable[[str, Mapping[str, Any]], str]
"""What is wrong with arguments for this tool; empty when nothing is."""

SYSTEM = "system"
_OVER = "state IN ('pending', 'approved') AND expires_at <= ?"
POLL_S = 0.2
_WAITERS_PER_S = 2000
"""Looks into the database that all waiters of a process make in a second, at most."""


class Holds:
    """Shared by gateway, console and command line. ``DataError`` says why a decision was refused."""

    def __init__(
        self,
        database: Database,
        rights: ApprovalRights,
        *,
        expire_s: int = 900,
        wait_s: float = 0,
        sealer: Sealer | None = None,
        journal: Journal | None = None,
        misfit: Misfit | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without a ``sealer`` the arguments lie in the database as they are (a file of mode 0600).
        ``wait_s``: how long a held call waits for its decision before the model is told."""
        self.wait_s = wait_s
        self._database = database
        self._rights = rights
        self._expire_us = expire_s * 1_000_000
        self._box = Box(sealer)
        self._journal = journal
        self._misfit = misfit
        self._clock = clock
        self._waiters = 0
        database.migrate("application.holds", STEPS)

    def request(
        self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any], why: Why
    ) -> Hold:
        """Ask a person. The same call of the same session that already waits gives that same hold."""
        call, made = call_hash(tool, arguments), new_id("hold")
        tenant, subject = principal.tenant, principal.subject
        body = self._box.put(tenant, subject, arguments, sealed_name(made, "arguments"))
        doubtful = self._box.put(tenant, subject, why.doubtful, sealed_name(made, "doubtful"))
        with self._database.transaction():
            now = self._now()
            self._expire(now)
            waiting = self._open(session, principal, call)
            if waiting is not None:
                return self._box.hold(waiting, now)
            self._database.write(
                "INSERT INTO holds (id, session, subject, tenant, tool, call, arguments, sealed, reason,"
                " turn, state, requested_at, expires_at, approver, application, decision, doubtful)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)",
                *(made, session, subject, tenant, tool, call, body, self._box.seals, why.reason, why.turn),
                *(now, now + self._expire_us, str(why.approver), why.application, why.decision, doubtful),
            )
            return self._told(HoldEvent.REQUESTED, made, subject, tenant)

    def approve(self, hold_id: str, by: Principal) -> Hold:
        """Grant it, once, for these exact arguments. The right to use it expires as the hold does."""
        return self._decide(hold_id, by, HoldEvent.APPROVED, HoldState.APPROVED)

    def refuse(self, hold_id: str, by: Principal) -> Hold:
        return self._decide(hold_id, by, HoldEvent.REFUSED, HoldState.REFUSED)

    def amend(self, hold_id: str, by: Principal, arguments: str) -> Hold:
        """Grant it with other arguments (JSON text), once; the call as the model made it is not granted.

        What becomes of the amended call is for the gate to say when it is made: an amendment lifts holds, and
        nothing else.
        """
        hold = self.get(hold_id)
        self.check_right(hold, by)
        read = read_amendment(arguments)
        problem = read.problem or (self._misfit(hold.tool, read.data) if self._misfit else "")
        if problem:
            raise DataError(f"Hold {hold_id} can't be amended like that: {problem}.")
        call = call_hash(hold.tool, read.data)
        if call == hold.call:
            return self.approve(hold_id, by)
        body = self._box.put(hold.tenant, hold.subject, read.data, sealed_name(hold.id, "amended"))
        return self._decide(hold_id, by, HoldEvent.AMENDED, HoldState.APPROVED, body, call)

    def granted(
        self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any]
    ) -> Hold | None:
        """The approval that waits for this call, made as it was asked for or as it was amended; what may be
        called are its ``granted_arguments``. For the decision; the call itself must ``take``."""
        call, now = call_hash(tool, arguments), self._now()
        row = self._open(session, principal, call)
        if row is None or row["state"] != "approved" or row["expires_at"] <= now:
            return None
        return self._box.hold(row, now)

    def take(
        self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any]
    ) -> Hold | None:
        """Use up a granted approval of exactly this call. None when there is none, or it was used or expired.

        Of any number of takers, in any number of processes, one gets it.
        """
        call = call_hash(tool, arguments)
        with self._database.transaction():
            now = self._now()
            row = self._open(session, principal, call)
            if row is None or (row["amended_call"] or row["call"]) != call:
                return None
            won = self._database.write(
                "UPDATE holds SET state = 'used' WHERE id = ? AND state = 'approved' AND expires_at > ?",
                row["id"],
                now,
            )
            if not won:
                return None
            return self._told(HoldEvent.USED, row["id"], principal.subject, principal.tenant)

    def void(self, hold: Hold) -> None:
        """Take an approval back that lifts nothing: the call may be asked about anew."""
        with self._database.transaction():
            won = self._database.write(
                "UPDATE holds SET state = 'void' WHERE id = ? AND state = 'approved'", hold.id
            )
            if won:
                self._told(HoldEvent.VOID, hold.id, SYSTEM, hold.tenant)

    def refused(
        self, session: str, principal: Principal, tool: str, arguments: Mapping[str, Any]
    ) -> Hold | None:
        """The hold of exactly this call that a person refused, until it would have expired: nobody is asked
        the same again so soon."""
        now = self._now()
        row = self._database.one(
            "SELECT * FROM holds WHERE session = ? AND tenant = ? AND subject = ? AND call = ?"
            " AND state = 'refused' AND expires_at > ? ORDER BY decided_at DESC LIMIT 1",
            *(session, principal.tenant, principal.subject, call_hash(tool, arguments), now),
        )
        return self._box.hold(row, now) if row else None

    async def settled(self, hold_id: str, seconds: float) -> Hold:
        """Wait until it is no longer pending, or for so many seconds; the hold as it then stands.

        Looks into the database, so it does not matter which process decides. Any number may wait. Raises
        DataError when there is no such hold.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        self._waiters += 1
        try:
            # Another process may decide, and no event of this one tells.
            while self._waits(hold_id) and (left := end - loop.time()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(left, max(POLL_S, self._waiters / _WAITERS_PER_S)))
        finally:
            self._waiters -= 1
        return self.get(hold_id)

    def get(self, hold_id: str) -> Hold:
        """Raises DataError when there is no such hold."""
        row = self._database.one("SELECT * FROM holds WHERE id = ?", hold_id)
        if row is None:
            raise DataError(f"There is no hold {hold_id[:40]!r}. `ringwall hold list` shows those that wait.")
        return self._box.hold(row, self._now())

    def pending(self) -> list[Hold]:
        """Those that wait for a person, the oldest first."""
        now = self._now()
        rows = self._database.all(
            "SELECT * FROM holds WHERE state = 'pending' AND expires_at > ? ORDER BY requested_at", now
        )
        return [self._box.hold(row, now) for row in rows]

    def list(self, limit: int = 100) -> list[Hold]:
        """All, the newest first."""
        rows = self._database.all("SELECT * FROM holds ORDER BY requested_at DESC, id DESC LIMIT ?", limit)
        now = self._now()
        return [self._box.hold(row, now) for row in rows]

    def visible(self, by: Principal, *, pending: bool = True, limit: int = 100) -> Sequence[Hold]:
        """Those that ``may_see`` allows, the newest first."""
        if not by.authenticated:
            return []
        now, tools = self._now(), sorted(self._rights.tools(by))
        marks = ", ".join("?" * len(tools))
        rows = self._database.all(
            f"SELECT * FROM holds WHERE tenant = ? AND (subject = ? OR tool IN ({marks}))"  # noqa: S608
            " AND (? OR (state = 'pending' AND expires_at > ?)) ORDER BY requested_at DESC, id DESC LIMIT ?",
            *(by.tenant, by.subject, *tools, not pending, now, limit),
        )
        return [self._box.hold(row, now) for row in rows]

    def expire(self) -> None:
        """Close those whose time is over. They count as expired from that time on even if nobody calls this;
        it is for the record."""
        now = self._now()
        if self._database.one(f"SELECT 1 FROM holds WHERE {_OVER} LIMIT 1", now):  # noqa: S608
            with self._database.transaction():
                self._expire(now)

    def may_see(self, hold: Hold, by: Principal) -> bool:
        """Their own, and those that they may approve."""
        if not by.authenticated or by.tenant != hold.tenant:
            return False
        return by.subject == hold.subject or self._rights.may_approve(by, hold.tool)

    def check_right(self, hold: Hold, by: Principal) -> None:
        """Raises DataError unless this person may decide on this hold."""
        if not by.authenticated:
            raise DataError("Sign in to decide about a hold.")
        if by.actor is not None:
            raise DataError("A service can't decide for a person: send the person's own credential.")
        if by.tenant != hold.tenant:
            raise DataError(f"There is no hold {hold.id!r} in your tenant.")
        if by.subject == hold.subject:
            if hold.approver is not Approver.REQUESTER:
                raise DataError("Nobody decides about their own call: ask somebody else who may approve it.")
        elif not self._rights.may_approve(by, hold.tool):
            raise DataError(f"None of your roles may approve calls of {hold.tool}.")
        if hold.arguments is None:
            raise DataError(f"The arguments of {hold.id} were erased, so there is nothing to decide about.")

    def _decide(
        self,
        hold_id: str,
        by: Principal,
        event: HoldEvent,
        state: HoldState,
        amended: bytes = b"",
        amended_call: str = "",
    ) -> Hold:
        self.check_right(self.get(hold_id), by)
        with self._database.transaction():
            now = self._now()
            won = self._database.write(
                "UPDATE holds SET state = ?, decided_at = ?, decided_by = ?, amended = ?, amended_call = ?"
                " WHERE id = ? AND state = 'pending' AND expires_at > ?",
                *(str(state), now, f"{by.tenant}/{by.subject}", amended, amended_call, hold_id, now),
            )
            if won:
                return self._told(event, hold_id, by.subject, by.tenant)
        raise DataError(f"Hold {hold_id} is {self.get(hold_id).state} already, so nothing was changed.")

    def _told(self, event: HoldEvent, hold_id: str, subject: str, tenant: str) -> Hold:
        hold = self.get(hold_id)
        if self._journal is not None:
            self._journal(event, hold, subject, tenant)
        return hold

    def _waits(self, hold_id: str) -> bool:
        row = self._database.one("SELECT state, expires_at FROM holds WHERE id = ?", hold_id)
        return row is not None and row["state"] == "pending" and row["expires_at"] > self._now()

    def _open(self, session: str, principal: Principal, call: str) -> Row | None:
        """The hold on this call, or the one that was amended to it; what is granted comes first."""
        return self._database.one(
            "SELECT * FROM holds WHERE session = ? AND tenant = ? AND subject = ?"
            " AND ? IN (call, amended_call) AND state IN ('pending', 'approved')"
            " ORDER BY state = 'approved' DESC, amended_call = ? DESC, requested_at LIMIT 1",
            *(session, principal.tenant, principal.subject, call, call),
        )

    def _expire(self, now: int) -> None:
        over = self._database.all(f"SELECT id, tenant FROM holds WHERE {_OVER}", now)  # noqa: S608
        for row in over:
            self._database.write("UPDATE holds SET state = 'expired' WHERE id = ?", row["id"])
            self._told(HoldEvent.EXPIRED, row["id"], SYSTEM, row["tenant"])

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


__all__ = ["Holds", "Journal", "Misfit"]
