"""What the pages need from a running Ringwall: one Protocol, which the server implements on the real runtime.

Every method may raise ``RingwallError``; its message is shown to the person. Methods that read may block for
some milliseconds only: longer work goes through a thread.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from ringwall.core import Principal

from .quarantined import Quarantines
from .shown import (
    AllowInfo,
    ApplicationInfo,
    BoundaryInfo,
    ChatEvent,
    CollectionInfo,
    DecisionFilter,
    FalseAlarm,
    HoldInfo,
    Message,
    Proof,
    Record,
    ServerInfo,
    SwitchInfo,
    ThreatRow,
    ToolInfo,
)


@runtime_checkable
class Backend(Quarantines, Protocol):
    """The runtime, as the console sees it."""

    async def sign_in(self, secret: str, address: str) -> Principal | None:
        """The principal whose API key this is, or None. ``address`` is the peer's, for throttling: raise
        ``IdentityError`` with a sentence when there were too many tries."""
        ...

    async def renew(self, principal: Principal) -> Principal | None:
        """Asked at every request: the principal as it stands now, None when its credential was revoked."""
        ...

    def may_use_console(self, principal: Principal) -> bool:
        """Whether one of its roles has ``console: true``."""
        ...

    async def applications(self, principal: Principal) -> Sequence[ApplicationInfo]:
        """Applications that the principal may talk to."""
        ...

    async def boundaries(self) -> Sequence[BoundaryInfo]: ...

    async def decisions(self, limit: int, before: int | None, filters: DecisionFilter) -> Sequence[Record]:
        """Newest first, of type ``decision`` only; ``before`` is exclusive."""
        ...

    async def decision(self, decision_id: str) -> Record | None: ...

    async def turn(self, turn_id: str) -> Sequence[Record]:
        """All decisions of a turn, oldest first. The console checks whose turn it is."""
        ...

    async def proof(self, decision_id: str) -> Proof | None: ...

    async def holds(self) -> Sequence[HoldInfo]:
        """Pending ones, oldest first."""
        ...

    async def settled_holds(self, limit: int) -> Sequence[HoldInfo]:
        """Those that no longer wait, the newest first."""
        ...

    async def hold_info(self, hold_id: str) -> HoldInfo | None:
        """One hold in whatever state; None when there is none."""
        ...

    async def own_holds(self, principal: Principal, application: str) -> Sequence[HoldInfo]:
        """Calls of this principal that they may confirm themselves, and those confirmed but not made yet."""
        ...

    async def approve(self, hold_id: str, principal: Principal) -> None:
        """Raises ``RingwallError`` with the reason when it may not be (own request, no right, expired)."""
        ...

    async def refuse(self, hold_id: str, principal: Principal) -> None: ...

    async def amend(self, hold_id: str, principal: Principal, arguments: str) -> None:
        """Approve with other arguments, as JSON text. Raises ``RingwallError`` as ``approve`` does, and where
        the tool does not take such arguments."""
        ...

    async def allow_rules(self) -> Sequence[AllowInfo]:
        """Those that were not removed, newest first."""
        ...

    async def report_false_alarm(self, decision_id: str, alarm: FalseAlarm, principal: Principal) -> str:
        """Make allow-rules; what became of their test cases, as a sentence. Raises ``RingwallError`` with the
        reason when it may not be."""
        ...

    async def remove_allow_rule(self, rule_id: str, principal: Principal) -> None:
        """Raises ``RingwallError`` when there is no such rule."""
        ...

    async def tools(self) -> Sequence[ToolInfo]: ...

    async def switches(self) -> Sequence[SwitchInfo]:
        """Those that are thrown."""
        ...

    async def switch_off(self, target: str, reason: str, principal: Principal) -> None:
        """Throw a kill switch. Raises ``RingwallError`` for a target that names nothing, or without a
        reason."""
        ...

    async def switch_on(self, target: str, principal: Principal) -> bool:
        """Put it back; False when it was not thrown."""
        ...

    def chat(
        self,
        principal: Principal,
        application: str,
        session: str,
        messages: Sequence[Message],
        *,
        stream: bool,
    ) -> AsyncIterator[ChatEvent]:
        """One turn through the gateway: deltas (when streaming), then exactly one Final or Failure.
        ``messages`` ends with the new message of the user."""
        ...

    async def servers(self) -> Sequence[ServerInfo]:
        """MCP servers of the workload file."""
        ...

    async def look_at_server(self, server: str, principal: Principal) -> None:
        """Ask it what it offers. Raises ``RingwallError``."""
        ...

    async def decide_server_tool(
        self, server: str, tool: str, digest: str, principal: Principal, *, approve: bool, despite: bool
    ) -> None:
        """``despite``: in spite of what detectors found. Raises ``RingwallError`` with the reason when it may
        not be."""
        ...

    async def collections(self, principal: Principal) -> Sequence[CollectionInfo]:
        """All of the workload, as this person may see them."""
        ...

    async def review_collection(self, collection: str, principal: Principal) -> None:
        """Begin to compare its current version with the approved one. Raises ``RingwallError``."""
        ...

    async def approve_version(
        self, collection: str, version: int, principal: Principal, *, despite: bool
    ) -> str:
        """``despite``: in spite of what a review found. What its approval still takes; empty when it is
        approved. Raises ``RingwallError`` with the reason when this person may not."""
        ...

    async def threats(self) -> Sequence[ThreatRow]: ...
