"""``application.policy``: Cedar on (principal, tool, arguments, where they come from)."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Label,
    NoSettings,
    Part,
    PartKind,
    Services,
    Verdict,
    verdict,
)

from .authority import Authority, Call
from .registry import ToolRegistry
from .settings import Effect

DECLARATION = Declaration(
    id="application.policy",
    boundary=Boundary.APPLICATION,
    summary="Calls that the policies do not permit to this principal with arguments from there.",
    crossings=frozenset({CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_CALL}),
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
        return joined

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
            return ALLOW
        if ruling.problem:
            finding = Finding(
                DECLARATION.id, "not-decided", f"Refused: {ruling.problem}.", index, cls="policy"
            )
            return verdict(Action.BLOCK, "The call could not be checked, so it was refused.", [finding])
        findings = [
            Finding(
                DECLARATION.id, policy.id, policy.reason or "A policy forbids this call.", index, cls="policy"
            )
            for policy in ruling.policies
        ] or [Finding(DECLARATION.id, "not-permitted", "No policy permits this call.", index, cls="policy")]
        return Verdict(ruling.action, tuple(sorted(findings)), (), ruling.reasons)


def provenance_of(crossing: Crossing, part: Part) -> Mapping[str, Label]:
    """The labels of one call's arguments, as the gateway put them into the context; empty when it did not."""
    by_call = crossing.context.get("provenance")
    labels = by_call.get(part.ref) if isinstance(by_call, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


class Found(NamedTuple):
    """What the gateway found in the session for one call: see ``authority.Call``."""

    asked: Collection[Effect]
    listed: Collection[str]
    verbatim: Collection[str]
    linking: Collection[str]


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
