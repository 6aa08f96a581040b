"""Control ``data.contributor``: only those whom the collection names may put something into it."""

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

from .document import COMMON
from .settings import DataSection

ID = "data.contributor"
_REASON = "You may not contribute to this collection."


class Contributor:
    """Judges by the workload's own list, never by what the crossing says of it."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Refuses documents from whoever does not hold a contributor role of the collection.",
        crossings=frozenset({CrossingKind.CONTRIBUTION}),
        parts=frozenset({PartKind.DOCUMENT, PartKind.TEXT, PartKind.FILE}),
        threats=("LLM03@2023", "LLM04@2025", "LLM08@2025"),
        csf=("PR.AA-05", "PR.DS-01"),
        inline=True,
    )

    def __init__(self, section: DataSection) -> None:
        self._section = section

    def inspect(self, crossing: Crossing) -> Verdict:
        if not crossing.principal.authenticated:
            return _refused("anonymous", "The contributor has no verified identity.", 0)
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            joined = joined.join(self._part(part, crossing, index))
        return joined

    def _part(self, part: Part, crossing: Crossing, index: int) -> Verdict:
        principal = crossing.principal
        name = part.data.get("collection")
        settings = self._section.of(name) if isinstance(name, str) else None
        if settings is None:
            return _refused("collection", "The workload has no such collection.", index)
        if not principal.roles & set(settings.contributors):
            return _refused("role", "The principal holds no contributor role of the collection.", index)
        tenant = part.data.get("tenant")
        common = tenant == COMMON and crossing.context.get("seed") is True
        if tenant != principal.tenant and not common:
            return _refused("tenant", "The document claims another tenant than the contributor's.", index)
        if part.data.get("contributor", principal.subject) != principal.subject:
            return _refused(
                "contributor", "The document names another contributor than the principal.", index
            )
        return ALLOW


def _refused(rule: str, message: str, part: int) -> Verdict:
    return verdict(Action.BLOCK, _REASON, [Finding(ID, rule, message, part=part, cls="contribution")])


def _build(settings: NoSettings, services: Services) -> Contributor:
    return Contributor(services.get(DataSection))


CONTROL = ControlFactory(ID, NoSettings, _build)
