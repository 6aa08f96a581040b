"""Traffic that the workload file does not know: put on record, so that the threat model stays true."""

from collections.abc import Iterator
from typing import Any

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    FailMode,
    Finding,
    NoSettings,
    PartKind,
    Services,
    Verdict,
    verdict,
)

ID = "organization.drift"
DECLARATION = Declaration(
    id=ID,
    boundary=Boundary.ORGANIZATION,
    summary="Notes tools, models and collections in use that the workload file doesn't declare.",
    crossings=frozenset({CrossingKind.TOOL_OFFER, CrossingKind.MODEL_CALL, CrossingKind.RETRIEVAL}),
    parts=frozenset(),
    threats=("LLM05@2023", "LLM07@2023", "LLM08@2023", "LLM03@2025", "LLM06@2025"),
    csf=("ID.AM-02", "ID.RA-01", "ID.IM-03", "DE.CM-09"),
    fail=FailMode.OPEN,  # it informs; the controls of the tools, models and collections themselves decide
    inline=True,
)


class DriftControl:
    """Compares what is in use with what is declared. Reads ``context["route"]`` (or ``model``) of model
    calls, ``context["collection"]`` (or ``collections``) of retrievals, and the names of offered tools."""

    declaration = DECLARATION

    def __init__(self, application: Application) -> None:
        self._declared = {
            "tool": frozenset(application.tools),
            "model": frozenset(application.models),
            "collection": frozenset(application.collections),
        }

    def inspect(self, crossing: Crossing) -> Verdict:
        found = [
            Finding(
                ID,
                "drift",
                f"The {what} {_shown(name)} is in use and not declared.",
                index,
                cls=f"drift.{what}",
            )
            for what, name, index in _used(crossing)
            if name not in self._declared[what]
        ]
        return verdict(Action.ANNOTATE, findings=found) if found else ALLOW


def _used(crossing: Crossing) -> Iterator[tuple[str, str, int]]:
    context = crossing.context
    if crossing.kind is CrossingKind.TOOL_OFFER:
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_OFFER:
                yield ("tool", part.name, index)
    elif crossing.kind is CrossingKind.MODEL_CALL:
        for name in _names(context.get("route") or context.get("model")):
            yield ("model", name, 0)
    elif crossing.kind is CrossingKind.RETRIEVAL:
        for name in _names(context.get("collection") or context.get("collections")):
            yield ("collection", name, 0)


def _names(given: Any) -> list[str]:
    several = given if isinstance(given, (tuple, list, set, frozenset)) else (given,)
    return [name for name in several if isinstance(name, str) and name]


def _shown(name: str) -> str:
    return repr(name[:80].encode("utf-8", "replace").decode())


def _build(settings: NoSettings, services: Services) -> DriftControl:
    return DriftControl(services.get(Application))


CONTROL = ControlFactory(ID, NoSettings, _build)
