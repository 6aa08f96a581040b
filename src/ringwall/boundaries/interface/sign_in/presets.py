"""The shapes of the access tokens that known identity providers issue, as data.

Sources: Amazon Cognito "Understanding the access token"; Microsoft Entra "Access token claims reference";
Keycloak server administration guide, "Protocol mappers"; Okta "Access tokens"; RFC 9068 for the generic one.

A claim is written by its name, or as a JSON Pointer (RFC 6901) when it starts with ``/``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Preset(StrEnum):
    """Which provider's token shape to expect."""

    GENERIC = "generic"
    COGNITO = "cognito"
    ENTRA = "entra"
    KEYCLOAK = "keycloak"
    OKTA = "okta"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things stand in an access token, and how it differs from the ID token of the same provider."""

    algorithms: tuple[str, ...] = ("RS256",)
    audience: str = "aud"
    """Claim with the audience."""
    parties: tuple[str, ...] = ("azp", "client_id")
    """Claims with the client that the token was issued to."""
    subject: str = "sub"
    tenant: str = ""
    roles: tuple[str, ...] = ("roles", "groups")
    """``{audience}`` in a pointer stands for each audience in turn."""
    scopes: tuple[str, ...] = ("scope",)
    required: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Claims with the values that an access token has there."""
    marks: tuple[str, ...] = ()
    """Claims of which an access token has at least one, and an ID token none. Not asked of a token whose
    header says ``at+jwt``."""


SHAPES: Mapping[Preset, Shape] = MappingProxyType(
    {
        Preset.GENERIC: Shape(
            algorithms=("RS256", "PS256", "ES256", "EdDSA"),
            scopes=("scope", "scp"),
            marks=("scope", "scp", "client_id"),
        ),
        # No `aud` in a Cognito access token: `client_id` names the app client.
        Preset.COGNITO: Shape(
            audience="client_id",
            parties=("client_id",),
            roles=("cognito:groups",),
            required=MappingProxyType({"token_use": frozenset({"access"})}),
        ),
        # `oid` is the person throughout the directory (`sub` differs from app to app). v1 tokens come from
        # https://sts.windows.net/<tenant>/ and say `appid`, v2 tokens from login.microsoftonline.com and
        # say `azp`. How the client proved itself (`…acr`) is told in access tokens only.
        Preset.ENTRA: Shape(
            parties=("azp", "appid"),
            subject="oid",
            tenant="tid",
            roles=("roles", "groups"),
            scopes=("scp",),
            marks=("azpacr", "appidacr"),
        ),
        Preset.KEYCLOAK: Shape(
            parties=("azp", "client_id"),
            roles=("/realm_access/roles", "/resource_access/{audience}/roles", "groups"),
            required=MappingProxyType({"typ": frozenset({"Bearer"})}),
        ),
        # `sub` is the login name; `uid` never changes, and only tokens of people have it.
        Preset.OKTA: Shape(parties=("cid",), roles=("groups",), scopes=("scp",), marks=("cid",)),
    }
)
