"""Client certificates as credentials: from the listener's own TLS, or told by a proxy that is trusted."""

import base64
import binascii
import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ringwall.core import Grant, Principal

from ..principals import Roles
from .certificate_rules import CertificateRule, CertificateSettings

_MOST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Presented:
    fingerprint: str
    names: frozenset[str]


class Certificates:
    """Those of one version of the workload file."""

    def __init__(
        self, settings: CertificateSettings, roles: Roles, *, now: Callable[[], float] = time.time
    ) -> None:
        self._rules = settings.principals
        self._proxies = [ipaddress.ip_network(one) for one in settings.trusted_proxies]
        self._roles = roles
        self._now = now

    def of_proxy(self, address: str, headers: Iterable[str]) -> bytes | None:
        """The certificate (DER) that a trusted proxy tells of, by ``Client-Cert`` (RFC 9440); nothing when it
        tells of none, or the sender is no such proxy: then the header is anybody's invention.

        None stands for a header of a trusted proxy that can't be read.
        """
        if not self._trusted(address):
            return b""
        given = list(headers)
        if not given:
            return b""
        text = given[0].strip()
        if len(given) > 1 or len(text) > _MOST_BYTES or not (text.startswith(":") and text.endswith(":")):
            return None
        try:
            return base64.b64decode(text[1:-1], validate=True) or None
        except (ValueError, binascii.Error):
            return None

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._proxies if network.version == parsed.version)

    def principal(self, der: bytes) -> Principal | None:
        """Whom a certificate proves whose chain somebody has verified; None when the workload does not
        know it, it is not valid now, or it is not meant for clients."""
        presented = self._presented(der)
        if presented is None:
            return None
        fitting = [rule for rule in self._rules if _fits(rule, presented)]
        if not fitting or len({(rule.tenant, rule.subject) for rule in fitting}) > 1:
            return None
        rule = fitting[0]
        return Principal(
            rule.subject,
            rule.tenant,
            self._roles.expand(rule.roles),
            MappingProxyType(dict(rule.attributes)),
            credential=f"cert:{presented.fingerprint[:32]}",
            grant=Grant(
                None if rule.scopes is None else frozenset(map(str, rule.scopes)),
                frozenset(rule.applications),
            ),
        )

    def _presented(self, der: bytes) -> _Presented | None:
        if not 0 < len(der) <= _MOST_BYTES:
            return None
        try:
            certificate = x509.load_der_x509_certificate(der)
            begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if not begins.timestamp() <= self._now() < ends.timestamp() or not _for_clients(certificate):
                return None
            names = _names(certificate)
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return None
        return _Presented(hashlib.sha256(der).hexdigest(), names)


def _fits(rule: CertificateRule, presented: _Presented) -> bool:
    by_name = not rule.san or rule.san in presented.names
    return by_name and (not rule.fingerprint or rule.fingerprint == presented.fingerprint)


def _for_clients(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(
        [
            *(f"dns:{name.lower()}" for name in san.get_values_for_type(x509.DNSName)),
            *(f"uri:{name}" for name in san.get_values_for_type(x509.UniformResourceIdentifier)),
            *(f"email:{name}" for name in san.get_values_for_type(x509.RFC822Name)),
            *(f"ip:{name}" for name in san.get_values_for_type(x509.IPAddress)),
        ]
    )
