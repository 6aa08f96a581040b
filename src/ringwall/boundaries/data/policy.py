"""Control ``data.policy``: Cedar on who contributes what, through which program, under what terms."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from ringwall.cedar import plain
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
    Part,
    PartKind,
    Services,
    Verdict,
    verdict,
)

from .intake.policies import DataPolicies, Ruling, told

ID = "data.policy"
_FINDINGS = 200


class DataPolicy:
    """Each document, or row, is judged with its own facts; equal ones once."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Refuses contributions that the policies, licences, consent or signatures do not allow.",
        crossings=frozenset({CrossingKind.CONTRIBUTION}),
        parts=frozenset({PartKind.DOCUMENT, PartKind.TEXT, PartKind.FILE}),
        threats=("LLM03@2023", "LLM05@2023", "LLM03@2025", "LLM04@2025"),
        csf=("PR.AA-05", "PR.DS-01", "GV.SC-05"),
        inline=True,
    )

    def __init__(self, policies: DataPolicies, now: Callable[[], float] = time.time) -> None:
        self._policies = policies
        self._now = now

    def inspect(self, crossing: Crossing) -> Verdict:
        if not crossing.principal.authenticated:
            finding = Finding(ID, "anonymous", "The contributor has no verified identity.", cls="policy")
            return verdict(Action.BLOCK, "You may not contribute to this collection.", [finding])
        action, reasons, findings = Action.ALLOW, set(), []
        at = time.gmtime(self._now())
        for index, part in enumerate(crossing.parts):
            name = part.data.get("collection")
            name = name if isinstance(name, str) else ""
            ruling = self._policies.contribute(crossing.principal, name, _context(part, crossing, at))
            if ruling.action is not Action.ALLOW:
                action = max(action, ruling.action)
                reasons.add(told(ruling))
                findings += _findings(ruling, index)
        if action is Action.ALLOW:
            return ALLOW
        joined = verdict(action, findings=findings[:_FINDINGS])
        return Verdict(joined.action, joined.findings, (), tuple(sorted(reasons)))


def _context(part: Part, crossing: Crossing, at: time.struct_time) -> dict[str, Any]:
    """What is missing or odd counts as not stated."""
    data = part.data
    licence = _text(data, "licence")
    return {
        "classes": _texts(data, "classes"),
        "consented": bool(_text(data, "consent").strip()),
        "licence": licence,
        "licensed": bool(licence),
        "origin": _text(data, "origin"),
        "process": _text(data, "process"),
        "chars": len(part.text) if data.get("rows") is not True else 0,
        "form": _text(data, "form"),
        "hidden": data.get("hidden") is True,
        "hour": at.tm_hour,
        "marks": _texts(data, "marks"),
        "seed": crossing.context.get("seed") is True,
        "signed": data.get("signed") is True,
        "weekday": at.tm_wday,
    }


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return plain(value) if isinstance(value, str) else ""


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    values = data.get(name)
    return [plain(value) for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _findings(ruling: Ruling, index: int) -> list[Finding]:
    if ruling.problem:
        return [Finding(ID, "not-decided", f"Refused: {ruling.problem}.", index, cls="policy")]
    given = [(policy.id, policy.reason or "A policy forbids it.") for policy in ruling.policies]
    return [
        Finding(ID, rule, message, index, cls="policy")
        for rule, message in given or [("not-permitted", "No policy permits it.")]
    ]


def _build(settings: NoSettings, services: Services) -> DataPolicy:
    return DataPolicy(services.get(DataPolicies))


CONTROL = ControlFactory(ID, NoSettings, _build)
