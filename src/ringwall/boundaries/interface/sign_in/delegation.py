"""Which service may act for which user, where. The user's roles decide what happens then, never the union."""

from collections.abc import Iterable
from dataclasses import replace

from ringwall.core import Grant, Principal

from ..scopes import Scope
from .settings import ExchangeSettings

DELEGABLE = frozenset({Scope.CHAT.value, Scope.MODELS.value})
"""Operations inside of an application: all that a service can do for somebody."""


class NotDelegated(Exception):
    """The service may not do this for the user. ``code`` is the OAuth error code (RFC 6749, RFC 8693)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Delegation:
    """The rules of one version of the workload file."""

    def __init__(self, settings: ExchangeSettings) -> None:
        self._settings = settings

    @property
    def lifetime_s(self) -> int:
        return self._settings.lifetime_s

    def grant(
        self, user: Principal, actor: Principal, applications: Iterable[str] = (), scopes: Iterable[str] = ()
    ) -> Grant:
        """What the actor may do for the user: what the rules, both credentials and the request allow.
        Raises NotDelegated."""
        within = self._applications(actor)
        if actor.actor or user.actor:
            raise NotDelegated("unauthorized_client", "Nobody can act on behalf of somebody in turn.")
        if not within or not actor.authenticated or not _may_exchange(actor):
            raise NotDelegated("unauthorized_client", "This service may not act on behalf of users.")
        asked = frozenset(applications) or within
        allowed = Grant(DELEGABLE, within).meet(replace(actor.grant, scopes=None))
        allowed = allowed and allowed.meet(user.grant)
        if allowed is None or not asked <= within:
            raise NotDelegated("invalid_target", "This service may not act on behalf of users there.")
        wanted = frozenset(scopes) or DELEGABLE
        if not wanted <= DELEGABLE:
            raise NotDelegated(
                "invalid_scope", "A service can only do what is done inside of an application."
            )
        given = allowed.meet(Grant(wanted, asked))
        if given is None or not given.scopes:
            raise NotDelegated("invalid_target", "This service may not act on behalf of this user there.")
        return given

    def on_behalf(self, user: Principal, actor: Principal) -> Principal:
        """The user as the principal, with the service recorded. Raises NotDelegated."""
        return replace(user, grant=self.grant(user, actor), actor=actor)

    def _applications(self, actor: Principal) -> frozenset[str]:
        return frozenset(
            name for rule in self._settings.services if rule.role in actor.roles for name in rule.applications
        )


def _may_exchange(actor: Principal) -> bool:
    return actor.grant.scopes is None or Scope.EXCHANGE.value in actor.grant.scopes
