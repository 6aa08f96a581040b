"""The ``interface`` section of the workload file; ``principals`` is in ``principals.py``."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ringwall.core import Settings
from ringwall.core.rate import Rate, RateField, parse_rate

from .file_settings import FileSettings
from .personal_data import PersonalSettings
from .principals import PrincipalsSection, Roles, RoleSettings, StarterKey
from .route_rules import RouteRule
from .sign_in.settings import IdentitySettings
from .tls_settings import TlsSettings

__all__ = [
    "FileSettings",
    "InterfaceSection",
    "LimitSettings",
    "PrincipalsSection",
    "Quota",
    "QuotaSettings",
    "Rate",
    "RoleSettings",
    "Roles",
    "StarterKey",
]

_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _host(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    name = written.strip().lower().rstrip(".")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError(
            "an allowed host is a host name such as help.brightlamp.example or *.brightlamp.example, "
            "without scheme, port or path"
        )
    return name


Host = Annotated[str, BeforeValidator(_host)]


class Quota(Settings):
    """What one principal may use."""

    requests: RateField = Field(default="60/min", validate_default=True)
    """Requests, such as ``60/min``."""
    tokens: RateField = Field(default="50k/hour", validate_default=True)
    """Tokens of prompts and answers together, such as ``50k/hour``."""


class QuotaSettings(Quota):
    """Per subject and tenant; reserved before the request is served, settled after it."""

    anonymous: Quota = Quota(requests=parse_rate("10/min"), tokens=parse_rate("5k/hour"))
    """For callers without a credential, per network address: where such callers are served at all."""


class LimitSettings(Settings):
    """Sizes and shapes beyond which a request is refused before anything else looks at it."""

    body_bytes: int = Field(default=1_048_576, ge=1_024, le=64 * 1_048_576)
    """Largest request body, in bytes."""
    messages: int = Field(default=200, ge=1, le=10_000)
    """Most messages of one request."""
    parts: int = Field(default=400, ge=1, le=20_000)
    """Most parts (texts, tool calls, tool results, tool offers) of one request."""
    depth: int = Field(default=32, ge=2, le=200)
    """Deepest nesting of the JSON body."""
    header_bytes: int = Field(default=16_384, ge=1_024, le=262_144)
    """Request line and headers together, in bytes. Takes effect at the next start."""
    text_chars: int = Field(default=400_000, ge=100, le=50_000_000)
    """Characters of all texts of one request together."""


class InterfaceSection(Settings):
    """What users send and receive."""

    anonymous: bool = False
    """Serve callers without a credential, in every application that doesn't say otherwise."""
    identity: IdentitySettings = IdentitySettings()
    """Which credentials are taken, and whom they prove."""
    tls: TlsSettings | None = None
    """TLS on the listener; left out: plain HTTP, for this machine alone or behind a proxy."""
    routes: tuple[RouteRule, ...] = Field(default=(), max_length=100)
    """Rules for single routes, ahead of any credential."""
    quotas: QuotaSettings = QuotaSettings()
    """What one principal may use, in which time."""
    limits: LimitSettings = LimitSettings()
    """Sizes and shapes of requests."""
    files: FileSettings = FileSettings()
    """Files in requests: which are taken, how they are read, what of them is passed on."""
    personal: PersonalSettings = PersonalSettings()
    """How personal data is found, by ``interface.pii`` and ``interface.outflow``."""
    allowed_hosts: tuple[Host, ...] = ()
    """Hosts that links and images in answers may point to; ``*.`` in front takes in the hosts below."""
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings and mode of the controls of this boundary, by id."""
