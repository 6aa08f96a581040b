"""Control ``model.admission``: a model that is not admitted is not routed to, and not loaded."""

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
    Services,
    Settings,
    Verdict,
    verdict,
)

from .admission_book import Admission, Admissions

__all__ = ["CONTROL", "Admission", "AdmissionControl", "AdmissionSettings", "Admissions"]

_DECLARATION = Declaration(
    id="model.admission",
    boundary=Boundary.MODEL,
    summary="Stops calls to models, and loads of model files, that nobody admitted.",
    crossings=frozenset({CrossingKind.MODEL_CALL, CrossingKind.MODEL_ADMISSION}),
    parts=frozenset(),
    threats=("LLM05@2023", "LLM03@2023", "LLM03@2025", "LLM04@2025"),
    csf=("GV.SC-07", "ID.RA-09", "PR.PS-05", "PR.DS-01"),
    inline=True,
)


class AdmissionSettings(Settings):
    """How strict admission is."""

    require_snapshot: bool = False
    """Also stop remote routes that name no snapshot. Without it they are noted."""


class AdmissionControl:
    """Reads ``admitted``, ``route``, ``snapshot``, ``remote`` (a call) or ``artifact``, ``admitted``,
    ``checks`` (an admission) from the crossing's context; what is missing counts as not admitted."""

    def __init__(self, settings: AdmissionSettings) -> None:
        self._settings = settings

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def inspect(self, crossing: Crossing) -> Verdict:
        context = crossing.context
        if context.get("admitted") is not True:
            return self._stop(crossing)
        if crossing.kind is CrossingKind.MODEL_CALL and context.get("remote") and not context.get("snapshot"):
            message = f"The route {_name(context.get('route'))} names no snapshot of its model."
            finding = Finding(_DECLARATION.id, "no-snapshot", message, cls="supply-chain")
            if self._settings.require_snapshot:
                return verdict(Action.BLOCK, "This model is not pinned to a version.", [finding])
            return verdict(Action.ANNOTATE, findings=[finding])
        return ALLOW

    def _stop(self, crossing: Crossing) -> Verdict:
        context = crossing.context
        if crossing.kind is CrossingKind.MODEL_ADMISSION:
            checks = context.get("checks")
            why = str(checks.get("reason", ""))[:500] if isinstance(checks, dict) else ""
            message = f"The model {_name(context.get('artifact'))} did not pass its checks. {why}".strip()
            finding = Finding(_DECLARATION.id, "checks-failed", message, cls="supply-chain")
            return verdict(Action.BLOCK, "This model did not pass its checks.", [finding])
        message = f"The model behind the route {_name(context.get('route'))} is not admitted."
        finding = Finding(_DECLARATION.id, "not-admitted", message, cls="supply-chain")
        return verdict(Action.BLOCK, "This model is not admitted for use.", [finding])


def _name(value: Any) -> str:
    return f"'{value[:64]}'" if isinstance(value, str) and value else "(unnamed)"


def build(settings: AdmissionSettings, _services: Services) -> AdmissionControl:
    return AdmissionControl(settings)


CONTROL = ControlFactory("model.admission", AdmissionSettings, build)
