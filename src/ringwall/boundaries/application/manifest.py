"""``application.manifest``: only pinned tools, only for those entitled, when offered and when called.

Entitlement comes from the verified principal's roles and from the workload file, never from the model.
"""

from ringwall.core import (
    ALLOW,
    Action,
    Application,
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
from ringwall.detect.invisible import smuggled

from .registry import Changed, Known, ToolRegistry

DECLARATION = Declaration(
    id="application.manifest",
    boundary=Boundary.APPLICATION,
    summary="Tools that are unknown, changed since they were pinned, or not the principal's to use.",
    crossings=frozenset({CrossingKind.TOOL_OFFER, CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_OFFER, PartKind.TOOL_CALL}),
    threats=("LLM05@2023", "LLM07@2023", "LLM08@2023", "LLM03@2025", "LLM06@2025"),
    csf=("PR.AA-05", "PR.PS-01", "DE.CM-09"),
    inline=True,
)

MAX_DECLARATION = 32_768
"""Characters of a declaration as JSON: what every model call carries, and what a person was to have read."""


class ManifestControl:
    """A tool that must not be offered is taken out of the offer; a call to it is blocked."""

    declaration = DECLARATION

    def __init__(self, registry: ToolRegistry, application: Application) -> None:
        self._registry = registry
        self._allowed = frozenset(application.tools)

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_OFFER:
                joined = joined.join(self._offer(part, index, crossing.principal))
            elif part.kind is PartKind.TOOL_CALL:
                joined = joined.join(self._call(part, index, crossing.principal))
        return joined

    def _offer(self, part: Part, index: int, principal: Principal) -> Verdict:
        rule, message = self._objection(part.name, principal)
        if not rule:
            compared = self._registry.compare(part.data)
            if isinstance(compared, Changed):
                rule = "changed"
                message = f"The declaration differs from the pinned one in: {', '.join(compared.what)}."
            elif not isinstance(compared, Known) or compared.manifest.name != part.name:
                rule, message = "unknown", "The declaration names no tool of this workload."
        if not rule and len(part.text) > MAX_DECLARATION:
            rule, message = "size", f"The declaration is longer than {MAX_DECLARATION} characters."
        if not rule and smuggled(part.text):
            rule, message = (
                "hidden-text",
                "The declaration holds characters that a model reads and nobody sees.",
            )
        if not rule:
            return ALLOW
        finding = Finding(DECLARATION.id, rule, message, index, cls="tool")
        edit = Edit(index, 0, len(part.text), drop=True)
        return verdict(Action.TRANSFORM, "", [finding], [edit])

    def _call(self, part: Part, index: int, principal: Principal) -> Verdict:
        rule, message = self._objection(part.name, principal)
        if not rule:
            return ALLOW
        finding = Finding(DECLARATION.id, rule, message, index, cls="tool")
        return verdict(
            Action.BLOCK, "This tool is not available here. Use one of the tools offered.", [finding]
        )

    def _objection(self, name: str, principal: Principal) -> tuple[str, str]:
        manifest = self._registry.get(name)
        if manifest is None:
            return "unknown", "No tool of this name is declared in the workload."
        if name not in self._allowed:
            return "not-offered", "The application does not list this tool."
        if not manifest.entitles(principal.roles):
            return "not-entitled", "None of the principal's roles may use this tool."
        return "", ""


def _build(settings: NoSettings, services: Services) -> ManifestControl:
    return ManifestControl(services.get(ToolRegistry), services.get(Application))


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)
