"""A principal as a store compares it."""

from dataclasses import dataclass

import orjson

from ringwall.core import Principal

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Asker:
    """Names that no database cuts or changes on the way."""

    roles: tuple[str, ...]
    tenant: str
    subject: str
    """Empty when not authenticated."""

    @classmethod
    def of(cls, principal: Principal) -> "Asker | None":
        """None for one who can read nothing. A name with a control character or a lone surrogate could be
        changed on the way and then equal another: it counts for nothing."""
        if not _exact(principal.tenant) or not _exact(principal.subject):
            return None
        roles = tuple(sorted(role for role in principal.roles if _exact(role)))
        return cls(roles, principal.tenant, principal.subject if principal.authenticated else "")

    @property
    def roles_json(self) -> str:
        return orjson.dumps(self.roles).decode()


def _exact(name: str) -> bool:
    return bool(name) and len(name) <= _LONGEST and name.isprintable()
