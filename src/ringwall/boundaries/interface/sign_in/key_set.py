"""Keys of a JSON Web Key Set (RFC 7517): those that can verify signatures, and what each is good for."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from .jose import TokenRefused

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_SMALLEST_RSA, _LARGEST_RSA = 2048, 8192
_MOST_KEYS = 100
_LONGEST_ID = 256
_ALGORITHMS = get_default_algorithms()


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key with the algorithms that it fits, so that none can be used as what it isn't."""

    id: str
    algorithms: frozenset[str]
    key: Any = field(repr=False)

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's, by this algorithm."""
        if algorithm not in self.algorithms:
            return False
        try:
            return bool(_ALGORITHMS[algorithm].verify(signed, self.key, signature))
        except (ValueError, TypeError, PyJWTError, UnsupportedAlgorithm):
            return False


def read_key_set(document: dict[str, Any]) -> tuple[VerifyingKey, ...]:
    """The usable keys. What is no public signature key, or too weak for one, is left out: a shared secret or
    a private key that somebody published proves nothing. Raises TokenRefused for what is no key set."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise TokenRefused("key set")
    return tuple(key for one in listed if isinstance(one, dict) and (key := _key(one)) is not None)


def select(keys: tuple[VerifyingKey, ...], key_id: str, algorithm: str) -> VerifyingKey | None:
    """The one key of this id that fits the algorithm. Without an id there must be just one that could be
    meant; among keys of the same id as well."""
    fitting = [key for key in keys if algorithm in key.algorithms and (not key_id or key.id == key_id)]
    return fitting[0] if len(fitting) == 1 else None


def _key(jwk: dict[str, Any]) -> VerifyingKey | None:
    key_id = jwk.get("kid", "")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(key_id, str) or len(key_id) > _LONGEST_ID or jwk.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations or "d" in jwk:
        return None
    try:
        fits, key = _public(jwk)
    except (ValueError, TypeError, KeyError, PyJWTError, UnsupportedAlgorithm):
        return None
    if "alg" in jwk:
        fits &= {jwk["alg"]} if isinstance(jwk["alg"], str) else set()
    return VerifyingKey(key_id, fits, key) if fits else None


def _public(jwk: dict[str, Any]) -> tuple[frozenset[str], Any]:
    match jwk.get("kty"):
        case "RSA":
            rsa = RSAAlgorithm.from_jwk(jwk)
            strong = isinstance(rsa, RSAPublicKey) and _SMALLEST_RSA <= rsa.key_size <= _LARGEST_RSA
            return (_RSA if strong else frozenset()), rsa
        case "EC":
            fits = frozenset({_CURVES[jwk["crv"]]})
            return fits, ECAlgorithm.from_jwk(jwk)
        case "OKP":
            okp = OKPAlgorithm.from_jwk(jwk)
            return (frozenset({"EdDSA"}) if isinstance(okp, Ed25519PublicKey) else frozenset()), okp
    return frozenset(), None
