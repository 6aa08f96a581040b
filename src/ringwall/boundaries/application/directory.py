"""Directories: tools that the workload names as such, and whose results say who and what is its own.

Agents rightly take a recipient from an address book and a file from a listing. Only the named fields count:
a text field beside them may hold anything that an outsider wrote.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

from ringwall.core import Part, PartKind

from .settings import Directory

MAX_CHARACTERS = 400_000
"""Of one result; a longer one names nothing."""
MAX_VALUES = 10_000
"""Of one result."""
_MAX_DEPTH = 16


class Directories:
    """What the directories of a workload name. Immutable."""

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._fields = {one.tool: one.fields for one in directories}

    def listed(self, content: Iterable[Part]) -> frozenset[str]:
        """Values that results among this content name, without regard to case and outer spaces."""
        if not self._fields:
            return frozenset()
        return frozenset().union(
            *(
                _values(part.text, self._fields[part.name])
                for part in content
                if part.kind is PartKind.TOOL_RESULT and part.name in self._fields
            )
        )


@lru_cache(maxsize=512)
def _values(text: str, fields: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    document = _read(text)
    if not fields and not isinstance(document, list):
        return frozenset()
    # What stands deeper in a list without fields may be what an outsider wrote.
    for value in entries(document, fields) if fields else _scalars(document):
        found.add(value.strip().lower())
        if len(found) > MAX_VALUES:
            return frozenset()
    return frozenset(found - {""})


def entries(value: Any, fields: frozenset[str]) -> Iterator[str]:
    """What stands under these keys, at any depth; without keys, in every list."""
    return _entries(value, fields, 0)


def _entries(value: Any, fields: frozenset[str], depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in fields:
                yield from _scalars(inner)
            else:
                yield from _entries(inner, fields, depth + 1)
    elif isinstance(value, list):
        if not fields:
            yield from _scalars(value)
        for inner in value:
            yield from _entries(inner, fields, depth + 1)


def _scalars(value: Any) -> Iterator[str]:
    # Of a mapping the keys are the entities: {anna@shop.example: may read}.
    for one in value if isinstance(value, (list, Mapping)) else (value,):
        if isinstance(one, (str, int, float)) and not isinstance(one, bool):
            yield str(one)


def _read(text: str) -> Any:
    """JSON, or YAML without references; None for anything else."""
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader) if _plain_yaml(text) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _plain_yaml(text: str) -> bool:
    """Without aliases, which make a short text a huge value, and not too deep."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            return False
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return False
    return True
