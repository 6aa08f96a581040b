"""The key sets of identity providers, fetched when needed and kept for a while.

1. One fetch at a time for each provider, however many requests wait for it; its end doesn't depend on them.
2. Keys older than ``cache_s`` are fetched anew. When that fails they are good for ``stale_s`` more.
3. A key id that the set doesn't have may be a new key: fetch again, but not more than once in ten seconds,
   so that made-up ids don't turn the gateway against the provider.
4. After a failed fetch there is a pause of ten seconds, so that a slow provider doesn't slow every request.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .fetch import Unreachable, fetch_json
from .jose import TokenRefused
from .key_set import VerifyingKey, read_key_set, select
from .settings import web_address

log = logging.getLogger("ringwall")

_UNKNOWN_EVERY_S = 10.0
_PAUSE_S = 10.0
_DISCOVERY = "/.well-known/openid-configuration"

Fetch = Callable[[str, Path | None], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where one provider's keys come from."""

    issuer: str
    jwks_url: str = ""
    """Empty: as the discovery document says."""
    ca_file: Path | None = None
    cache_s: float = 600.0
    stale_s: float = 3600.0


@dataclass(slots=True)
class _Kept:
    keys: tuple[VerifyingKey, ...] = ()
    fetched: float = float("-inf")
    paused_until: float = float("-inf")
    asked_for_unknown: float = float("-inf")
    under_way: "asyncio.Future[None] | None" = field(default=None, repr=False)


class KeyCache:
    """Used from one event loop. Outlives reloads of the workload file: a set belongs to its source."""

    def __init__(self, *, fetch: Fetch = fetch_json, now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._kept: dict[KeySource, _Kept] = {}

    def forget_others(self, sources: set[KeySource]) -> None:
        """Drop the sets of sources that are no longer used."""
        for source in set(self._kept) - sources:
            self._kept.pop(source, None)

    async def find(self, source: KeySource, key_id: str, algorithm: str) -> VerifyingKey:
        """The key to verify with. Raises TokenRefused when the provider has no such key, Unreachable when
        that can't be known."""
        kept = self._kept.setdefault(source, _Kept())
        await self._freshen(source, kept)
        key = select(kept.keys, key_id, algorithm)
        if key is None and self._now() - kept.asked_for_unknown >= _UNKNOWN_EVERY_S:
            kept.asked_for_unknown = self._now()
            await self._refresh(source, kept)
            key = select(kept.keys, key_id, algorithm)
        if key is None:
            raise TokenRefused("key")
        return key

    async def _freshen(self, source: KeySource, kept: _Kept) -> None:
        now = self._now()
        if now - kept.fetched > source.cache_s and now >= kept.paused_until:
            await self._refresh(source, kept)
        if self._now() - kept.fetched > source.cache_s + source.stale_s:
            raise Unreachable("no keys")

    async def _refresh(self, source: KeySource, kept: _Kept) -> None:
        if kept.under_way is None or kept.under_way.done():
            kept.under_way = asyncio.ensure_future(self._take(source, kept))
        await asyncio.shield(kept.under_way)

    async def _take(self, source: KeySource, kept: _Kept) -> None:
        """Never raises: what failed is in the log, and the old keys remain as long as they may."""
        try:
            address = source.jwks_url or await self._discovered(source)
            keys = read_key_set(await self._fetch(address, source.ca_file))
            if not keys:
                raise Unreachable("lists no usable key")
            kept.keys, kept.fetched = keys, self._now()
        except (Unreachable, TokenRefused) as error:
            kept.paused_until = self._now() + _PAUSE_S
            log.warning("keys of %s could not be fetched: %s", source.issuer, error)

    async def _discovered(self, source: KeySource) -> str:
        """OpenID Connect Discovery 1.0: the document must be the issuer's own, to the letter."""
        document = await self._fetch(source.issuer.rstrip("/") + _DISCOVERY, source.ca_file)
        address = document.get("jwks_uri")
        if document.get("issuer") != source.issuer or not isinstance(address, str):
            raise Unreachable("its discovery document is not its own")
        try:
            web_address(address)
        except ValueError:
            raise Unreachable("its discovery document names no https address for keys") from None
        if source.issuer.startswith("https:") and not address.startswith("https:"):
            raise Unreachable("its discovery document leads away from https")
        return address
