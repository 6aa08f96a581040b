"""Who is accountable for a crossing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified identity. Built from a credential by the gateway, never from anything a model wrote."""

    subject: str
    """Stable id of the person or process; ``anonymous`` when there is no credential."""
    tenant: str = "default"
    roles: frozenset[str] = frozenset()
    """Every role held, those inherited included."""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Immutable facts of the directory, such as the customer number."""
    credential: str = ""
    """Id (never the secret) of the credential that proved the identity; empty when anonymous."""

    @property
    def authenticated(self) -> bool:
        return bool(self.credential)

    @property
    def owner(self) -> str:
        """Whose key encrypts what this principal wrote: one per person, so that erasing it erases it all."""
        return f"{self.tenant}/{self.subject}"


ANONYMOUS = Principal(subject="anonymous")
