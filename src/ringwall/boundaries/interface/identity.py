"""Who may cross at all: callers with a credential, and of these the ones with a role of the application."""

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    NoSettings,
    Services,
    Verdict,
    verdict,
)

from .scopes import Scope

ID = "interface.identity"
DECLARATION = Declaration(
    id=ID,
    boundary=Boundary.INTERFACE,
    summary="Stops callers without a credential, or whose credential or roles don't open this application.",
    crossings=frozenset({CrossingKind.REQUEST}),
    parts=frozenset(),
    threats=("LLM10@2023", "LLM06@2023", "LLM08@2023", "LLM02@2025", "LLM06@2025", "LLM10@2025"),
    csf=("PR.AA-01", "PR.AA-03", "PR.AA-05"),
    inline=True,
)


_OPERATIONS = {
    "chat.completions": Scope.CHAT.value,
    "mcp": Scope.MCP.value,
    "models": Scope.MODELS.value,
    "vector_stores": Scope.RETRIEVE.value,
}
"""Operation by endpoint. One that is not named here is closed to credentials that name their operations."""


class IdentityControl:
    """Judges the verified principal alone; nothing that the request says of itself."""

    declaration = DECLARATION

    def __init__(self, application: Application) -> None:
        self._application = application

    def inspect(self, crossing: Crossing) -> Verdict:
        principal = crossing.principal
        if not principal.authenticated:
            if self._application.anonymous:
                return ALLOW
            return _block("credential", "This application serves callers with a valid key only.")
        scope = _OPERATIONS.get(crossing.endpoint, "")
        if not principal.grant.allows(scope, self._application.name):
            return _block("scope", "Your credential is not good for this operation here.")
        if self._application.roles and not self._application.roles & principal.roles:
            return _block("role", "Your key doesn't open this application: ask its owner for access.")
        return ALLOW


def _block(rule: str, reason: str) -> Verdict:
    return verdict(Action.BLOCK, reason, [Finding(ID, rule, reason, cls="identity")])


def _build(settings: NoSettings, services: Services) -> IdentityControl:
    return IdentityControl(services.get(Application))


CONTROL = ControlFactory(ID, NoSettings, _build)
