"""Who makes a request of MCP, and for which application and server."""

from dataclasses import dataclass
from typing import Any

from ringwall.boundaries.application.mcp.pool import Owner
from ringwall.core import CrossingKind, Principal
from ringwall.wire.chat_request import ChatCall
from ringwall.workload.site import ApplicationSite

from ..recorder import Recorder
from ..turn.state import Turn

ENDPOINT = "mcp"
_KEY = "ringwall_mcp"


@dataclass(frozen=True, slots=True)
class Caller:
    """Made at the listener for each HTTP request, from its verified credential."""

    app: ApplicationSite
    recorder: Recorder
    principal: Principal
    server: str
    mcp_session: str
    """Of the older protocol; empty in the newer, which has none, and before it is given."""
    token: str
    """``x-ringwall-session``: joins what is done here to a conversation at the chat endpoint."""

    def put(self, scope: Any) -> None:
        """Have the request carry it, beside what the client sent."""
        scope.setdefault("state", {})[_KEY] = self

    @classmethod
    def of(cls, request: Any) -> "Caller":
        """From the request that a handler of the SDK was given. Raises AttributeError for any other."""
        caller = getattr(request.state, _KEY)
        assert isinstance(caller, cls)  # noqa: S101 - only ``put`` writes it
        return caller

    @property
    def owner(self) -> Owner:
        """Whose session with the server it is. Clients of the newer protocol, which has no sessions, have one
        for each conversation that they name, else one for each principal."""
        return Owner.of(self.principal, self.mcp_session or self.token)

    def turn(self) -> Turn:
        """One request as a turn of its own: its decisions, its session, its settling."""
        turn = Turn(self.app, self.recorder, self.principal, ChatCall("", ()), endpoint=ENDPOINT)
        joined = self.token or f"mcp:{self.server}:{self.mcp_session}"
        turn.session = self.app.sessions.find(
            self.principal, self.app.application.name, joined, (), turn.id
        )
        return turn


async def admit(turn: Turn) -> None:
    """The request as a crossing without content: identity, roles, quota, containment. Raises WireError."""
    crossing = turn.crossing(CrossingKind.REQUEST, (), {"estimated_tokens": 0, "messages": 0})
    decision = await turn.decide(crossing)
    turn.refuse_if_stopped(decision)
