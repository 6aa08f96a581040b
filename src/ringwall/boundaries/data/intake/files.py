"""A file of any kind, read: text files here, all others by a confined process of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

from ringwall.core import DataError
from ringwall.detect.files import Reading as FileReading
from ringwall.detect.files import Section
from ringwall.detect.files.sniff import sniff
from ringwall.detect.files.told import REFUSALS
from ringwall.detect.pages import Hidden

from ..read import FrontMatter, Reading, read, short, stem
from ..settings import CollectionSettings

ReadFile = Callable[[bytes, str, str], Awaitable[FileReading]]
"""Content, declared media type, and who sends it. Raises for no file; runs parsers where a hostile file can
do no harm."""
TEXT_ENDINGS = frozenset({".md", ".markdown", ".txt", ".text", ".html", ".htm", ".xhtml"})
FILE_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".rtf": "application/rtf",
    ".eml": "message/rfc822",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
"""Media type that a name claims; the content decides how it is read."""
ENDINGS = TEXT_ENDINGS | FILE_TYPES.keys()
"""Of the files that a folder of documents is searched for."""
_TEXTS = frozenset({"text", "html", "svg", "eml", "unknown", "program"})
"""What a text file may look like: a page of code may begin as a program does."""
_ASIDES = ("comments", "annotations", "slide notes", "notes")
"""Places beside the content: a person sees them only when they look for them."""


async def read_any(
    raw: bytes, name: str, settings: CollectionSettings, reader: ReadFile | None, owner: str
) -> Reading:
    """DataError, with what is the matter, for a file that is too large, can't be read or holds no text."""
    ending = PurePosixPath(name.lower()).suffix
    kind = await asyncio.to_thread(sniff, raw)
    plain = kind in _TEXTS and (ending in TEXT_ENDINGS or (kind == "text" and ending not in FILE_TYPES))
    most, setting = (
        (settings.max_bytes, "max_bytes") if plain else (settings.max_file_bytes, "max_file_bytes")
    )
    if len(raw) > most:
        raise DataError(
            f"{short(name)} has {len(raw)} bytes; the collection takes at most {most}: split it, or raise "
            f"{setting}."
        )
    if plain:
        return await asyncio.to_thread(read, raw, name)
    if reader is None:
        raise DataError(f"{short(name)} is no text file, and nothing else is read here.")
    found = await reader(raw, FILE_TYPES.get(ending, ""), owner)
    if found.refused:
        raise DataError(f"{short(name)}: {REFUSALS.get(found.refused, REFUSALS['damaged'])}")
    text = "\n\n".join(section.text for section in found.sections if not _hidden(section))
    hidden = tuple(Hidden(_hidden(section), section.text) for section in found.sections if _hidden(section))
    marks = tuple(dict.fromkeys(mark.code for mark in found.marks))
    if len(text) + sum(len(piece.text) for piece in hidden) > settings.max_bytes:
        raise DataError(
            f"{short(name)} holds more text than the collection takes: split it, or raise max_bytes."
        )
    if not text and "unread" in marks:
        raise DataError(f"{short(name)}: nothing in it could be read.")
    if not text and not hidden:
        raise DataError(f"{short(name)}: there is no text in it.")
    return Reading(stem(name), text, FrontMatter(), hidden, form=found.kind, marks=marks)


def _hidden(section: Section) -> str:
    """Why a reader of the file does not see it; empty when they do."""
    if section.hidden:
        return section.hidden
    if section.metadata:
        return "metadata"
    place = section.place.rpartition("/")[2]
    return next((name.rpartition(" ")[2] for name in _ASIDES if place.startswith(name)), "")
