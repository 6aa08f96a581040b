"""``application.chain``: agents that call agents do not call each other without end.

1. A token that is forged, expired or another tenant's is refused: a chain can't be shortened by breaking it.
2. A chain may have so many applications; services that act for one another, as credentials tell, count too.
3. The same application asked the same again on one chain is a loop.

How many tools a whole chain may call is counted by ``application.breaker``. A caller that sends no token
begins a chain; its own limits (quotas, calls of the session and principal) hold for it all the same.
"""

from collections.abc import Mapping

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    NoSettings,
    Principal,
    Services,
    Verdict,
    verdict,
)

from .breaker_settings import BreakerSettings, ChainSettings

DECLARATION = Declaration(
    id="application.chain",
    boundary=Boundary.APPLICATION,
    summary="Agents that call each other without end, and chain tokens that are forged or expired.",
    crossings=frozenset({CrossingKind.REQUEST}),
    parts=frozenset(),
    threats=("LLM04@2023", "LLM08@2023", "LLM06@2025", "LLM10@2025"),
    csf=("PR.IR-04", "DE.CM-09"),
    inline=True,
)
# The caller's model reads these as what a tool said: facts, since instructions there are taken out.
_FAULTS = {
    "expired": "The chain token has expired: send the one of the latest answer.",
    "forged": "The chain token can't be read: send it as it was given, or none.",
    "foreign": "The chain token belongs to somebody else: send the one that you were given, or none.",
}


class ChainControl:
    """Reads the context key ``chain`` (see ``chain_token.Chain.facts``); absent in crossings of no chain."""

    declaration = DECLARATION

    def __init__(self, limits: ChainSettings) -> None:
        self._limits = limits

    def inspect(self, crossing: Crossing) -> Verdict:
        chain = crossing.context.get("chain")
        facts: Mapping[str, object] = chain if isinstance(chain, Mapping) else {}
        fault = facts.get("fault")
        if fault:
            known = fault if isinstance(fault, str) and fault in _FAULTS else "forged"
            return _stop(known, _FAULTS[known])
        depth = facts.get("depth")
        if max(depth if isinstance(depth, int) else 1, acting(crossing.principal)) > self._limits.depth:
            return _stop("depth", "The chain of agents is too long: nobody further can be asked.")
        if facts.get("repeats"):
            return _stop(
                "recursion",
                "The same was asked before on this chain of agents: there will be no other answer.",
            )
        return ALLOW


def acting(principal: Principal) -> int:
    """How many stand behind a request: the principal, and who acts for it, nested."""
    count, actor = 1, principal.actor
    while actor is not None:
        count, actor = count + 1, actor.actor
    return count


def _stop(rule: str, reason: str) -> Verdict:
    return verdict(Action.BLOCK, reason, [Finding(DECLARATION.id, rule, reason, cls="loop")])


def _build(settings: NoSettings, services: Services) -> ChainControl:
    return ChainControl(services.get(BreakerSettings).chain)


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)
