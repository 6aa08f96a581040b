"""Settings of client certificates: which are known, and whom they prove."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ringwall.core import Settings

from ..principals import Identifier, RoleNames
from ..scopes import Scope

_SAN = re.compile(r"(dns|uri|email|ip):[\x21-\x7e]{1,500}")


def _san(written: str) -> str:
    if written and not _SAN.fullmatch(written):
        raise ValueError("a name is written as dns:…, uri:…, email:… or ip:…, such as dns:billing.internal")
    kind, _, name = written.partition(":")
    return f"{kind}:{name.lower()}" if kind == "dns" else written


def _fingerprint(written: Any) -> Any:
    return written.replace(":", "").lower() if isinstance(written, str) else written


def _network(written: str) -> str:
    return str(ipaddress.ip_network(written, strict=False))


class CertificateRule(Settings):
    """One certificate, by a name in it, by its fingerprint, or by both."""

    san: Annotated[str, AfterValidator(_san)] = ""
    """A subject alternative name, matched exactly: ``dns:billing.internal``, ``uri:spiffe://shop/billing``."""
    fingerprint: Annotated[str, BeforeValidator(_fingerprint), Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """SHA-256 of the certificate, hexadecimal, colons or not."""
    subject: Identifier
    """Whom it proves: the stable id of the person or process."""
    tenant: Identifier = "default"
    """The customer or department that the subject belongs to."""
    roles: RoleNames = ()
    """Roles held, without those inherited."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Facts that policies may read."""
    applications: tuple[str, ...] = ()
    """The only applications that it opens; empty: all."""
    scopes: tuple[Scope, ...] | None = None
    """The only operations that it is good for; left out: all."""

    @model_validator(mode="after")
    def _names_one(self) -> "CertificateRule":
        if not self.san and not self.fingerprint:
            raise ValueError("a rule for certificates names a san, a fingerprint or both")
        if self.subject == "anonymous":
            raise ValueError("the subject `anonymous` means a caller without a credential")
        return self


class CertificateSettings(Settings):
    """Client certificates as credentials."""

    principals: tuple[CertificateRule, ...] = ()
    """Whom each proves. One that fits no rule, or two with different subjects, proves nobody."""
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Addresses or networks of proxies whose ``Client-Cert`` header (RFC 9440) is believed. They verify the
    certificate, and take the header out of what clients send."""
