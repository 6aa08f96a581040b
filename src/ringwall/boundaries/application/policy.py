"""``application.policy``: Cedar on (principal, tool, arguments, where they come from).

The same policies are asked when a tool is offered: one of which no call could be permitted is not shown to
the model at all.
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
    Edit,
    Finding,
    Label,
    NoSettings,
    Part,
    PartKind,
    Principal,
    Services,
    Verdict,
    verdict,
)

from .authority import Authority, Call, Found, Ruling
from .registry import ToolRegistry

DECLARATION = Declaration(
    id="application.policy",
    boundary=Boundary.APPLICATION,
    summary="Calls that the policies do not permit to this principal with arguments from there.",
    crossings=frozenset({CrossingKind.TOOL_OFFER, CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_OFFER, PartKind.TOOL_CALL}),
    threats=(
        *("LLM01@2023", "LLM06@2023", "LLM07@2023", "LLM08@2023"),
        *("LLM01@2025", "LLM02@2025", "LLM06@2025"),
    ),
    csf=("PR.AA-05", "PR.DS-10"),
    inline=True,
)


class PolicyControl:
    """Context keys it reads: ``provenance`` (call id to path to label), ``approved`` (call ids),
    ``session_labels``, and those of ``session_facts``. What is missing counts as untrusted, not approved,
    private, not asked for and not known."""

    declaration = DECLARATION

    def __init__(self, registry: ToolRegistry, authority: Authority) -> None:
        self._registry = registry
        self._authority = authority

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_CALL:
                joined = joined.join(self._judge(part, index, crossing))
            elif part.kind is PartKind.TOOL_OFFER:
                joined = joined.join(self._offer(part, index, crossing.principal))
        return joined

    def _offer(self, part: Part, index: int, principal: Principal) -> Verdict:
        """What nobody declared is ``application.manifest``'s to take out."""
        tool = self._registry.get(part.name)
        ruling = self._authority.offers(principal, tool) if tool else None
        if ruling is None or ruling.action is Action.ALLOW:
            return ALLOW
        findings = _findings(ruling, index, "No policy permits any call of this tool.")
        return verdict(Action.TRANSFORM, "", findings, [Edit(index, 0, len(part.text), drop=True)])

    def _judge(self, part: Part, index: int, crossing: Crossing) -> Verdict:
        tool = self._registry.get(part.name)
        if tool is None:
            finding = Finding(DECLARATION.id, "unknown-tool", "No policy speaks of this tool.", index)
            return verdict(Action.BLOCK, "This tool is not available here.", [finding])
        session = crossing.context.get("session_labels")
        call = Call(
            crossing.principal,
            tool,
            part.data,
            provenance_of(crossing, part),
            session if isinstance(session, Label) else None,
            is_approved(crossing, part),
            *session_facts(crossing, part),
        )
        ruling = self._authority.rule(call)
        if ruling.action is Action.ALLOW:
            return Verdict(Action.ALLOW, _findings(ruling, index, ""))
        if ruling.problem:
            finding = Finding(
                DECLARATION.id, "not-decided", f"Refused: {ruling.problem}.", index, cls="policy"
            )
            return verdict(Action.BLOCK, "The call could not be checked, so it was refused.", [finding])
        findings = _findings(ruling, index, "No policy permits this call.")
        return Verdict(ruling.action, findings, (), ruling.reasons)


def _findings(ruling: Ruling, index: int, otherwise: str) -> tuple[Finding, ...]:
    """One for each policy that determined the ruling, those that permitted it included: a decision is on the
    ledger with its grounds."""
    told = [(policy.id, policy.reason or _PLAIN[policy.effect]) for policy in ruling.policies]
    return tuple(
        sorted(
            Finding(DECLARATION.id, rule, message, index, cls="policy")
            for rule, message in told or [("not-permitted", otherwise)]
        )
    )


_PLAIN = {"permit": "A policy permits this call.", "forbid": "A policy forbids this call."}


def provenance_of(crossing: Crossing, part: Part) -> Mapping[str, Label]:
    """The labels of one call's arguments, as the gateway put them into the context; empty when it did not."""
    by_call = crossing.context.get("provenance")
    labels = by_call.get(part.ref) if isinstance(by_call, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def session_facts(crossing: Crossing, part: Part) -> Found:
    """From the context keys ``asked``, ``listed``, ``verbatim`` and ``linking`` (the latter two by call
    id). Where one is missing, the worst is assumed."""
    asked, listed = crossing.context.get("asked"), crossing.context.get("listed")
    verbatim, linking = crossing.context.get("verbatim"), crossing.context.get("linking")
    verbatim = verbatim.get(part.ref) if isinstance(verbatim, Mapping) else None
    linking = linking.get(part.ref) if isinstance(linking, Mapping) else None
    return Found(
        frozenset(asked if isinstance(asked, (frozenset, set)) else ()),
        listed if isinstance(listed, (frozenset, set)) else frozenset(),
        verbatim if isinstance(verbatim, (frozenset, set)) else frozenset(),
        linking if isinstance(linking, (frozenset, set)) else frozenset(part.data),
    )


def is_approved(crossing: Crossing, part: Part) -> bool:
    """Whether a person approved this call. A call without an id is approved by nobody."""
    approved = crossing.context.get("approved")
    return bool(part.ref) and isinstance(approved, (frozenset, set)) and part.ref in approved


def _build(settings: NoSettings, services: Services) -> PolicyControl:
    return PolicyControl(services.get(ToolRegistry), services.get(Authority))


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)
