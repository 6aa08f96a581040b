"""From what a caller presents to a principal: every kind of credential comes through here."""

from dataclasses import dataclass, field

from ringwall.core import Principal

from ..keys import KeyStore
from .certificates import Certificates
from .delegation import Delegation
from .gateway_tokens import GatewayTokens
from .issuers import Issuers, Verified
from .jose import TokenRefused, looks_like_token


@dataclass(frozen=True, slots=True)
class Presented:
    """What came with a request. Empty: nothing did."""

    bearer: str = field(default="", repr=False)
    certificate: bytes | None = field(default=b"", repr=False)
    """DER, its chain verified; None when there is one that can't be read."""
    on_behalf_of: str = field(default="", repr=False)
    """Token (or key) of the user for whom the caller acts."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One version of the workload file, over the stores of the plant."""

    keys: KeyStore
    issuers: Issuers
    tokens: GatewayTokens
    certificates: Certificates
    delegation: Delegation

    async def principal(self, presented: Presented) -> Principal | None:
        """Whom the credentials prove; None when there are none. With ``on_behalf_of`` it is the user, and the
        caller is recorded as the one who acts.

        A bearer credential goes before a certificate, so that one connection of a proxy serves many callers.
        Raises TokenRefused, Unreachable or NotDelegated. A credential that fails never counts as none.
        """
        caller = await self._caller(presented)
        if not presented.on_behalf_of:
            return caller
        if caller is None:
            raise TokenRefused("no service")
        user = await self.verified(presented.on_behalf_of)
        return self.delegation.on_behalf(user.principal, caller)

    async def verified(self, secret: str, certificate: bytes = b"") -> Verified:
        """Whom a key or token proves, and until when. Raises TokenRefused or Unreachable."""
        if not looks_like_token(secret):
            known = self.keys.verify(secret)
            if known is None:
                raise TokenRefused("key")
            return Verified(known, float("inf"), "")
        ours = self.tokens.verify(secret)
        return ours or await self.issuers.verify(secret, certificate=certificate)

    async def _caller(self, presented: Presented) -> Principal | None:
        if presented.bearer:
            verified = await self.verified(presented.bearer, presented.certificate or b"")
            return verified.principal
        if presented.certificate == b"":
            return None
        known = self.certificates.principal(presented.certificate) if presented.certificate else None
        if known is None:
            raise TokenRefused("certificate")
        return known
