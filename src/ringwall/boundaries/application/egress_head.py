"""The head of a request to the forward proxy, read strictly: what could be read in two ways is refused."""

import asyncio
import re
from dataclasses import dataclass

from .egress_headers import Headers

_LINE = re.compile(r"([A-Z]{1,16}) ([\x21-\x7e]{1,8192}) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[\t ]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]{1,12}")
_MOST = 100


class BadHead(Exception):
    """What the client is told: ``status`` and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """A request line and its headers."""

    method: str
    target: str
    minor: int
    """Of the version: 0 or 1."""
    headers: Headers
    length: int
    """Of the body, in bytes."""

    def get(self, name: str) -> str:
        """The one value of a header; empty when it is absent, or there more than once."""
        found = [value for key, value in self.headers if key.casefold() == name]
        return found[0] if len(found) == 1 else ""


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None when the client went away before it sent one. Raises BadHead. ``reader`` must
    have a limit: it is that of the head."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadHead(431, "The head of the request is too large.") from None
    except asyncio.IncompleteReadError:
        return None
    return parse_head(raw)


def parse_head(raw: bytes) -> Head:
    """Raises BadHead."""
    lines = raw.removesuffix(b"\r\n\r\n").decode("latin-1").split("\r\n")
    first = _LINE.fullmatch(lines[0])
    if first is None:
        raise BadHead(400, "This is no HTTP/1.1 request.")
    if len(lines) > _MOST:
        raise BadHead(431, f"The request has more than {_MOST} headers.")
    headers: Headers = []
    for line in lines[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise BadHead(400, "A header of the request can't be read.")
        headers.append((match[1], match[2].rstrip("\t ")))
    return Head(first[1], first[2], int(first[3]), headers, _length(headers))


def _length(headers: Headers) -> int:
    if any(name.casefold() == "transfer-encoding" for name, _ in headers):
        raise BadHead(411, "The proxy takes bodies with a Content-Length only.")
    given = [value for name, value in headers if name.casefold() == "content-length"]
    if not given:
        return 0
    if len(given) > 1 or not _LENGTH.fullmatch(given[0]):
        raise BadHead(400, "The length of the request can't be read.")
    return int(given[0])
