"""What was found in a file, and the budget that reading it may use."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_PLACE = re.compile(r"[^\w.() -]")
_MOST_SECTIONS = 5000


class Refused(Exception):
    """The file is not read any further. ``code`` as in ``Mark``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file with everything inside it."""

    bytes: int = 10_000_000
    """Size as sent."""
    inflated: int = 100_000_000
    """Bytes of everything that was compressed inside, together."""
    chars: int = 1_000_000
    """Characters of all texts together."""
    pages: int = 200
    """Pages, sheets or slides."""
    pixels: int = 20_000_000
    """Pixels of one picture."""
    frames: int = 4
    """Frames of one picture that are read; the rest is marked as unread."""
    pictures: int = 8
    """Pictures inside one document that are read; the rest is marked as unread."""
    entries: int = 2000
    """Files in one archive, or objects in a PDF divided by ten."""
    depth: int = 3
    """Files in files in files."""
    operations: int = 2_000_000
    """Operations that paint the pages of a PDF, each as often as it is carried out."""


@dataclass(frozen=True, slots=True)
class Section:
    """One text, with the place where it stands."""

    place: str
    """Such as ``page=3`` or ``metadata``; of a file inside the file, ``notes.docx/comments``."""
    text: str
    hidden: str = ""
    """Why somebody who looks at the file does not see it: ``invisible``, ``white``…; empty when they do."""
    metadata: bool = False
    """Not of the content itself: goes nowhere unless the file goes as it is."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Something about the file that is no text."""

    code: str
    """``macros``, ``active-content``, ``trailing-data``…: the keys of ``told.MESSAGES``."""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was found."""

    kind: str
    """By content: ``pdf``, ``docx``, ``png``…; see ``sniff``."""
    sections: tuple[Section, ...] = ()
    marks: tuple[Mark, ...] = ()
    refused: str = ""
    """Code of why it was not read to the end; empty when it was."""
    picture: bytes = b""
    """A picture encoded anew from what was read of it: no metadata, one frame, nothing behind its end."""
    picture_type: str = ""
    """Media type of ``picture``."""


Ocr = Callable[[Any], str]
"""Text in a picture (``PIL.Image.Image``)."""


@dataclass
class Job:
    """One file being read. Mutable; goes through all readers of what is inside it."""

    limits: Limits
    ocr: Ocr | None = None
    """None: pictures are marked as unread."""
    sections: list[Section] = field(default_factory=list)
    marks: set[Mark] = field(default_factory=set)
    prefix: str = ""
    depth: int = 0
    inflated: int = 0
    chars: int = 0
    pictures: int = 0
    operations: float = 0
    aside: str = ""
    """Why nothing of the file inside that is being read is seen; empty for what is."""

    def say(self, place: str, text: str, hidden: str = "", *, metadata: bool = False) -> None:
        """Keep a text. Raises Refused beyond the limit of characters."""
        text = text.replace("\x00", " ").strip()
        if not text:
            return
        self.chars += len(text)
        if self.chars > self.limits.chars or len(self.sections) >= _MOST_SECTIONS:
            raise Refused("limit")
        self.sections.append(Section(self.prefix + place, _encodable(text), hidden or self.aside, metadata))

    def mark(self, code: str, place: str = "") -> None:
        self.marks.add(Mark(code, self.prefix + place))

    def inflate(self, count: int) -> None:
        """Account for decompressed bytes. Raises Refused beyond the limit."""
        self.inflated += count
        if self.inflated > self.limits.inflated:
            raise Refused("limit")

    def operate(self, count: float) -> None:
        """Account for operations. Raises Refused beyond the limit."""
        self.operations += count
        if self.operations > self.limits.operations:
            raise Refused("limit")

    def picture_due(self) -> bool:
        """Whether one more picture inside a document may be read."""
        self.pictures += 1
        return self.pictures <= self.limits.pictures


def place(name: str) -> str:
    """A name from inside a file, fit to stand in the name of a part."""
    return _PLACE.sub("_", unicodedata.normalize("NFKC", name))[:60] or "_"


def _encodable(text: str) -> str:
    """Surrogates that belong together joined, lone ones replaced: they can't be sent on."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
