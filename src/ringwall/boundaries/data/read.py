"""Bytes of a plain text, Markdown or HTML file to text, title, access list, terms and hidden text."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml
from pydantic import ConfigDict, Field, ValidationError

from ringwall.core import DataError, Settings
from ringwall.detect.pages import Hidden, read_html, read_markdown

_FRONT_MATTER = 8192  # characters; far more than an access list needs


class FrontMatter(Settings):
    """What a document may say of itself between two ``---`` lines at its top (YAML or JSON).

    Unknown keys are refused: a mistyped ``readers`` must not leave a document open.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, strict=True)

    title: str = Field(default="", max_length=300)
    """Name that people see."""
    readers: list[str] = Field(default_factory=list, max_length=200)
    """Roles, and persons as ``subject:ID``. Narrows the collection's readers."""
    sensitivity: list[str] = Field(default_factory=list, max_length=50)
    """Data classes, added to the collection's."""
    source: str = Field(default="", max_length=2000)
    """Where the text came from, when not from this file."""
    licence: str = Field(default="", max_length=200)
    """SPDX expression."""
    consent: str = Field(default="", max_length=1000)
    """On what ground the persons in it agreed, or why none is needed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says."""

    title: str
    text: str
    front: FrontMatter
    hidden: tuple[Hidden, ...] = ()
    form: str = ""
    """What was read, when it was no text file: ``pdf``, ``docx``…"""
    marks: tuple[str, ...] = ()
    """What else there is about the file: codes of ``detect.files.told.MESSAGES``."""

    @property
    def hidden_text(self) -> str:
        """One line for each hidden piece: ``[how] text``."""
        return "\n".join(f"[{piece.how}] {piece.text}" for piece in self.hidden)


def read(raw: bytes, name: str) -> Reading:
    """Read a file by the ending of its name (``.html``, ``.htm``; ``.md``, ``.markdown``; else plain text).

    Raises DataError when it is not UTF-8, or its front matter is not understood.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{short(name)} is not UTF-8 text (byte {error.start}): convert it and add it again."
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = _front_matter(text, name)
    ending = PurePosixPath(name.lower()).suffix
    if ending in (".html", ".htm", ".xhtml"):
        page = read_html(body)
        return Reading(front.title or page.title or stem(name), page.text, front, tuple(page.hidden))
    if ending in (".md", ".markdown"):
        shown, hidden = read_markdown(body)
        return Reading(front.title or _heading(shown) or stem(name), shown.strip(), front, tuple(hidden))
    return Reading(front.title or stem(name), body.strip(), front)


def _front_matter(text: str, name: str) -> tuple[FrontMatter, str]:
    if not text.startswith("---\n"):
        return FrontMatter(), text
    end = text.find("\n---\n", 3, _FRONT_MATTER)
    if end < 0 and text.endswith("\n---") and len(text) <= _FRONT_MATTER:
        end = len(text) - 4
    if end < 0:
        raise DataError(
            f"{short(name)} starts with '---' but its front matter has no closing '---' line "
            f"within {_FRONT_MATTER} characters."
        )
    try:
        given = _plain_yaml(text[4 : end + 1])
        front = FrontMatter.model_validate(given or {})
    except yaml.YAMLError:
        raise DataError(f"The front matter of {short(name)} is not valid YAML.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the whole"
        known = ", ".join(FrontMatter.model_fields)
        raise DataError(
            f"The front matter of {short(name)} is not understood at {place[:80]!r}: {first['msg']}. "
            f"Known keys: {known}."
        ) from None
    return front, text[end + 5 :]


def _plain_yaml(text: str) -> Any:
    """YAML without anchors and aliases, which expand without bound, and without deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > 8:
            raise yaml.YAMLError("nested too deep")
    try:
        return yaml.safe_load(text)
    except (ValueError, TypeError, RecursionError):  # an impossible date, an unhashable key
        raise yaml.YAMLError("a value is not understood") from None


def _heading(text: str) -> str:
    for line in text.split("\n", 40)[:40]:
        if line.startswith("# "):
            return line[2:].strip()[:300]
    return ""


def stem(name: str) -> str:
    """A title made of a file's name."""
    return PurePosixPath(name.replace("\\", "/")).stem.replace("-", " ").replace("_", " ")[:300] or "document"


def short(name: str) -> str:
    """A name fit for a message: printable, not long."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name[:120])
    return f"'{clean}'"
