"""Every value of a row as a text to look at, and what its column's name says about it.

``123456789`` says nothing; in a column ``ssn`` it says all. A short value is therefore read behind the name
of its column, as a person reads a form. Whole numbers are read too: account numbers come as integers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SHORT = 128
"""Characters up to which a value is a cell rather than a text."""
_LONG_NUMBER = 10_000
_NO_NAME = frozenset({
    "answer", "chosen", "completion", "content", "context", "document", "from", "input", "instruction",
    "label", "output", "prompt", "query", "question", "rejected", "response", "role", "source_text",
    "target", "text", "title", "value",
})  # fmt: skip
"""Names that say what a text is for, not what is in it."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_JOINT = re.compile(r"[_\-.\s]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """``text[begin:]`` is the value."""

    place: str
    """Column or path, without the numbers of lists: ``messages[].content``."""
    text: str
    begin: int = 0


def cells(fields: Mapping[str, Any]) -> Iterator[Cell]:
    """Depth first, in order."""
    yield from _cells(fields, "", "")


def _cells(value: Any, place: str, name: str) -> Iterator[Cell]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _cells(inner, f"{place}.{key}" if place else str(key), str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _cells(inner, f"{place}[]", name)
    elif isinstance(value, str) and value:
        yield _cell(place, name, value)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG_NUMBER:
        yield _cell(place, name, str(value))


def _cell(place: str, name: str, value: str) -> Cell:
    if len(value) > _SHORT or name.lower() in _NO_NAME:
        return Cell(place, value)
    words = " ".join(_JOINT.sub(" ", _HUMP.sub(" ", name[:64])).split())
    return Cell(place, f"{words}: {value}", len(words) + 2) if words else Cell(place, value)
