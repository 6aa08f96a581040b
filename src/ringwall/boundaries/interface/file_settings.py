"""``interface.files``: which files requests may carry, how they are read, and what of them is passed on."""

from typing import Literal

from pydantic import Field

from ringwall.core import Settings
from ringwall.detect.files import Limits

FileKind = Literal[
    "image", "pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "rtf", "html", "text", "eml", "svg", "zip"
]
Code = Literal[
    "active-content",
    "embedded-file",
    "embedded-object",
    "external-link",
    "frames",
    "macros",
    "mismatch",
    "polyglot",
    "program",
    "script",
    "trailing-data",
    "unread",
]


class FileSettings(Settings):
    """Files in requests. Only applications with ``image`` or ``file`` in their ``accept`` take any."""

    accept: tuple[FileKind, ...] = (
        "image", "pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "rtf", "html", "text", "eml",
    )  # fmt: skip
    """Kinds that are taken, by content and never by name. ``image``: PNG, JPEG, GIF, WebP, BMP, TIFF.
    ``text``: plain text, Markdown, CSV, JSON."""
    documents: Literal["text", "original"] = "text"
    """What the model is given of a document: the text that was read, which is what the controls saw, or the
    file itself, which passes only when no control changes anything in it."""
    images: Literal["re-encode", "text", "original"] = "re-encode"
    """And of an image. ``re-encode``: the pixels alone, in a new file. ``text``: what was read in it."""
    on_hidden_text: Literal["block", "strip", "annotate"] = "strip"
    """Text that a reader of the file does not see: refuse the file, leave that text out, or only record it.
    Where the file itself is passed on, ``strip`` refuses it."""
    allow: tuple[Code, ...] = ()
    """Findings that are only put on record where they would refuse the file."""
    ocr: Literal["tesseract", "none"] = "tesseract"
    """Reads text in pictures. With ``none`` no control sees them: enforce mode then takes no images."""
    ocr_languages: tuple[str, ...] = Field(default=("eng",), min_length=1, max_length=8)
    """Languages that tesseract is given, by its own names."""
    max_bytes: int = Field(default=10_000_000, ge=1_000, le=50_000_000)
    """Largest file, in bytes. ``interface.limits.body_bytes`` must leave room for a third more."""
    max_inflated: int = Field(default=100_000_000, ge=10_000, le=1_000_000_000)
    """Bytes that everything packed in one file may come to."""
    max_chars: int = Field(default=1_000_000, ge=1_000, le=20_000_000)
    """Characters of all texts of one file. ``interface.limits.text_chars`` bounds the whole request."""
    max_pages: int = Field(default=200, ge=1, le=5_000)
    """Pages, sheets or slides of one file."""
    max_pixels: int = Field(default=20_000_000, ge=10_000, le=200_000_000)
    """Pixels of one picture."""
    seconds: float = Field(default=20.0, gt=0, le=120)
    """Time that reading one file may take."""
    memory_mb: int = Field(default=1_024, ge=512, le=16_384)
    """Memory that reading one file may take, in megabytes."""

    @property
    def limits(self) -> Limits:
        return Limits(
            bytes=self.max_bytes,
            inflated=self.max_inflated,
            chars=self.max_chars,
            pages=self.max_pages,
            pixels=self.max_pixels,
        )
