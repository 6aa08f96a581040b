"""Decisions and events onto the ledger, before their effects leave the gateway."""

import asyncio
from typing import Any

from ringwall.core import Crossing, Decision, Part, Principal, decision_body, decision_event, event_record
from ringwall.ledger import Entry, Ledger

from .counts import Counts


class Recorder:
    """Bound to one ledger. Each call returns when the record is committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.counts = Counts()

    def begin(self, decision: Decision, crossing: Crossing, turn: str) -> "asyncio.Future[Entry]":
        """Send a decision to the ledger. Before its effect leaves, the future must be awaited: it raises when
        the decision could not be recorded."""
        self.counts.add(decision)
        body = decision_body(decision, crossing)
        return self._ledger.begin(
            decision_event(decision, turn, crossing),
            body if body["parts"] or body["verdicts"] else None,
            subject=_owner(decision.tenant, decision.subject),
        )

    async def decision(self, decision: Decision, crossing: Crossing, turn: str) -> None:
        """Put a decision on the ledger. Raises when it can't be: then nothing may leave."""
        await self.begin(decision, crossing, turn)

    async def tool_called(
        self, principal: Principal, application: str, session: str, turn: str, call: Part
    ) -> None:
        """A call that the gateway is about to run: its name in the open, its arguments encrypted."""
        detail = {
            "application": application,
            "session": session,
            "turn": turn,
            "tool": call.name,
            "call": call.ref,
        }
        record = event_record("tool.called", principal.subject, principal.tenant, detail)
        owner = _owner(principal.tenant, principal.subject)
        await self._ledger.append(record, {"arguments": dict(call.data)}, subject=owner)

    async def event(self, kind: str, subject: str, tenant: str, **detail: Any) -> str:
        """Put another event on the ledger; its id. See ``event_record``."""
        record = event_record(kind, subject, tenant, detail)
        await self._ledger.append(record)
        return str(record["id"])


def _owner(tenant: str, subject: str) -> str:
    """Whose key encrypts the body: one per person, so that erasing it erases that person's text."""
    return f"{tenant}/{subject}"
