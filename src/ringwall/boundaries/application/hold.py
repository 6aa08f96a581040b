"""A tool call that waits for a person: what it is, and how it lies in the database."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from ringwall.core import DataError
from ringwall.storage.database import Row

from .strict_json import canonical

STEPS = (
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
    """
    ALTER TABLE holds ADD COLUMN approver TEXT NOT NULL DEFAULT 'other';
    ALTER TABLE holds ADD COLUMN application TEXT NOT NULL DEFAULT '';
    ALTER TABLE holds ADD COLUMN decision TEXT NOT NULL DEFAULT '';
    ALTER TABLE holds ADD COLUMN doubtful BLOB NOT NULL DEFAULT '';
    ALTER TABLE holds ADD COLUMN amended BLOB NOT NULL DEFAULT '';
    ALTER TABLE holds ADD COLUMN amended_call TEXT NOT NULL DEFAULT '';
    """,
)


class HoldState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    """A person said yes, to the call as it is or as amended; it has not been made yet."""
    REFUSED = "refused"
    USED = "used"
    """Approved, and the approval consumed by the call."""
    VOID = "void"
    """Approved, and the gate does not allow what was approved."""
    EXPIRED = "expired"


class HoldEvent(StrEnum):
    """A change of a hold: on the ledger as ``hold.<event>``, and in webhooks."""

    REQUESTED = "requested"
    APPROVED = "approved"
    AMENDED = "amended"
    """Approved with other arguments."""
    REFUSED = "refused"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"


class Approver(StrEnum):
    """Who may lift a hold."""

    OTHER = "other"
    """Four eyes: another principal, with a role that may approve calls of the tool."""
    REQUESTER = "requester"
    """Whoever asked may confirm it, as may those others."""


class Sealer(Protocol):
    """Encryption at rest under a person's key, as ``ringwall.ledger.envelope.Envelope`` offers."""

    def seal(self, owner: str, plaintext: bytes, aad: bytes) -> bytes: ...

    def open(self, owner: str, sealed: bytes, aad: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of a call when it is held."""

    reason: str
    """Why it waits, for the person who decides."""
    approver: Approver = Approver.OTHER
    turn: str = ""
    application: str = ""
    decision: str = ""
    """Id of the decision that held it."""
    doubtful: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Paths of arguments that nobody vouches for, each with where it comes from."""


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
    """As the model made them. None when the requester's key was erased: there is nothing left to approve."""
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
    approver: Approver = Approver.OTHER
    application: str = ""
    decision: str = ""
    doubtful: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    amended: Mapping[str, Any] | None = None
    """What a person put in place of the arguments; None when they stand as they are."""
    amended_call: str = ""
    """The hash that the approval is bound to then."""

    @property
    def granted_arguments(self) -> Mapping[str, Any] | None:
        """What may be called once this is approved. None when it was erased."""
        return self.amended if self.amended_call else self.arguments

    @property
    def confirmed(self) -> bool:
        """Whether whoever asked for the call decided about it."""
        return self.decided_by == f"{self.tenant}/{self.subject}"

    def plain(self) -> dict[str, Any]:
        """For JSON, arguments included."""
        return {
            "object": "hold",
            "id": self.id,
            "state": str(self.state),
            "tool": self.tool,
            "arguments": _dict(self.arguments),
            "call": self.call,
            "doubtful": dict(self.doubtful),
            "reason": self.reason,
            "approver": str(self.approver),
            "subject": self.subject,
            "tenant": self.tenant,
            "application": self.application,
            "session": self.session,
            "turn": self.turn,
            "decision": self.decision,
            "requested_at": self.requested_at,
            "expires_at": self.expires_at,
            "decided_at": self.decided_at,
            "decided_by": self.decided_by,
            "amended": _dict(self.amended),
            "amended_call": self.amended_call,
        }


def call_hash(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an approval is bound to."""
    text = canonical({"arguments": dict(arguments), "tool": tool})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Box:
    """Values in the rows of holds: sealed under the key of the person whose call it is, the same as on the
    ledger, so that one erasure takes both."""

    def __init__(self, sealer: Sealer | None) -> None:
        self._sealer = sealer

    @property
    def seals(self) -> bool:
        return self._sealer is not None

    def put(self, tenant: str, subject: str, value: Mapping[str, Any], name: str) -> bytes:
        """``name`` ties the sealed value to its hold and column."""
        body = canonical(dict(value)).encode("utf-8", "surrogatepass")
        if self._sealer is None:
            return body
        return self._sealer.seal(f"{tenant}/{subject}", body, name.encode())

    def hold(self, row: Row, now: int) -> Hold:
        """The hold of a row as it stands at ``now`` (microseconds)."""
        state = HoldState(row["state"])
        if state in (HoldState.PENDING, HoldState.APPROVED) and row["expires_at"] <= now:
            state = HoldState.EXPIRED
        return Hold(
            id=row["id"],
            session=row["session"],
            subject=row["subject"],
            tenant=row["tenant"],
            tool=row["tool"],
            call=row["call"],
            arguments=self._arguments(row, "arguments", row["call"]),
            reason=row["reason"],
            turn=row["turn"],
            state=state,
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
            decided_at=row["decided_at"],
            decided_by=row["decided_by"],
            approver=Approver(row["approver"]),
            application=row["application"],
            decision=row["decision"],
            doubtful=self._get(row, "doubtful") or {},
            amended=self._arguments(row, "amended", row["amended_call"]) if row["amended_call"] else None,
            amended_call=row["amended_call"],
        )

    def _arguments(self, row: Row, column: str, call: str) -> Mapping[str, Any] | None:
        """None too where they are not those that the hash was made of."""
        arguments = self._get(row, column)
        return arguments if arguments is not None and call_hash(row["tool"], arguments) == call else None

    def _get(self, row: Row, column: str) -> Mapping[str, Any] | None:
        raw = row[column]
        body = raw.encode() if isinstance(raw, str) else bytes(raw)
        if not body:
            return None
        if row["sealed"]:
            if self._sealer is None:
                return None
            name = sealed_name(row["id"], column)
            try:
                body = self._sealer.open(f"{row['tenant']}/{row['subject']}", body, name.encode())
            except DataError:
                return None
        value: Mapping[str, Any] = json.loads(body.decode("utf-8", "surrogatepass"))
        return value


def sealed_name(hold_id: str, column: str) -> str:
    """What a sealed value of a hold is bound to."""
    return hold_id if column == "arguments" else f"{hold_id}/{column}"


def _dict(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if arguments is None else dict(arguments)


__all__ = [
    "STEPS",
    "Approver",
    "Box",
    "Hold",
    "HoldEvent",
    "HoldState",
    "Sealer",
    "Why",
    "call_hash",
    "sealed_name",
]
