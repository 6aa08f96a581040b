"""What the bytes of a picture say before anything decodes them: size, frames, texts, what follows the end.

Each reader walks the blocks of its format, forward and bounded by the length of the file, and raises Refused
("damaged") where a length leads outside of it. Formats: PNG (W3C), JPEG (T.81, JFIF, Exif 2.32), GIF89a, WebP
(RFC 9649), BMP, TIFF 6.0.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .reading import Job, Refused

_TEXT_LIMIT = 65_536
"""Bytes of one text in a picture's metadata."""
_BLOCKS = 100_000
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\x00"


@dataclass(slots=True)
class Picture:
    width: int = 0
    height: int = 0
    frames: int = 1
    end: int = 0
    """Offset after the picture's last byte."""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Where, and what."""

    def note(self, where: str, raw: bytes) -> None:
        text = _readable(raw[:_TEXT_LIMIT])
        if text:
            self.texts.append((where, text))


def inspect_picture(data: bytes, kind: str, job: Job) -> Picture:
    """Sizes held against the limits, texts into the job, trailing data marked."""
    try:
        found = _READERS[kind](data)
    except (IndexError, zlib.error):
        raise Refused("damaged") from None
    if found.width < 1 or found.height < 1:
        raise Refused("damaged")
    if found.width * found.height > job.limits.pixels:
        raise Refused("pixels")
    for where, text in found.texts:
        job.say(where, text, metadata=True)
    if data[found.end :].strip(b"\x00 \r\n\t"):
        job.mark("trailing-data")
        tail = _readable(data[found.end :][:_TEXT_LIMIT])
        job.say("trailing-data", tail, "trailing-data", metadata=True)
    if found.frames > 1:
        job.mark("frames")
    return found


def _u(data: bytes, at: int, size: int, order: str = "big") -> int:
    if at < 0 or at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size], "little" if order == "little" else "big")


def _readable(raw: bytes) -> str:
    """Text in some encoding; runs of letters where there are bytes between them."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace").strip("\x00 ")
    if raw.count(0) > len(raw) // 3:
        order = "utf-16-le" if raw[1::2].count(0) >= raw[::2].count(0) else "utf-16-be"
        return _printable(raw.decode(order, "replace"))
    try:
        return _printable(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _printable(raw.decode("latin-1"))


def _printable(text: str) -> str:
    """Runs of at least four printable characters."""
    kept = "".join(char if char.isprintable() or char in "\n\t" else "\x00" for char in text)
    return "\n".join(run for run in kept.split("\x00") if len(run.strip()) >= 4)


def _png(data: bytes) -> Picture:
    found, at = Picture(), 8
    while at < len(data):
        size, name = _u(data, at, 4), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        if len(body) < size or at + 12 + size > len(data):
            raise IndexError
        at += 12 + size
        if name == b"IHDR":
            found.width, found.height = _u(body, 0, 4), _u(body, 4, 4)
        elif name == b"acTL":
            found.frames = max(1, _u(body, 0, 4))
        elif name in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            _png_text(found, name, body)
        elif name == b"eXIf":
            found.texts += _tiff_texts(body)
        elif name == b"IEND":
            found.end = at
            return found
    raise IndexError


def _png_text(found: Picture, name: bytes, body: bytes) -> None:
    key, _, rest = body.partition(b"\x00")
    found.note("metadata", key)
    if name == b"tEXt":
        found.note("metadata", rest)
    elif name in (b"zTXt", b"iCCP"):
        found.note("metadata", _unpacked(rest[1:]))
    else:
        packed, rest = rest[:1] == b"\x01", rest[2:]
        language, _, rest = rest.partition(b"\x00")
        translated, _, text = rest.partition(b"\x00")
        for piece in (language, translated, _unpacked(text) if packed else text):
            found.note("metadata", piece)


def _unpacked(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _TEXT_LIMIT)


def _jpeg(data: bytes) -> Picture:
    found, at = Picture(), 2
    for _ in range(_BLOCKS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # fill bytes
            at += 1
        if data[at] != 0xFF:
            raise IndexError
        marker, at = data[at + 1], at + 2
        if marker == 0xD9:
            found.end = at
            return found
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        size = _u(data, at, 2)
        body = data[at + 2 : at + size]
        if size < 2 or at + size > len(data):
            raise IndexError
        at += size
        _jpeg_segment(found, marker, body)
        if marker == 0xDA:
            at = _scan_end(data, at)
    raise IndexError


def _jpeg_segment(found: Picture, marker: int, body: bytes) -> None:
    if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
        found.height, found.width = _u(body, 1, 2), _u(body, 3, 2)
    elif marker == 0xFE:
        found.note("metadata", body)
    elif 0xE0 <= marker <= 0xEF:
        _jpeg_application(found, body)


def _jpeg_application(found: Picture, body: bytes) -> None:
    if body.startswith(b"Exif\x00\x00"):
        found.texts += _tiff_texts(body[6:])
    elif body.startswith((_XMP, _XMP_MORE)):
        found.note("metadata", body[body.index(b"\x00") + 1 :])
    elif len(body) > 16:
        found.note("metadata", body)


def _scan_end(data: bytes, at: int) -> int:
    """Offset of the marker after entropy-coded data, in which 0xFF is followed by 0 or a restart number."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise IndexError
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7 and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def _gif(data: bytes) -> Picture:
    found = Picture(_u(data, 6, 2, "little"), _u(data, 8, 2, "little"), 0)
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    for _ in range(_BLOCKS):
        block, at = data[at], at + 1
        if block == 0x3B:
            found.end, found.frames = at, max(1, found.frames)
            return found
        if block == 0x2C:
            found.frames += 1
            found.width = max(found.width, _u(data, at, 2, "little") + _u(data, at + 4, 2, "little"))
            found.height = max(found.height, _u(data, at + 2, 2, "little") + _u(data, at + 6, 2, "little"))
            flags = data[at + 8]
            at += 9 + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1
            at, _ = _gif_blocks(data, at)
        elif block == 0x21:
            label = data[at]
            at, body = _gif_blocks(data, at + 1)
            if label != 0xF9:
                found.note("metadata", body)
        else:
            raise IndexError
    raise IndexError


def _gif_blocks(data: bytes, at: int) -> tuple[int, bytes]:
    """Offset after the sub-blocks, and the first bytes of what they hold."""
    pieces: list[bytes] = []
    while size := data[at]:
        if len(pieces) < 300:
            pieces.append(data[at + 1 : at + 1 + size])
        at += size + 1
    return at + 1, b"".join(pieces)


def _webp(data: bytes) -> Picture:
    found, at = Picture(frames=0), 12
    found.end = 8 + _u(data, 4, 4, "little")
    if found.end > len(data):
        raise IndexError
    for _ in range(_BLOCKS):
        if at + 8 > found.end:
            found.frames = max(1, found.frames)
            return found
        name, size = data[at : at + 4], _u(data, at + 4, 4, "little")
        body = data[at + 8 : min(at + 8 + size, found.end)]
        at += 8 + size + size % 2
        if name == b"VP8X":
            found.width, found.height = _u(body, 4, 3, "little") + 1, _u(body, 7, 3, "little") + 1
        elif name == b"VP8 ":
            size_of = _u(body, 6, 2, "little") & 0x3FFF, _u(body, 8, 2, "little") & 0x3FFF
            found.width, found.height = max(found.width, size_of[0]), max(found.height, size_of[1])
        elif name == b"VP8L":
            bits = _u(body, 1, 4, "little")
            found.width = max(found.width, (bits & 0x3FFF) + 1)
            found.height = max(found.height, (bits >> 14 & 0x3FFF) + 1)
        elif name == b"ANMF":
            found.frames += 1
        elif name == b"EXIF":
            found.texts += _tiff_texts(body.removeprefix(b"Exif\x00\x00"))
        elif name not in (b"ALPH", b"ANIM"):
            found.note("metadata", body)
    raise IndexError


def _bmp(data: bytes) -> Picture:
    header = _u(data, 14, 4, "little")
    if header == 12:
        width, height = _u(data, 18, 2, "little"), _u(data, 20, 2, "little")
    else:
        width, height = _u(data, 18, 4, "little"), _u(data, 22, 4, "little")
        height = min(height, (1 << 32) - height)  # negative: rows run downward
    declared = _u(data, 2, 4, "little")
    return Picture(width, height, end=declared if 26 < declared <= len(data) else len(data))


_ASCII, _SHORT, _LONG = 2, 3, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SUB_DIRECTORIES = {0x8769, 0x8825, 0xA005}
_BYTE_TEXTS = {0x9286, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 700, 33723, 34675, 34377}
"""User comment; the Windows title, comment, author, keywords, subject; XMP; IPTC; ICC; Photoshop."""


def _entries(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Directory number, tag, first number and bytes of every entry in all directories of a TIFF structure."""
    order = {b"II": "little", b"MM": "big"}.get(data[:2], "")
    if not order:
        return
    waiting, seen = [(_u(data, 4, 4, order), 0)], set[int]()
    pages = 0
    while waiting and len(seen) < 64:
        at, sub = waiting.pop()
        if at in seen or at == 0:
            continue
        seen.add(at)
        page = -1 if sub else pages
        pages += not sub
        count = _u(data, at, 2, order)
        for index in range(min(count, 512)):
            entry = at + 2 + 12 * index
            tag, form, number = (
                _u(data, entry, 2, order),
                _u(data, entry + 2, 2, order),
                _u(data, entry + 4, 4, order),
            )
            size = _SIZES.get(form, 1) * number
            start = entry + 8 if size <= 4 else _u(data, entry + 8, 4, order)
            raw = data[start : start + min(size, _TEXT_LIMIT)]
            first = _u(data, entry + 8, 2 if form == _SHORT else 4, order)
            if tag in _SUB_DIRECTORIES:
                waiting.append((first, 1))
            yield page, tag, first, raw if form == _ASCII or tag in _BYTE_TEXTS else b""
        if not sub and (following := _u(data, at + 2 + 12 * count, 4, order)):
            waiting.append((following, 0))


def _tiff_texts(data: bytes) -> list[tuple[str, str]]:
    """Texts of an Exif block. One that is cut short is no fault of the picture's: what was read counts."""
    found = Picture()
    try:
        for _, _, _, raw in _entries(data):
            found.note("metadata", raw.removeprefix(b"ASCII\x00\x00\x00").removeprefix(b"UNICODE\x00"))
    except IndexError:
        found.note("metadata", data)
    return found.texts


def _tiff(data: bytes) -> Picture:
    found = Picture(end=len(data), frames=0)
    for page, tag, first, raw in _entries(data):
        found.frames = max(found.frames, page + 1)
        if tag == 256:
            found.width = max(found.width, first)
        elif tag == 257:
            found.height = max(found.height, first)
        found.note("metadata", raw)
    return found


_READERS: Mapping[str, Callable[[bytes], Picture]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "webp": _webp,
    "bmp": _bmp,
    "tiff": _tiff,
}
