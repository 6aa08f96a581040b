"""The ``principals`` section of the workload file: who there is, and what a role brings with it."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ringwall.core import ConfigError, Problem, Settings

from .scopes import Scope

OPERATOR = "operator"
"""Built in: there is always a role that may sign in to the console."""


def _several(written: Any) -> Any:
    """One name may stand without its list."""
    return (written,) if isinstance(written, str) else written


RoleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$")]
RoleNames = Annotated[tuple[RoleName, ...], BeforeValidator(_several)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@:/+\-]{0,199}$")]
"""Of a subject or tenant: no spaces or control characters, so that it reads the same everywhere."""


class RoleSettings(Settings):
    """One role."""

    inherits: RoleNames = ()
    """Roles whose rights this one has as well."""
    may_approve: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Tools whose held calls its holders may approve or refuse."""
    console: bool = False
    """Whether its holders may sign in to the console."""


class StarterKey(Settings):
    """A key that is made when the workload starts for the first time."""

    subject: Identifier
    """Stable id of the person or process."""
    roles: RoleNames = ()
    """Roles held, without those inherited."""
    tenant: Identifier = "default"
    """The customer or department that the subject belongs to."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Facts of the directory that policies may read, such as the customer number."""
    scopes: tuple[Scope, ...] | None = None
    """The only operations that the key is good for; left out: all."""
    applications: RoleNames = ()
    """The only applications that the key is good for; empty: all."""


class PrincipalsSection(Settings):
    """Roles, and the keys to start with."""

    roles: dict[RoleName, RoleSettings] = Field(default_factory=dict)
    """The roles by name. ``operator`` is always there and may sign in to the console."""
    starter_keys: tuple[StarterKey, ...] = ()
    """Keys made at the first start; each secret is shown once."""

    @model_validator(mode="after")
    def _roles_resolve(self) -> "PrincipalsSection":
        known = {OPERATOR, *self.roles}
        for name, role in self.roles.items():
            for parent in role.inherits:
                if parent not in known:
                    raise ValueError(f"role {name!r} inherits {_unknown(parent, known)}")
        for key in self.starter_keys:
            for held in key.roles:
                if held not in known:
                    raise ValueError(f"the starter key of {key.subject!r} has {_unknown(held, known)}")
        circle = _circle(self.roles)
        if circle:
            raise ValueError(f"roles inherit in a circle: {' -> '.join(circle)}")
        return self


class Roles:
    """What a set of roles amounts to."""

    def __init__(self, section: PrincipalsSection | None = None) -> None:
        declared = dict((section or PrincipalsSection()).roles)
        own = declared.get(OPERATOR, RoleSettings())
        declared[OPERATOR] = own.model_copy(update={"console": True})
        self._roles = declared
        self._closed = {name: _closure(name, declared) for name in declared}

    @property
    def names(self) -> frozenset[str]:
        """All roles there are."""
        return frozenset(self._roles)

    def check(self, roles: Iterable[str]) -> None:
        """Raises ConfigError for a role that the workload doesn't have, with the nearest name."""
        problems = [Problem(_unknown(role, self.names)) for role in roles if role not in self._roles]
        if problems:
            raise ConfigError(*problems)

    def expand(self, roles: Iterable[str]) -> frozenset[str]:
        """The roles and all that they inherit. A role that the workload doesn't have (any more) is left
        out: it brings no right."""
        return frozenset().union(*(self._closed.get(role, frozenset()) for role in roles))

    def may_approve(self, roles: Iterable[str]) -> frozenset[str]:
        """Tools whose held calls the holder of these roles may decide."""
        return frozenset(tool for role in self.expand(roles) for tool in self._roles[role].may_approve)

    def console(self, roles: Iterable[str]) -> bool:
        """Whether the holder of these roles may sign in to the console."""
        return any(self._roles[role].console for role in self.expand(roles))


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"unknown role {name!r}" + (f": did you mean {near[0]!r}?" if near else "")


def _closure(name: str, roles: dict[str, RoleSettings]) -> frozenset[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        role = pending.pop()
        if role not in found:
            found.add(role)
            pending.extend(roles[role].inherits)
    return frozenset(found)


def _circle(roles: dict[str, RoleSettings]) -> list[str]:
    """The names along a circle of inheritance; empty when there is none. Iterative: depth is not ours."""
    done: set[str] = set()
    for start in roles:
        path: list[str] = []
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                path.pop()
                done.add(name)
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name not in done:
                path.append(name)
                pending.append((name, True))
                pending.extend((parent, False) for parent in roles.get(name, RoleSettings()).inherits)
    return []
