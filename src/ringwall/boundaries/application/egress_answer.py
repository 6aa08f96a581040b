"""An answer from outside: its head judged, its body bounded."""

import asyncio
import codecs
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from ringwall.core import UpstreamError

from .egress_headers import Headers
from .egress_outbound import EgressLimits
from .egress_settings import ANY, EgressRule

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TYPES = ("text/", "application/json", "application/xml")
_SUFFIXES = ("+json", "+xml")
_EVENTS = "text/event-stream"
_CHARSETS = re.compile(
    r"ascii|utf-(?:8|16|32)(?:-[a-z]+)?|iso8859-\d+|cp\d+|koi8-[rut]|gb\w+|big5\w*|euc_\w+|shift_jis\w*"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    content_type: str
    text: str
    url: str
    """After redirects."""


class Answer:
    """An answer that has begun: its head is judged, its body still to be read."""

    def __init__(self, answer: aiohttp.ClientResponse, limits: EgressLimits) -> None:
        self._answer = answer
        self._limits = limits
        self.status = answer.status
        self.reason = answer.reason or ""
        self.headers: Headers = list(answer.headers.items())
        self.location = answer.headers.get("Location", "")
        self.content_type = answer.content_type
        self.charset = answer.charset or "utf-8"
        self.events = answer.content_type == _EVENTS

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body. Raises UpstreamError when it is larger or slower than the rule allows."""
        most = self._limits.stream_bytes if self.events else self._limits.bytes
        seconds = self._limits.stream_seconds if self.events else self._limits.seconds
        end = asyncio.get_running_loop().time() + seconds
        size = 0
        while True:
            try:
                async with asyncio.timeout_at(end):
                    chunk = await self._answer.content.readany()
            except TimeoutError:
                raise UpstreamError("The page did not answer in time.", 504) from None
            except aiohttp.ClientError:
                raise UpstreamError("The page broke off.") from None
            if not chunk:
                return
            size += len(chunk)
            if size > most:
                raise UpstreamError(f"The page is larger than {most} bytes.")
            yield chunk


def check_head(answer: aiohttp.ClientResponse, rule: EgressRule, limits: EgressLimits) -> None:
    """Raises UpstreamError for an answer that need not be read: of a wrong type, compressed, too large."""
    if answer.headers.get("Content-Encoding", "identity").casefold() != "identity":
        raise UpstreamError("The page came compressed, which was not asked for.")
    empty = answer.method == "HEAD" or answer.status in (204, 304) or answer.content_length == 0
    if empty or (answer.status in REDIRECTS and "Location" in answer.headers):
        return
    if not _typed(answer.content_type, rule.types):
        said = "is of a type that was not asked for" if rule.types else "is not text"
        raise UpstreamError(f"The page {said}.")
    if answer.content_type != _EVENTS and (answer.content_length or 0) > limits.bytes:
        raise UpstreamError(f"The page is larger than {limits.bytes} bytes.")


def _typed(content_type: str, types: frozenset[str]) -> bool:
    if not types:
        return content_type.startswith(_TYPES) or content_type.endswith(_SUFFIXES)
    main = content_type.partition("/")[0]
    return bool(types & {ANY, "*/*", f"{main}/*", content_type})


async def read_text(answer: Answer, url: str) -> Fetched:
    """The whole body as text. Raises UpstreamError as ``Answer.chunks`` does."""
    body = bytearray()
    async for chunk in answer.chunks():
        body += chunk
    text = body.decode(_charset(answer.charset), "replace")
    return Fetched(answer.status, answer.content_type, text, url)


def _charset(named: str) -> str:
    """What the other side names, if it is one of the web's: others (Punycode) take time that grows with the
    square of the text."""
    try:
        name = codecs.lookup(named).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if _CHARSETS.fullmatch(name) else "utf-8"
