"""Who asks, vouched for to the database: a claim that holds for one transaction of one backend."""

import hmac
import time
from collections.abc import Sequence

import orjson

from ..asker import Asker

_BLOCK = 64
_LASTS_S = 120


class Claims:
    """Signs claims with HMAC-SHA256 (RFC 2104)."""

    def __init__(self, key: bytes) -> None:
        """``key``: at most 64 bytes; the database holds it in a table that the reading role can't read."""
        self._key = key

    def made(self, asker: Asker, collections: Sequence[str], pid: int, begun: int) -> str:
        """For the transaction that began at ``begun`` (its own clock, microseconds) in the backend
        ``pid``."""
        body = orjson.dumps(
            {
                "collections": list(collections),
                "tenant": asker.tenant,
                "subject": asker.subject,
                "roles": asker.roles,
                "pid": pid,
                "begun": begun,
                "until": int(time.time()) + _LASTS_S,
            }
        )
        return f"{hmac.digest(self._key, body, 'sha256').hex()}.{body.decode()}"

    def pads(self) -> tuple[bytes, bytes]:
        """The key as the database needs it, to compute the same with nothing but ``sha256``."""
        padded = self._key.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
