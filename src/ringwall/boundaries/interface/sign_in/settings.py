"""``interface.identity``: which credentials are taken, and whom they prove."""

import ipaddress
import re
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ringwall.core import Settings

from ..key_policy import ApiKeySettings
from ..principals import Identifier, RoleName, RoleNames
from ..scopes import Scope
from .certificate_rules import CertificateRule, CertificateSettings
from .presets import SHAPES, Preset, Shape

__all__ = ["CertificateRule", "CertificateSettings", "ExchangeSettings", "IdentitySettings", "IssuerSettings"]


class Algorithm(StrEnum):
    """Signature algorithms (RFC 7518, RFC 8037). There is no ``none``."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    EDDSA = "EdDSA"
    HS256 = "HS256"
    HS384 = "HS384"
    HS512 = "HS512"

    @property
    def symmetric(self) -> bool:
        return self.startswith("HS")


def web_address(written: str) -> str:
    """https with a host; plain http for this machine's own addresses alone. Raises ValueError."""
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        raise ValueError("this is no web address") from None
    plain = not (parts.query or parts.fragment or parts.username or parts.password or port == 0)
    if not plain or not parts.hostname or not written.isascii() or not written.isprintable():
        raise ValueError("a web address has a host, and neither user, query nor fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _own(parts.hostname)):
        raise ValueError("keys are fetched over https only (http: from 127.0.0.1, ::1 or localhost)")
    return written


def _own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_POINTER = re.compile(r"(?:/(?:[^~/]|~0|~1){1,100}){1,8}")


def _claim(written: str) -> str:
    if written.startswith("/") and not _POINTER.fullmatch(written):
        raise ValueError("a claim is a name such as `groups`, or a JSON Pointer such as /realm_access/roles")
    return written


def _several(written: Any) -> Any:
    return (written,) if isinstance(written, str) else written


WebAddress = Annotated[str, Field(max_length=500), AfterValidator(web_address)]
Claim = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_claim)]
_Text = Annotated[str, Field(min_length=1, max_length=500)]
Claims = Annotated[
    tuple[Claim, ...], BeforeValidator(_several, json_schema_input_type=Claim | tuple[Claim, ...])
]
Texts = Annotated[
    tuple[_Text, ...], BeforeValidator(_several, json_schema_input_type=_Text | tuple[_Text, ...])
]


class ClaimSettings(Settings):
    """Where a token says what. What is left out is as the preset has it."""

    subject: Claim | None = None
    """The person or process."""
    tenant: Claim | None = None
    """The customer or department. A token without it is refused."""
    roles: Claims | None = None
    """The provider's groups or roles; ``interface.identity.oidc[].roles`` says what they mean here."""
    scopes: Claims | None = None
    """The scopes that the token was issued with."""
    attributes: dict[RoleName, Claim] = Field(default_factory=dict)
    """Facts that policies may read, by the name that they have here."""


