"""Control ``data.access``: a second, independent look at who may read each passage.

The store enforces the access list in its query. This control works from another source (the list that is
sealed together with the passage, and the workload's own settings), so that tampered access tables or a broken
query alone leak nothing.
"""

from collections.abc import Collection

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
    NoSettings,
    Part,
    PartKind,
    Principal,
    Services,
    Verdict,
    verdict,
)

from .document import Access
from .settings import DataSection

ID = "data.access"


class AccessCheck:
    """Drops what the principal may not read; a passage that doesn't say who may read it, as well."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Drops retrieved passages whose access list does not admit the principal.",
        crossings=frozenset({CrossingKind.RETRIEVAL}),
        parts=frozenset({PartKind.DOCUMENT}),
        threats=("LLM06@2023", "LLM02@2025", "LLM08@2025"),
        csf=("PR.AA-05", "PR.DS-10", "DE.CM-09"),
        inline=True,
    )

    def __init__(self, section: DataSection) -> None:
        self._section = section

    def inspect(self, crossing: Crossing) -> Verdict:
        wrong = [
            index
            for index, part in enumerate(crossing.parts)
            if part.kind is PartKind.DOCUMENT and not self._admitted(part, crossing.principal)
        ]
        if not wrong:
            return ALLOW
        return verdict(
            Action.TRANSFORM,
            findings=[Finding(ID, "not-admitted", _MESSAGE, part=index, cls="access") for index in wrong],
            edits=[Edit(index, 0, len(crossing.parts[index].text), drop=True) for index in wrong],
        )

    def _admitted(self, part: Part, principal: Principal) -> bool:
        name = part.data.get("collection")
        settings = self._section.collections.get(name) if isinstance(name, str) else None
        tenant = part.data.get("tenant")
        roles, subjects = _names(part.data.get("readers")), _names(part.data.get("subjects"))
        if settings is None or not isinstance(tenant, str) or roles is None or subjects is None:
            return False
        return Access(tenant, roles, subjects).admits(principal, settings)


_MESSAGE = "The store handed out a passage that the principal may not read: look at its access tables."


def _names(value: object) -> frozenset[str] | None:
    """A list of names; None for anything else, which admits nobody."""
    if isinstance(value, str) or not isinstance(value, Collection):
        return None
    return frozenset(value) if all(isinstance(name, str) for name in value) else None


def _build(settings: NoSettings, services: Services) -> AccessCheck:
    return AccessCheck(services.get(DataSection))


CONTROL = ControlFactory(ID, NoSettings, _build)
