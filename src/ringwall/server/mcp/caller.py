"""Who makes a request of MCP, and for which application and server."""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from ringwall.boundaries.application.mcp.pool import Owner
from ringwall.boundaries.application.session_facts import Background
from ringwall.core import SYSTEM, CrossingKind, Label, Part, Principal, untrusted
from ringwall.wire.chat_request import ChatCall
from ringwall.workload.site import ApplicationSite

from ..recorder import Recorder
from ..turn.state import Turn

ENDPOINT = "mcp"
_KEY = "ringwall_mcp"
_CLIENT = untrusted("mcp-client")
"""Of what the client sends and the gateway has not seen: it may come from anywhere."""
_OWN = frozenset({"model"})


@dataclass
class McpTurn(Turn):
    """One request of MCP as a turn of its own: its decisions, its session, its settling.

    Where an argument comes from is what the chat gateway knew of exactly this call of this session; else it
    is looked for in what this session was given here, and what is not found is untrusted."""

    def background(self, part: Part) -> Background:
        fact = self.app.facts.find(self.session, part.name, part.data)
        if fact is not None:
            return fact.background
        found = self.app.background(self.app.seen.of(self.session), part)
        labels = found.labels.items()
        return replace(
            found, labels={path: _CLIENT if label.origin == _OWN else label for path, label in labels}
        )

    def runs(self, part: Part) -> bool:
        """Every call of a server is the gateway's."""
        return True

    def handed_out(self, part: Part) -> bool:
        return self.app.facts.find(self.session, part.name, part.data) is not None

    def released(self, part: Part) -> bool:
        fact = self.app.facts.find(self.session, part.name, part.data)
        return fact is not None and fact.approved

    @property
    def content_label(self) -> Label:
        """The join of what this session was given here."""
        return reduce(Label.join, (part.label for part in self.app.seen.of(self.session)), SYSTEM)


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
    address: str
    """Of the peer: all that tells callers without a credential apart."""
    chain: str = ""
    """``x-ringwall-chain``: of the turn whose call this is, where an agent makes it."""

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
        session = self.mcp_session or self.token
        if not self.principal.authenticated:
            session = f"{self.address} {session}"
        return Owner.of(self.principal, session)

    def turn(self) -> McpTurn:
        """A turn for one request."""
        turn = McpTurn(self.app, self.recorder, self.principal, ChatCall("", ()), endpoint=ENDPOINT)
        turn.chain = self.app.chains.resume(self.chain, tenant=self.principal.tenant)
        joined = self.token or f"mcp:{self.server}:{self.mcp_session}"
        turn.session = self.app.sessions.find(self.principal, self.app.application.name, joined, (), turn.id)
        return turn


async def admit(caller: Caller, turn: Turn) -> None:
    """The request as a crossing without content: identity, roles, quota, containment. Raises WireError."""
    facts = {"estimated_tokens": 0, "messages": 0, "address": caller.address}
    crossing = turn.crossing(CrossingKind.REQUEST, (), facts)
    decision = await turn.decide(crossing)
    turn.refuse_if_stopped(decision)
