"""Fetching a small JSON document over https: bounded in size and time, no redirects, no surroundings."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp

from .jose import TokenRefused, strict_object
from .settings import web_address

_MOST_BYTES = 256 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=3)
_DEPTH = 12


class Unreachable(Exception):
    """What was to be fetched did not come, or not as it must. Says what was wrong, without the content."""


async def fetch_json(address: str, ca_file: Path | None = None) -> dict[str, Any]:
    """GET one document. Raises Unreachable.

    Proxies and credentials of the environment are not used; an answer that is compressed, redirects, or is
    larger than 256 KiB is none.
    """
    try:
        trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
        async with (
            aiohttp.ClientSession(
                timeout=_TIMEOUT,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"accept": "application/json", "accept-encoding": "identity"},
            ) as session,
            session.get(web_address(address), allow_redirects=False, ssl=trust) as answer,
        ):
            if answer.status != 200 or answer.headers.get("content-encoding", "identity") != "identity":
                raise Unreachable(f"answered with status {answer.status}")
            return strict_object(await _bounded(answer), _DEPTH)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unreachable(type(error).__name__) from None
    except TokenRefused as error:
        raise Unreachable(f"answered with something unreadable ({error.reason})") from None


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_chunked(16 * 1024):
        body += piece
        if len(body) > _MOST_BYTES:
            raise Unreachable("answered with too much")
    return bytes(body)
