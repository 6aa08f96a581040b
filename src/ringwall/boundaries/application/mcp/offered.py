"""A tool as a server describes it: what is pinned, how it is compared, and what of it is passed on."""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ringwall.detect.invisible import smuggled

MAX_BYTES = 64_000
"""Longest manifest of one tool, as canonical JSON."""
_DIFF_LINES = 400
_TOLD = frozenset({"description", "title", "$comment"})
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_MOST = 64


@dataclass(frozen=True)
class Offered:
    """What the server says of one tool. Everything else that it may say (titles, icons, its own metadata) is
    neither pinned nor passed on."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    annotations: Mapping[str, Any]
    output: Mapping[str, Any] | None = None
    """Schema of structured results."""

    @classmethod
    def read(cls, text: str) -> "Offered":
        """Back from ``text``."""
        return cls(**json.loads(text))

    @cached_property
    def text(self) -> str:
        """Canonical JSON: keys sorted, no blanks, ASCII."""
        plain = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
            "annotations": self.annotations,
            "output": self.output,
        }
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it, hexadecimal: what an approval is bound to."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def told(self) -> str:
        """Every word that a model or a person would read, for detectors."""
        rest = json.dumps([self.parameters, self.output], ensure_ascii=False)
        return f"{self.name}\n{self.description}\n{rest}"

    def lines(self) -> list[str]:
        """For people: one fact a line, hiding characters spelt out."""
        said = [f"description: {line}" for line in self.description.splitlines() or [""]]
        shapes = {"annotations": self.annotations, "parameters": self.parameters, "output": self.output}
        for name, shape in shapes.items():
            said += f"{name}: {json.dumps(shape, indent=2, sort_keys=True, ensure_ascii=False)}".splitlines()
        return [visible(line) for line in (f"name: {self.name}", *said)]


def difference(before: Offered | None, after: Offered | None) -> list[str]:
    """Lines of a unified diff; empty when both say the same."""
    old, new = (side.lines() if side else [] for side in (before, after))
    found = list(difflib.unified_diff(old, new, "approved", "offered now", lineterm="", n=2))
    if len(found) > _DIFF_LINES:
        found = [*found[:_DIFF_LINES], f"… {len(found) - _DIFF_LINES} more lines"]
    return found


def registry_name(server: str, tool: str) -> str:
    """Name of the tool in this workload: ``server__tool``; where that is no safe name, a shortened one that
    ends in a hash. Server names hold no underscore, so no two tools share one."""
    name = f"{server}__{tool}"
    if _SAFE.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_UNSAFE.sub('_', name)[: _MOST - 9]}_{mark}"


def visible(text: str) -> str:
    """Every character that hides, or that a terminal would obey, by its number."""
    hidden = {at for start, end, _ in smuggled(text) for at in range(start, end)}
    return "".join(
        char if at not in hidden and (char.isprintable() or char == "\n") else f"␣U+{ord(char):04X}"
        for at, char in enumerate(text)
    )


def cleaned(text: str) -> str:
    """The text without them."""
    hidden = {at for start, end, _ in smuggled(text) for at in range(start, end)}
    return "".join(
        char
        for at, char in enumerate(text)
        if at not in hidden and (char in "\n\t" or (ord(char) >= 32 and not 127 <= ord(char) < 160))
    )


def cleaned_schema(schema: Any) -> Any:
    """The schema with its explanations cleaned; names, choices and patterns mean what they say and stay."""
    if isinstance(schema, Mapping):
        return {
            key: cleaned(value) if key in _TOLD and isinstance(value, str) else cleaned_schema(value)
            for key, value in schema.items()
        }
    if isinstance(schema, (list, tuple)):
        return [cleaned_schema(item) for item in schema]
    return schema
