"""Who is accountable for a crossing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Grant:
    """What a credential is good for; its holder's roles are another matter."""

    scopes: frozenset[str] | None = None
    """Operations of the gateway, such as ``chat``; None: all."""
    applications: frozenset[str] = frozenset()
    """The only applications that it opens; empty: all."""

    def allows(self, scope: str, application: str = "") -> bool:
        """Whether it is good for this operation. One that is bound to applications reaches an operation
        outside of them only where its scopes name that operation."""
        if self.scopes is not None and scope not in self.scopes:
            return False
        if not self.applications:
            return True
        return application in self.applications if application else self.scopes is not None

    def meet(self, other: "Grant") -> "Grant | None":
        """What both are good for; None when that is no application at all."""
        scopes = self.scopes if other.scopes is None else other.scopes
        if self.scopes is not None and other.scopes is not None:
            scopes = self.scopes & other.scopes
        if not self.applications or not other.applications:
            return Grant(scopes, self.applications or other.applications)
        both = self.applications & other.applications
        return Grant(scopes, both) if both else None


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
    grant: Grant = Grant()
    """What that credential is good for."""
    actor: "Principal | None" = None
    """The service that acts on behalf of this principal. It lends no right: the principal's roles decide."""

    @property
    def authenticated(self) -> bool:
        return bool(self.credential)

    @property
    def owner(self) -> str:
        """Whose key encrypts what this principal wrote: one per person, so that erasing it erases it all."""
        return f"{self.tenant}/{self.subject}"

    @property
    def acted_by(self) -> str:
        """``tenant/subject`` of the service that acts for it; empty when it acts itself."""
        return self.actor.owner if self.actor else ""


ANONYMOUS = Principal(subject="anonymous")
