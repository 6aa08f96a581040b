"""What one turn knows and has decided so far."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

from ringwall.boundaries.application.chain_token import Chain
from ringwall.boundaries.application.egress import Outbound
from ringwall.boundaries.application.egress_crossing import egress_part, let_out
from ringwall.boundaries.application.session_facts import Background
from ringwall.boundaries.interface.pseudonyms import Place
from ringwall.boundaries.model.provider import CHARS_PER_TOKEN, Usage
from ringwall.core import (
    SYSTEM,
    Action,
    Crossing,
    CrossingKind,
    Decision,
    Integrity,
    Label,
    Part,
    PartKind,
    Principal,
    new_id,
)
from ringwall.ledger import Entry
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError
from ringwall.workload.site import ApplicationSite

from ..recorder import Recorder
from .trace import Trace

ENDPOINT = "chat.completions"


@dataclass
class Turn:
    """Mutable, owned by one task."""

    app: ApplicationSite
    recorder: Recorder
    principal: Principal
    call: ChatCall
    session: str = ""
    chain: Chain | None = None
    """How the turn came about, where agents may ask it."""
    endpoint: str = ENDPOINT
    route: str = ""
    """The route that the client's model name stands for."""
    served: str = ""
    """The route that answered: its own, or the fallback."""
    id: str = field(default_factory=lambda: new_id("turn"))
    messages: list[dict[str, Any]] = field(default_factory=list)
    """What goes to the model: the client's messages as the gates left them, and what the gateway adds."""
    tools: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    content: list[Part] = field(default_factory=list)
    """Every labelled part that the model has been shown, for provenance."""
    signs: set[str] = field(default_factory=set)
    """What stands between the words of texts that the model was shown (``spotlight: datamark``)."""
    retrieved: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0})
    decision: str = ""
    """Id of the decision that the client is told: the one that stopped the turn, or the latest."""
    tool_calls: int = 0
    held: list[str] = field(default_factory=list)
    """Holds that still wait for a person."""
    waits: bool = False
    """Whether the turn stands still until a person decides."""
    traced: bool = False
    """Whether the client asked for the trace."""
    trace: Trace = field(default_factory=Trace)
    pending: "list[asyncio.Future[Entry]]" = field(default_factory=list)
    """Decisions on their way to the ledger."""
    uncounted: int = 0
    """Characters asked and answered whose tokens the model has not told."""
    carried: bool = False
    """Whether the turn runs on by itself and settles its own account."""
    left: bool = False
    """Whether something of the answer, or a call, has left the gateway."""
    failed: bool = False
    """Whether a failure of the upstream is on the ledger."""

    def crossing(
        self,
        kind: CrossingKind,
        parts: Iterable[Part] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Crossing:
        """A crossing of this turn. ``turn`` is in its context, and ``chain`` where it stands on one."""
        known = {"turn": self.id, "chain": self.chain.facts()} if self.chain else {"turn": self.id}
        return Crossing(
            kind,
            self.principal,
            tuple(parts),
            self.app.application.name,
            self.session,
            self.endpoint,
            self.call.stream,
            {**known, **(context or {})},
        )

    async def decide(self, crossing: Crossing) -> Decision:
        """Ask the gate and send its decision to the ledger. ``committed`` comes before any effect."""
        decision = await self.app.gate.decide(crossing)
        self.record(decision, crossing)
        return decision

    def record(self, decision: Decision, crossing: Crossing) -> None:
        self.pending.append(self.recorder.begin(decision, crossing, self.id))
        self.decision = decision.id

    async def committed(self) -> None:
        """Wait until every decision so far is on the ledger. Raises when one could not be recorded: then
        nothing may leave the gateway."""
        pending, self.pending = self.pending, []
        for promise in pending:
            await promise

    def background(self, part: Part) -> Background:
        """Where each argument of a call comes from, and what the user asked for: looked for in what the model
        was shown."""
        return self.app.background(self.content, part)

    def runs(self, part: Part) -> bool:
        """Whether the gateway makes this call itself; else the client does."""
        return self.app.runs(part.name)

    def handed_out(self, part: Part) -> bool:
        """A turn of a model makes each of its calls for the first time."""
        return False

    def released(self, part: Part) -> bool:
        """A model's call is approved by a hold, or not at all."""
        return False

    def remember_released(self, part: Part, background: Background, *, approved: bool) -> None:
        """The client may make it at the MCP gateway: what is known of it now is known then."""
        self.app.facts.remember(self.session, part.name, part.data, background, approved=approved)

    async def let_out(self, outbound: Outbound) -> None:
        """Decide a request that a tool of this turn sends out, on the ledger before it leaves. Raises
        EgressRefused."""
        crossing = self.crossing(CrossingKind.EGRESS, [egress_part(outbound)], outbound.facts())
        decision = await self.decide(crossing)
        await self.committed()
        let_out(decision, careful=self.app.careful)

    def refuse_if_stopped(self, decision: Decision) -> None:
        """Raise the protocol's error for a decision that lets nothing through."""
        if decision.action < Action.HOLD:
            return
        control = stopper(decision)
        reason = " ".join(decision.reasons) or "The policy of this application does not allow it."
        if control == "interface.identity" and not self.principal.authenticated:
            raise WireError(401, "A valid API key is needed: send it as a bearer token.", "invalid_api_key")
        if control == "interface.quota":
            wait = self.app.quotas.retry_after(self.id)
            raise WireError(429, reason, control, retry_after=wait)
        if control == "interface.limits":
            raise WireError(413, reason, control)
        raise WireError(403, reason, control)

    def settle(self) -> None:
        """Give back what was reserved beyond the tokens really used and the data really shown. May be called
        twice."""
        self.app.quotas.settle(self.id, self.tokens_used())
        self.app.disclosures.settle(self.id, left=self.left)

    @property
    def chain_token(self) -> str:
        """For the agents that this turn asks; empty where it stands on no chain, or on a broken one."""
        if self.chain is None or self.chain.fault:
            return ""
        return self.app.chains.token(self.chain, self.principal.tenant)

    @property
    def can_wait(self) -> bool:
        """Whether it may come to stand still for a person."""
        return self.app.holds.wait_s > 0

    @property
    def place(self) -> Place | None:
        """Whose placeholders stand for whose values here."""
        return Place.at(self.principal, self.app.application.name, self.session, self.id)

    def lit(self, part: Part, text: str) -> str:
        """What the controls left of an untrusted part, as the model gets it."""
        lit = self.app.spotlight.lit(part.text, text, part.label)
        if lit.sign:
            self.signs.add(lit.sign)
        return lit.text

    def plain(self, text: str) -> str:
        """What the model wrote, less the signs that it took over from what it was shown. One character for
        one, so that a stream can be read in any pieces."""
        return text.translate(dict.fromkeys(map(ord, self.signs), " ")) if self.signs else text

    def show(self, parts: Iterable[Part]) -> None:
        """The model is shown these: they are remembered, with the values behind their placeholders."""
        real = [self.app.hiding.content(self.place, part) for part in parts]
        self.content += real
        self.app.labels.remember(self.session, real)

    def tokens_used(self) -> int:
        """What the model told, and an estimate for what it did not."""
        return sum(self.usage.values()) + self.uncounted // CHARS_PER_TOKEN

    def add_usage(self, usage: Usage) -> None:
        self.uncounted = 0
        self.usage["prompt_tokens"] += usage.prompt_tokens
        self.usage["completion_tokens"] += usage.completion_tokens

    @cached_property
    def user_text(self) -> list[str]:
        """What the user wrote: an answer that repeats it leaks nothing."""
        return [part.text for part in self.content if part.label.integrity is Integrity.USER]

    @property
    def results(self) -> list[str]:
        """What tools have answered: figures of an answer may come from there."""
        return [part.text for part in self.content if part.kind is PartKind.TOOL_RESULT]

    @property
    def content_label(self) -> Label:
        """The join of all content that the model has been shown in this turn."""
        return reduce(Label.join, (part.label for part in self.content), SYSTEM)


def stopper(decision: Decision) -> str:
    """Id of the first control whose verdict equals the decision."""
    return next((line.control for line in decision.lines if line.counted == decision.action), "")
