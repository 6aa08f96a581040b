"""Reading a compact JWS (RFC 7515) strictly: bounded before it is parsed, one reading of every byte.

Nothing here trusts anything: what is read is only good once its signature has been verified.
"""

import base64
import binascii
import json
import math
from dataclasses import dataclass, field
from typing import Any

from ..limits import json_depth

_DEPTH = 8
_MOST_HEADER = 4_096


class TokenRefused(Exception):
    """The token is not taken. ``reason`` is for the ledger; the caller learns only that it is invalid."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token in its parts, before anything of it is believed."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read(token: str, longest: int) -> Unverified:
    """Take a token apart. Raises TokenRefused."""
    if len(token) > longest:
        raise TokenRefused("too long")
    parts = token.split(".", 3)
    if len(parts) != 3 or not all(parts) or not token.isascii():
        raise TokenRefused("form")
    head, body, signature = parts
    if len(head) > _MOST_HEADER:
        raise TokenRefused("header")
    return Unverified(
        strict_object(_decoded(head)),
        strict_object(_decoded(body)),
        f"{head}.{body}".encode(),
        _decoded(signature),
    )


def looks_like_token(secret: str) -> bool:
    """Whether this is meant as a JWT: three parts, the first of which begins a JSON object."""
    return secret.startswith("eyJ") and secret.count(".") == 2


def strict_object(raw: bytes, depth: int = _DEPTH) -> dict[str, Any]:
    """A JSON object without duplicate names, NaN, infinities or deep nesting: where two readers could differ,
    nothing is read. Raises TokenRefused."""
    if json_depth(raw, depth) > depth:
        raise TokenRefused("nesting")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no, parse_float=_finite
        )
    except (ValueError, RecursionError):
        raise TokenRefused("json") from None
    if not isinstance(value, dict):
        raise TokenRefused("json")
    return value


def _decoded(text: str) -> bytes:
    """base64url without padding, in its one canonical spelling: else a signature would have several."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise TokenRefused("encoding") from None
    if encoded(raw) != text:
        raise TokenRefused("encoding")
    return raw


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value
