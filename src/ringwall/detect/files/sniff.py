"""What a file is, by its content: neither its name nor what the sender calls it is looked at."""

import re

from .plain import decode

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"{\\rtf", "rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\x00asm", "program"),
    (b"#!", "program"),
    (b"ID3", "audio"),
    (b"\xff\xfb", "audio"),
    (b"OggS", "audio"),
    (b"fLaC", "audio"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\xfd7zXZ\x00", "archive"),
)
PICTURES = frozenset({"png", "jpeg", "gif", "webp", "bmp", "tiff"})
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?[^\n]{0,2000}\n")
_MAIL = frozenset(
    {"from", "to", "subject", "date", "received", "message-id", "mime-version", "content-type", "return-path"}
)
_HTML = re.compile(
    r"<(?:!doctype\s{1,9}html|html|head|body|title|script|style|table|div|p|a|br|h1)\b", re.IGNORECASE
)
_SVG = re.compile(r"<(?:[a-z]{1,20}:)?svg\b", re.IGNORECASE)


def sniff(data: bytes) -> str:
    """The kind; ``unknown`` for bytes that are neither of a known form nor text. ``zip`` stands for
    office files as well: what is inside tells."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "audio"}.get(data[8:12], "unknown")
    if data[:2] == b"BM" and len(data) > 26 and 12 <= int.from_bytes(data[14:18], "little") <= 124:
        return "bmp"
    if data[4:8] == b"ftyp":
        return "audio"
    text = decode(data)
    return "unknown" if text is None else _textual(text)


def _textual(text: str) -> str:
    head = text[:4096].lstrip("\ufeff \t\r\n")
    if head.startswith("<"):
        if _SVG.search(head):
            return "svg"
        if _HTML.search(head):
            return "html"
    return "eml" if _mail(head) else "text"


def _mail(head: str) -> bool:
    names: set[str] = set()
    at = 0
    head = head.replace("\r\n", "\n")
    while found := _HEADER.match(head, at):
        names.add(found[1].lower())
        at = found.end()
        while head[at : at + 1] in (" ", "\t"):  # a folded header goes on
            at = head.find("\n", at) + 1 or len(head)
    return len(names & _MAIL) >= 3


_FAMILIES = {
    "jpg": "jpeg",
    "pjpeg": "jpeg",
    "svg+xml": "svg",
    "x-ms-bmp": "bmp",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "vnd.oasis.opendocument.text": "odt",
    "vnd.oasis.opendocument.spreadsheet": "ods",
    "vnd.oasis.opendocument.presentation": "odp",
    "rfc822": "eml",
    "xhtml+xml": "html",
    "x-zip-compressed": "zip",
}
_TEXTS = frozenset({"text", "html", "svg", "eml", "rtf"})


def mismatch(kind: str, declared: str) -> bool:
    """Whether the declared media type is of another family than the content. Unknown types and
    ``application/octet-stream`` claim nothing."""
    main, _, sub = declared.lower().partition("/")
    claimed = _FAMILIES.get(sub, sub)
    if main == "image" and claimed != "svg":
        return kind not in PICTURES
    if claimed in ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "zip"):
        return kind != claimed
    if main in ("text", "message") or claimed in ("json", "svg"):
        return kind not in _TEXTS
    return main in ("audio", "video") and kind != "audio"