class IssuerSettings(Settings):
    """One identity provider whose access tokens are taken as credentials."""

    issuer: WebAddress
    """Exactly as the tokens' ``iss`` and the provider's discovery document have it."""
    audience: Texts = Field(min_length=1)
    """Names by which the provider knows this gateway: a token must be meant for one of them."""
    preset: Preset = Preset.GENERIC
    """Shape of the tokens: ``cognito``, ``entra``, ``keycloak``, ``okta`` or ``generic`` (RFC 9068)."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]{0,62}$")] = ""
    """Short name, in the ids of credentials; left out: the issuer's host."""
    jwks_url: WebAddress | None = None
    """Where its keys are; left out: where its discovery document says."""
    ca_file: str = ""
    """Certificates (PEM) to trust for fetching, relative to the workload file; left out: the system's."""
    algorithms: tuple[Algorithm, ...] = ()
    """The only signature algorithms taken; left out: those of the preset."""
    secret_env: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,127})?$")] = ""
    """Environment variable with the shared secret of the HS algorithms, at least 32 bytes."""
    secret_file: str = ""
    """File with that secret, relative to the workload file."""
    claims: ClaimSettings = ClaimSettings()
    """Where the token says what."""
    roles: dict[str, RoleNames] = Field(default_factory=dict)
    """Roles of this workload by the provider's group or role. Other groups bring nothing."""
    default_roles: RoleNames = ()
    """Roles that every subject of this issuer holds."""
    tenant: Identifier = "default"
    """Tenant of its subjects, where no claim says it."""
    subject_prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.@:\-]{0,40})?$")] = ""
    """Put ahead of each subject. Needed with several issuers, so that none can speak for another's people."""
    applications: tuple[str, ...] = ()
    """The only applications that its tokens open; empty: all."""
    scopes: tuple[Scope, ...] | None = None
    """The only operations that its tokens are good for; left out: all."""
    scope_grants: dict[str, tuple[Scope, ...]] = Field(default_factory=dict)
    """Operations by the provider's scope. When there are any, a token is good for what its scopes bring."""
    required_scopes: Texts = ()
    """Scopes that a token must all have."""
    required_claims: dict[Claim, Texts] = Field(default_factory=dict)
    """Claims that a token must have, each with one of these values."""
    authorized_parties: Texts = ()
    """The only clients whose tokens are taken (``azp``, ``client_id``, ``appid``, ``cid``); empty: all."""
    clock_skew_s: int = Field(default=30, ge=0, le=300)
    """Seconds by which clocks may differ."""
    longest_age_s: int = Field(default=86_400, ge=60, le=31 * 86_400)
    """A token issued longer ago is refused, whatever its expiry says."""
    longest_bytes: int = Field(default=8_192, ge=512, le=65_536)
    """A longer token is refused unread."""
    cache_s: int = Field(default=600, ge=30, le=86_400)
    """Seconds after which the provider's keys are fetched again."""
    stale_s: int = Field(default=3_600, ge=0, le=7 * 86_400)
    """Seconds that keys stay good beyond that while the provider can't be reached."""

    @property
    def shape(self) -> Shape:
        return SHAPES[self.preset]

    @property
    def short_name(self) -> str:
        return self.name or (urlsplit(self.issuer).hostname or "")

    @property
    def pinned(self) -> frozenset[str]:
        """The algorithms taken."""
        return frozenset(str(name) for name in self.algorithms) or frozenset(self.shape.algorithms)

    @property
    def shared_secret(self) -> bool:
        return bool(self.secret_env or self.secret_file)

    @model_validator(mode="after")
    def _one_kind_of_key(self) -> "IssuerSettings":
        """Public keys or a secret, never both: else a public key could be passed off as the secret."""
        if self.secret_env and self.secret_file:
            raise ValueError("give secret_env or secret_file, not both")
        symmetric = {name.symmetric for name in self.algorithms}
        if self.shared_secret and symmetric != {True}:
            raise ValueError(
                "with a shared secret, `algorithms` names HS256, HS384 or HS512 and nothing else"
            )
        if not self.shared_secret and True in symmetric:
            raise ValueError("HS algorithms need a shared secret: set secret_env or secret_file")
        return self


class ServiceRule(Settings):
    """Services that may act on behalf of users."""

    role: RoleName
    """Role that the service holds."""
    applications: tuple[str, ...] = Field(min_length=1)
    """Applications in which it may do so."""


class ExchangeSettings(Settings):
    """Services that call for a user: by ``/oauth/token`` (RFC 8693) or ``x-ringwall-on-behalf-of``."""

    services: tuple[ServiceRule, ...] = ()
    """Who may; empty: nobody."""
    lifetime_s: int = Field(default=300, ge=30, le=3_600)
    """Seconds that a token from ``/oauth/token`` lives, at most."""


def _keys(written: Any) -> Any:
    return {"enabled": written} if isinstance(written, bool) else written


class IdentitySettings(Settings):
    """Which credentials are taken, and whom they prove."""

    api_keys: Annotated[
        ApiKeySettings, BeforeValidator(_keys, json_schema_input_type=bool | ApiKeySettings)
    ] = ApiKeySettings()
    """API keys; ``true`` or ``false`` stands for ``{enabled: …}``."""
    oidc: tuple[IssuerSettings, ...] = Field(default=(), max_length=32)
    """Identity providers whose access tokens are taken."""
    certificates: CertificateSettings = CertificateSettings()
    """Client certificates (mutual TLS) and whom they prove."""
    on_behalf_of: ExchangeSettings = ExchangeSettings()
    """Services that act for a user, who stays the principal."""

    @model_validator(mode="after")
    def _issuers_are_apart(self) -> "IdentitySettings":
        for what, given in (
            ("issuer", [one.issuer for one in self.oidc]),
            ("name of an issuer", [one.short_name for one in self.oidc]),
        ):
            if twice := next((name for name in given if given.count(name) > 1), ""):
                raise ValueError(f"the {what} {twice!r} stands here twice")
        prefixes = sorted(one.subject_prefix for one in self.oidc)
        for first, second in pairwise(prefixes):
            if second.startswith(first):
                raise ValueError(
                    "with several issuers each needs a subject_prefix, none the beginning of another"
                )
        return self
