"""Short-lived tokens of the gateway itself: for a user, in the hands of the service that acts for them.

Signed with Ed25519 by a key derived from the master key, so that every replica and every restart knows them.
They tell who the user is and which roles they held; what the roles mean is read from the workload file each
time, and a key of the user or the service that was revoked takes its tokens with it.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringwall.core import Grant, Principal, new_id

from ..keys import KeyStore
from ..principals import Roles
from .issuers import Verified
from .jose import TokenRefused, encoded, read

_LONGEST = 8_192
_ISSUER = "urn:ringwall:"


class GatewayTokens:
    """``seed``: 32 secret bytes. ``workload`` is its name: tokens of another workload's gateway don't fit."""

    def __init__(
        self,
        seed: bytes,
        workload: str,
        roles: Roles,
        keys: KeyStore,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._issuer = _ISSUER + workload
        self._roles = roles
        self._keys = keys
        self._now = now

    def issue(self, user: Principal, actor: Principal, grant: Grant, expires: float) -> str:
        """A token for ``user`` that ``actor`` may use, good for ``grant``, until ``expires``."""
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": user.subject,
            "tenant": user.tenant,
            "roles": sorted(user.roles),
            "attributes": dict(user.attributes),
            "credential": user.credential,
            "act": {"sub": actor.subject, "tenant": actor.tenant, "credential": actor.credential},
            "applications": sorted(grant.applications),
            "scopes": None if grant.scopes is None else sorted(grant.scopes),
            "iat": int(self._now()),
            "exp": int(expires),
            "jti": new_id("tok"),
        }
        head = encoded(orjson.dumps({"alg": "EdDSA", "typ": "at+jwt"}))
        signed = f"{head}.{encoded(orjson.dumps(claims))}"
        return f"{signed}.{encoded(self._key.sign(signed.encode()))}"

    def claims(self, token: str) -> Mapping[str, Any] | None:
        """What a token of this gateway says; None when it is of another issuer. Raises TokenRefused when it
        claims to be ours and isn't, or is no longer good."""
        given = read(token, _LONGEST)
        if given.claims.get("iss") != self._issuer:
            return None
        if given.header != {"alg": "EdDSA", "typ": "at+jwt"} or given.claims.get("aud") != self._issuer:
            raise TokenRefused("header")
        try:
            self._key.public_key().verify(given.signature, given.signed)
        except InvalidSignature:
            raise TokenRefused("signature") from None
        if self._now() >= given.claims["exp"]:
            raise TokenRefused("expired")
        return given.claims

    def verify(self, token: str) -> Verified | None:
        """Whom a token of this gateway proves, with the service that acts for them; None for another's."""
        held = self.claims(token)
        if held is None:
            return None
        actor = Principal(
            held["act"]["sub"], held["act"]["tenant"], credential=self._live(held["act"]["credential"])
        )
        user = Principal(
            held["sub"],
            held["tenant"],
            self._roles.expand(held["roles"]),
            MappingProxyType(held["attributes"]),
            credential=self._live(held["credential"]),
            grant=Grant(
                None if held["scopes"] is None else frozenset(held["scopes"]), frozenset(held["applications"])
            ),
            actor=actor,
        )
        return Verified(user, float(held["exp"]), self._issuer)

    def _live(self, credential: str) -> str:
        """The credential, unless it is a key that is no longer good."""
        if ":" not in credential and self._keys.principal(credential) is None:
            raise TokenRefused("revoked")
        return credential
