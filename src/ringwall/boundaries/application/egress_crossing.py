"""A request out as a crossing: decided at the application's gate, and on the ledger, before it leaves."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from ringwall.core import SYSTEM, Action, Crossing, CrossingKind, Decision, Part, PartKind, Principal

from .egress_outbound import EgressRefused, Outbound

Decide = Callable[[Outbound], Awaitable[None]]
"""Returns once the decision is on the ledger and lets it out; raises EgressRefused when it doesn't."""


def egress_part(outbound: Outbound) -> Part:
    """What is remembered of it: its facts, which hold no query and no body."""
    facts = outbound.facts()
    return Part(PartKind.TEXT, orjson.dumps(facts).decode(), SYSTEM, name=outbound.tool, data=facts)


def egress_crossing(
    outbound: Outbound,
    principal: Principal,
    *,
    application: str = "",
    session: str = "",
    context: Mapping[str, Any] | None = None,
) -> Crossing:
    """For a way out that belongs to no turn, such as the forward proxy's."""
    return Crossing(
        CrossingKind.EGRESS,
        principal,
        (egress_part(outbound),),
        application,
        session,
        "egress",
        context={**outbound.facts(), **(context or {})},
    )


def let_out(decision: Decision, *, careful: bool = True) -> None:
    """Raises EgressRefused unless the decision lets the request out. Nobody waits for a person here: a hold
    is a refusal. ``careful``: what goes out in the gateway's own name is stopped in monitor mode as well."""
    if (max(decision.action, decision.would) if careful else decision.action) >= Action.HOLD:
        reasons = " ".join(decision.reasons)
        raise EgressRefused(reasons or "The policy of this application does not let this request out.")
