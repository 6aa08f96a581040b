"""What must be installed for the kinds of files that a workload takes."""

import importlib.util
import shutil
from collections.abc import Iterable

from ..file_settings import FileSettings

TESSERACT = "tesseract"
_MODULES = {
    "image": ("PIL",),
    "pdf": ("pypdf", "PIL"),
    "svg": ("defusedxml",),
    **dict.fromkeys(("docx", "xlsx", "pptx", "odt", "ods", "odp"), ("defusedxml", "PIL")),
}


def missing(settings: FileSettings, accept: Iterable[str]) -> str:
    """One sentence on what is not installed and is needed to read what requests may carry; else empty.
    ``accept``: the kinds of parts that the application takes."""
    taken = set(accept)
    kinds = (
        set(settings.accept)
        if "file" in taken
        else set(settings.accept) & {"image"}
        if "image" in taken
        else set()
    )
    for kind in sorted(kinds):
        for module in _MODULES.get(kind, ()):
            if importlib.util.find_spec(module) is None:
                return (
                    f"{kind} files can't be read: install ringwall[files], "
                    f"or take {kind!r} out of interface.files.accept"
                )
    if "image" in taken and "image" in kinds and settings.ocr == TESSERACT and engine() is None:
        return (
            "text in images can't be read: install tesseract (Debian: tesseract-ocr), "
            "or take 'image' out of the application's accept"
        )
    return ""


def engine() -> str | None:
    """Path of the OCR engine."""
    return shutil.which(TESSERACT)
