"""Plain text in its encodings, HTML, SVG."""

import codecs
import re
from itertools import groupby

from ringwall.detect.pages import read_html

from .markup import parse_xml
from .reading import Job, Refused

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_URL_CSS = re.compile(r"@import|url\(\s{0,9}['\"]?(?!['\"]?(?:#|data:))", re.IGNORECASE)


def decode(data: bytes) -> str | None:
    """The text, or None when these bytes are none: by the mark at its start, or UTF-8, or Windows-1252."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _strictly(data[len(bom) :], name)
    text = _strictly(data, "utf-8")
    return text if text is not None else _strictly(data, "cp1252")


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _BINARY.search(text) else text


def read_text(data: bytes, job: Job) -> None:
    """Plain text, Markdown, CSV, JSON: passed on as it is read, so nothing in it is hidden from a control."""
    text = decode(data)
    if text is None:
        raise Refused("damaged")
    job.say("text", text.replace("\r\n", "\n"))


def read_page(data: bytes, job: Job) -> None:
    """HTML: what the page shows, and what it hides from its reader."""
    text = decode(data)
    if text is None:
        raise Refused("damaged")
    page = read_html(text)
    job.say("title", page.title)
    job.say("text", page.text)
    for how, pieces in groupby(sorted(page.hidden, key=lambda piece: piece.how), lambda piece: piece.how):
        if how == "script":
            job.mark("script")
        job.say(how, "\n".join(piece.text for piece in pieces), how)


def read_svg(data: bytes, job: Job) -> None:
    """Its texts and attributes; it is never passed on as a picture. What a viewer would not show is not told
    apart: it all counts as shown."""
    root = parse_xml(data)
    shown: list[str] = []
    notes: list[str] = []
    for node in root.iter():
        tag = str(node.tag).rpartition("}")[2].lower()
        if tag in ("script", "foreignobject"):
            job.mark("active-content", tag)
        into = notes if tag in ("metadata", "desc", "title", "style", "script") else shown
        into += [text.strip() for text in (node.text, node.tail) if text and text.strip()]
        for name, value in node.attrib.items():
            short = name.rpartition("}")[2].lower()
            if short.startswith("on") or value.strip().lower().startswith("javascript:"):
                job.mark("active-content", "handler")
            elif short in ("href", "src") and not value.startswith(("#", "data:")):
                job.mark("external-link", "href")
            if short in ("aria-label", "title", "alt", "label") or short.startswith("data-"):
                notes.append(value)
            if short == "style" and _URL_CSS.search(value):
                job.mark("external-link", "style")
    job.say("text", "\n".join(shown))
    job.say("notes", "\n".join(notes), "notes")
