"""Who may approve which tool's calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ringwall.core import Principal


@dataclass(frozen=True, slots=True)
class ApprovalRights:
    """From ``principals.roles.<role>.may_approve``. The composition root offers it as a service."""

    by_role: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Role to names of tools. Exact names; roles that a principal inherits are in ``Principal.roles``."""

    def tools(self, principal: Principal) -> frozenset[str]:
        """Tools whose calls the principal may approve."""
        return frozenset().union(*(self.by_role.get(role, frozenset()) for role in principal.roles))

    def may_approve(self, principal: Principal, tool: str) -> bool:
        return tool in self.tools(principal)
