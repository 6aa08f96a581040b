"""Pictures in rows, read as files are: what stands in them reaches a model, and no control reads pixels.

They come as ``data:`` URLs (RFC 2397) in any text of a row, as the ``image_url`` of a turn has them, or as
the bytes of a file in Base64 or hexadecimal, as tables have them.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from ringwall.detect.files.sniff import PICTURES, sniff

from .files import ReadFile
from .row_text import RowText

_MOST = 8
"""Pictures of one row that are read."""
_ALL = 1000
"""Of one contribution."""
_SHORTEST = 64
"""Characters of a picture that stands there without saying what it is."""
_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,40})([^,\s]{0,100}),", re.ASCII | re.IGNORECASE)
_END = re.compile(r"[\s\"'()<>\\]")
_BARE = {
    "iVBORw0KGgo": "base64", "/9j/": "base64", "R0lGOD": "base64", "UklGR": "base64",
    "89504e470d0a1a0a": "hex", "ffd8ff": "hex", "47494638": "hex", "52494646": "hex",
}  # fmt: skip
"""How bytes of PNG, JPEG, GIF and WebP begin."""
_TELLING = frozenset({"unread", "mismatch", "polyglot", "trailing-data", "embedded-file", "program"})


class RowPictures:
    """For one contribution."""

    def __init__(self, reader: ReadFile | None, owner: str, most_bytes: int) -> None:
        self._reader = reader
        self._owner = owner
        self._most = most_bytes
        self._left = _ALL

    async def read(self, text: RowText) -> RowText:
        """The row, with what stands in its pictures behind its own text; marked when not all was read."""
        found = await asyncio.to_thread(lambda: [one for leaf in text.own() for one in pictures(leaf)])
        if not found:
            return text
        said, unread = [], len(found) > _MOST
        for raw, declared in found[:_MOST]:
            words = await self._words(raw, declared)
            unread = unread or words is None
            said.append(words or "")
        return replace(text, text="\n".join([text.text, *filter(None, said)]), unread=unread)

    async def _words(self, raw: bytes, declared: str) -> str | None:
        """None when it could not be read, or not all of it."""
        self._left -= 1
        if self._reader is None or self._left < 0 or not 0 < len(raw) <= self._most:
            return None
        found = await self._reader(raw, declared, self._owner)
        if found.refused or any(mark.code in _TELLING for mark in found.marks):
            return None
        return "\n".join(section.text for section in found.sections)


def pictures(text: str) -> Iterator[tuple[bytes, str]]:
    """Bytes and media type of each picture in a text; no bytes for one that can't be decoded."""
    for url in _URL.finditer(text):
        end = _END.search(text, url.end())
        given = text[url.end() : end.start() if end else len(text)]
        yield _decoded(given, "base64" if url[2].lower().endswith(";base64") else "url"), url[1].lower()
    coding = next((coding for head, coding in _BARE.items() if text[:16].startswith(head)), "")
    if coding and len(text) >= _SHORTEST:
        raw = _decoded(text, coding)
        if raw and sniff(raw) in PICTURES:
            yield raw, ""


def _decoded(given: str, coding: str) -> bytes:
    try:
        if coding == "url":
            return unquote_to_bytes(given)
        if coding == "hex":
            return bytes.fromhex(given)
        plain = unquote_to_bytes(given).translate(bytes.maketrans(b"-_", b"+/"), b"\r\n")
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""
