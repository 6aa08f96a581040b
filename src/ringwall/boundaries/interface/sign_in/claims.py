"""From the claims of a verified token to a principal: looked up by name or pointer, never guessed."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ringwall.core import Grant, Principal

from ..principals import Roles
from .jose import TokenRefused
from .settings import IssuerSettings

_SUBJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:/+|=~\-]{0,199}", re.ASCII)
_TENANT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+\-]{0,99}", re.ASCII)
_RESERVED = frozenset({"anonymous", "system"})
_MOST_GROUPS = 1_000
_LONGEST_ATTRIBUTE = 1_000


def look_up(claims: Mapping[str, Any], claim: str) -> Any:
    """The value of a claim by its name, or by a JSON Pointer into objects; None when it is not there."""
    if not claim.startswith("/"):
        return claims.get(claim)
    value: Any = claims
    for step in claim[1:].split("/"):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step.replace("~1", "/").replace("~0", "~"))
    return value


def texts(value: Any, *, words: bool = False) -> tuple[str, ...]:
    """The texts of a claim that is one text or a list of texts; with ``words``, one text is split at blanks.
    Anything else is nothing."""
    if isinstance(value, str):
        return tuple(value.split()) if words else (value,)
    if isinstance(value, list) and len(value) <= _MOST_GROUPS and all(isinstance(one, str) for one in value):
        return tuple(value)
    return ()


def pointed(claim: str, audiences: Iterable[str]) -> list[str]:
    """The claim for each audience, where it names ``{audience}``."""
    if "{audience}" not in claim:
        return [claim]
    return [claim.replace("{audience}", one.replace("~", "~0").replace("/", "~1")) for one in audiences]


def principal(claims: Mapping[str, Any], issuer: IssuerSettings, roles: Roles, credential: str) -> Principal:
    """Whom the claims name. Raises TokenRefused when they name nobody."""
    wanted, shape = issuer.claims, issuer.shape
    subject = look_up(claims, wanted.subject or shape.subject)
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("subject")
    subject = issuer.subject_prefix + subject
    tenant = _tenant(claims, issuer)
    if subject in _RESERVED or len(subject) > 200:
        raise TokenRefused("subject")
    return Principal(
        subject,
        tenant,
        roles.expand(_roles(claims, issuer)),
        MappingProxyType(_attributes(claims, issuer)),
        credential=credential,
        grant=Grant(_scopes(claims, issuer), frozenset(issuer.applications)),
    )


def provider_scopes(claims: Mapping[str, Any], issuer: IssuerSettings) -> frozenset[str]:
    """The scopes that the provider gave the token."""
    named = issuer.claims.scopes or issuer.shape.scopes
    return frozenset(scope for claim in named for scope in texts(look_up(claims, claim), words=True))


def _tenant(claims: Mapping[str, Any], issuer: IssuerSettings) -> str:
    claim = issuer.claims.tenant or issuer.shape.tenant
    if not claim:
        return issuer.tenant
    tenant = look_up(claims, claim)
    if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
        raise TokenRefused("tenant")
    return tenant


def _roles(claims: Mapping[str, Any], issuer: IssuerSettings) -> set[str]:
    """Only what the workload file says of a group counts: a group that happens to be called like a role of
    ours brings nothing."""
    named = issuer.claims.roles or issuer.shape.roles
    groups = {
        group
        for claim in named
        for place in pointed(claim, issuer.audience)
        for group in texts(look_up(claims, place))
    }
    held = {role for group in groups for role in issuer.roles.get(group, ())}
    return held | set(issuer.default_roles)


def _attributes(claims: Mapping[str, Any], issuer: IssuerSettings) -> dict[str, str]:
    found = {name: _text(look_up(claims, claim)) for name, claim in issuer.claims.attributes.items()}
    return {name: text for name, text in found.items() if text is not None}


def _text(value: Any) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str() if len(value) <= _LONGEST_ATTRIBUTE:
            return value
    return None


def _scopes(claims: Mapping[str, Any], issuer: IssuerSettings) -> frozenset[str] | None:
    allowed = None if issuer.scopes is None else frozenset(map(str, issuer.scopes))
    if not issuer.scope_grants:
        return allowed
    given = provider_scopes(claims, issuer)
    brought = frozenset(str(one) for scope in given for one in issuer.scope_grants.get(scope, ()))
    return brought if allowed is None else brought & allowed
