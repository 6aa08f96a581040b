"""``application.egress``: what a tool sends out over the network, as the gate sees it before it leaves.

A second layer behind the egress list: it refuses what the list or the address guard refuses, reads the host
by itself, knows the kill switches, and bounds what an address can carry to a host that is listed. The
client that asks it is ``egress_client``; its names are offered here too.
"""

from typing import Any

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)

from .addresses import host_of, is_metadata
from .egress_answer import Answer, Fetched
from .egress_client import Egress, ToolEgress
from .egress_list import EgressList
from .egress_outbound import EgressLimits, EgressRefused, Outbound
from .switches import ToolSwitches

__all__ = [
    "CONTROL",
    "Answer",
    "Egress",
    "EgressControl",
    "EgressLimits",
    "EgressList",
    "EgressRefused",
    "EgressSettings",
    "Fetched",
    "Outbound",
    "ToolEgress",
]

DECLARATION = Declaration(
    id="application.egress",
    boundary=Boundary.APPLICATION,
    summary="Requests out that no rule lists, that reach for a private address, or carry data in theirs.",
    crossings=frozenset({CrossingKind.EGRESS}),
    parts=frozenset({PartKind.TEXT}),
    threats=(
        *("LLM02@2023", "LLM06@2023", "LLM07@2023", "LLM08@2023"),
        *("LLM02@2025", "LLM05@2025", "LLM06@2025"),
    ),
    csf=("PR.IR-01", "PR.DS-02", "DE.CM-01"),
    inline=True,
)


class EgressSettings(Settings):
    """What ``application.egress`` lets pass to a host of the egress list."""

    query_characters: int = 2048
    """Longest query of an address."""
    opaque_characters: int = 512
    """Characters of path and query in runs of 32 and more that are no words: encoded data."""
    label_characters: int = 40
    """Characters of a name below a ``*.`` rule: they reach the name server of that domain."""
    body_bytes: int = 10_000_000
    """Largest body of a request, whatever the rules say."""


class EgressControl:
    """Facts that are missing or of the wrong type count as the worst."""

    declaration = DECLARATION

    def __init__(self, settings: EgressSettings, switches: ToolSwitches) -> None:
        self._switches = switches
        self._bounds = (
            ("query_chars", settings.query_characters, "its query is too long"),
            ("opaque_chars", settings.opaque_characters, "its address carries data"),
            ("label_chars", settings.label_characters, "its host name carries data"),
            ("body_bytes", settings.body_bytes, "its body is too large"),
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        facts = crossing.context
        problem = facts.get("problem")
        if problem != "" or facts.get("listed") is not True:
            said = problem if problem and isinstance(problem, str) else "It is not on the egress list."
            return _refusal("list", said)
        host = host_of(str(facts.get("host") or ""))
        metadata = host.address is not None and is_metadata(host.address)
        if not (host.name or host.address) or (
            host.problem and (metadata or facts.get("private") is not True)
        ):
            return _refusal("address", "It leads where tools may not reach.")
        if self._switches.off(str(facts.get("tool") or "")):
            return _refusal("switched-off", "This tool is switched off for now.")
        for key, most, said in self._bounds:
            if _size(facts.get(key)) > most:
                rule = "size" if key == "body_bytes" else "data-in-address"
                return _refusal(rule, f"It was stopped: {said}.")
        return ALLOW


def _size(value: Any) -> float:
    return value if isinstance(value, int) and value >= 0 else float("inf")


def _refusal(rule: str, said: str) -> Verdict:
    finding = Finding(DECLARATION.id, rule, f"A request out was stopped. {said}", cls="destination")
    return verdict(Action.BLOCK, said, [finding])


def _build(settings: EgressSettings, services: Services) -> EgressControl:
    return EgressControl(settings, services.get(ToolSwitches))


CONTROL = ControlFactory(DECLARATION.id, EgressSettings, _build)
