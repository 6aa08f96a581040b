"""Tokens of identity providers as credentials: what is checked, in which order (RFC 8725, RFC 9068).

1. The token is short enough and reads one way only (``jose``).
2. Its ``iss`` is an issuer of the workload file, to the letter. It is believed only if 4 succeeds.
3. Its algorithm is pinned for that issuer; its header has no ``crit``, and a type that access tokens have.
   Keys that the token brings along or points to (``jwk``, ``jku``, ``x5c``, ``x5u``) are not looked at.
4. Its signature verifies with the issuer's own key of that id, which fits the algorithm.
5. It is meant for us (audience, authorized party), is valid now, and was issued not too long ago.
6. It is an access token: no ID token, no logout token; if bound to a key, then to the caller's certificate.
7. It has the claims and scopes that the workload file asks for, and names somebody.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringwall.core import Principal

from ..principals import Roles
from . import claims as mapping
from .jose import TokenRefused, Unverified, encoded, read
from .key_cache import KeyCache, KeySource
from .key_set import VerifyingKey
from .settings import IssuerSettings

_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt", "application/jwt"})
_ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_UNENCODED = frozenset({"crit", "b64", "enc", "zip"})
_NOT_ACCESS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
"""Claims of ID tokens and logout tokens."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom a token proves."""

    principal: Principal
    expires: float
    """Seconds since the epoch."""
    issuer: str


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer with where its keys come from."""

    settings: IssuerSettings
    source: KeySource
    secret: VerifyingKey | None = None
    """The shared secret, where that is what it signs with."""


class Issuers:
    """Those of one version of the workload file."""

    def __init__(
        self,
        issuers: Iterable[TrustedIssuer],
        roles: Roles,
        cache: KeyCache,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._by_name = {one.settings.issuer: one for one in issuers}
        self._roles = roles
        self._cache = cache
        self._now = now
        self._longest = max((one.settings.longest_bytes for one in self._by_name.values()), default=0)

    @property
    def sources(self) -> set[KeySource]:
        return {one.source for one in self._by_name.values()}

    async def verify(self, token: str, *, certificate: bytes = b"") -> Verified:
        """Whom the token proves. ``certificate`` is the caller's own, DER: for tokens that are bound to one.

        Raises TokenRefused, or Unreachable when the issuer's keys can't be had.
        """
        given = read(token, self._longest)
        trusted = self._issuer(given, token)
        algorithm = _algorithm(given.header, trusted.settings)
        key = trusted.secret or await self._cache.find(trusted.source, _key_id(given.header), algorithm)
        if not key.verifies(algorithm, given.signed, given.signature):
            raise TokenRefused("signature")
        return self._believed(given, trusted.settings, token, certificate)

    def _issuer(self, given: Unverified, token: str) -> TrustedIssuer:
        name = given.claims.get("iss")
        trusted = self._by_name.get(name) if isinstance(name, str) else None
        if trusted is None:
            raise TokenRefused("issuer")
        if len(token) > trusted.settings.longest_bytes:
            raise TokenRefused("too long")
        return trusted

    def _believed(
        self, given: Unverified, issuer: IssuerSettings, token: str, certificate: bytes
    ) -> Verified:
        """The claims, once the signature is known to be good."""
        held = given.claims
        _check_audience(held, issuer)
        expires = _check_times(held, issuer, self._now())
        _check_kind(given, issuer)
        check_binding(held, certificate)
        _check_required(held, issuer)
        digest = hashlib.sha256(token.encode()).hexdigest()[:24]
        who = mapping.principal(held, issuer, self._roles, f"oidc:{issuer.short_name}:{digest}")
        return Verified(who, expires, issuer.issuer)


def trust(settings: IssuerSettings, folder: Path, secret: bytes = b"") -> TrustedIssuer:
    """An issuer ready for use. ``folder`` is where files that the settings name are."""
    source = KeySource(
        settings.issuer,
        settings.jwks_url or "",
        folder / settings.ca_file if settings.ca_file else None,
        settings.cache_s,
        settings.stale_s,
    )
    return TrustedIssuer(settings, source, VerifyingKey("", settings.pinned, secret) if secret else None)


def _algorithm(header: Mapping[str, Any], issuer: IssuerSettings) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.pinned:
        raise TokenRefused("algorithm")
    if _UNENCODED & header.keys():
        raise TokenRefused("header")
    if _type(header) not in _TYPES:
        raise TokenRefused("type")
    return algorithm


def _type(header: Mapping[str, Any]) -> str:
    kind = header.get("typ", "")
    return kind.lower() if isinstance(kind, str) else "?"


def _key_id(header: Mapping[str, Any]) -> str:
    key_id = header.get("kid", "")
    if not isinstance(key_id, str) or len(key_id) > 256 or ("kid" in header and not key_id):
        raise TokenRefused("key id")
    return key_id


def _check_audience(held: Mapping[str, Any], issuer: IssuerSettings) -> None:
    meant = mapping.texts(held.get(issuer.shape.audience))
    if not set(meant) & set(issuer.audience):
        raise TokenRefused("audience")
    if issuer.authorized_parties:
        parties = {party for claim in issuer.shape.parties for party in mapping.texts(held.get(claim))}
        if not parties or not parties <= set(issuer.authorized_parties):
            raise TokenRefused("authorized party")


def _check_times(held: Mapping[str, Any], issuer: IssuerSettings, now: float) -> float:
    """``exp`` and ``iat`` must be there, ``nbf`` may be. Returns the end of its life."""
    skew = issuer.clock_skew_s
    expires, issued = _time(held, "exp"), _time(held, "iat")
    begins = _time(held, "nbf") if "nbf" in held else issued
    if now >= expires + skew:
        raise TokenRefused("expired")
    if now < begins - skew or now < issued - skew:
        raise TokenRefused("not valid yet")
    if now - issued > issuer.longest_age_s + skew:
        raise TokenRefused("too old")
    return expires


def _time(held: Mapping[str, Any], claim: str) -> float:
    value = held.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise TokenRefused(claim)
    return float(value)


def _check_kind(given: Unverified, issuer: IssuerSettings) -> None:
    """An ID token proves to a client who signed in; it is no credential for an API."""
    held, shape = given.claims, issuer.shape
    if _NOT_ACCESS & held.keys():
        raise TokenRefused("no access token")
    if any(not set(mapping.texts(held.get(claim))) & values for claim, values in shape.required.items()):
        raise TokenRefused("no access token")
    marked = not shape.marks or any(claim in held for claim in shape.marks)
    if not marked and _type(given.header) not in _ACCESS_TYPES:
        raise TokenRefused("no access token")


def check_binding(held: Mapping[str, Any], certificate: bytes) -> None:
    """A token bound to a key (``cnf``) is good only in that key's hands: RFC 8705 for certificates; other
    bindings can't be checked here, so such a token is refused."""
    if "cnf" not in held:
        return
    bound = held["cnf"]
    wanted = bound.get("x5t#S256") if isinstance(bound, Mapping) and len(bound) == 1 else None
    if not certificate or wanted != encoded(hashlib.sha256(certificate).digest()):
        raise TokenRefused("bound to another key")


def _check_required(held: Mapping[str, Any], issuer: IssuerSettings) -> None:
    for claim, values in issuer.required_claims.items():
        if not set(mapping.texts(mapping.look_up(held, claim))) & set(values):
            raise TokenRefused("required claim")
    if not set(issuer.required_scopes) <= mapping.provider_scopes(held, issuer):
        raise TokenRefused("required scope")
