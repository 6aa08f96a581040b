"""Expansion of the template files: every text with seeded choices for its slots."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .rows import Row

TEMPLATES = Path(__file__).parent / "templates"
_SLOT = re.compile(r"\{\{|\}\}|\{(\w{1,60})\}")
_DEEPEST = 8
TIMES = 6
"""Rows made of a text with slots, unless its item says ``times``."""
LICENCE = "Apache-2.0"


class TemplateError(ValueError):
    """A template file can't be used; says which one and why."""


def expand(folder: Path = TEMPLATES, seed: int = 1) -> Iterator[Row]:
    """All rows of all template files, in a fixed order for a seed. Raises TemplateError."""
    for path in sorted(folder.glob("*.yaml")):
        yield from _file(path, random.Random(f"{seed}:{path.name}"))


def _file(path: Path, chance: random.Random) -> Iterator[Row]:
    loaded = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    shared = loaded.get("shared") or {}
    for number, item in enumerate(loaded["items"]):
        slots = {**shared, **(item.get("slots") or {})}
        for at, text in enumerate(item["texts"]):
            where = f"{path.name}: item {number}, text {at}"
            yield from _text(str(text), slots, item, loaded["source"], where, chance)


def _text(
    text: str,
    slots: Mapping[str, Any],
    item: Mapping[str, Any],
    source: str,
    where: str,
    chance: random.Random,
) -> Iterator[Row]:
    seen: set[str] = set()
    for _ in range(int(item.get("times", TIMES)) if _SLOT.search(text) else 1):
        filled = fill(text, slots, chance, where)
        if filled not in seen:
            seen.add(filled)
            yield Row(filled, int(item["label"]), source, LICENCE, item["kind"], item.get("lang", "en"))


def fill(
    text: str, slots: Mapping[str, Sequence[Any]], chance: random.Random, where: str, depth: int = 0
) -> str:
    """The text with each slot replaced by one of its fillers, drawn anew at each place."""
    if depth > _DEEPEST:
        raise TemplateError(f"{where}: slots hold each other")

    def one(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        if found[1] not in slots:
            raise TemplateError(f"{where}: no slot named {found[1]!r}")
        return fill(str(chance.choice(slots[found[1]])), slots, chance, where, depth + 1)

    return _SLOT.sub(one, text)
