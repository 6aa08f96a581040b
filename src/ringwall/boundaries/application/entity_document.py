"""The document of a source of known entities, read strictly."""

import json
from collections.abc import Mapping
from typing import TypeAlias

from .directory import entries
from .entities import EntitySet
from .entity_settings import EntityFields
from .strict_json import Bounds, read_strictly

Named: TypeAlias = Mapping[str, tuple[str, ...]]
"""Kind of entity, as in ``known_entities`` → values, sorted."""

MAX_ENTITIES = 50_000
"""Of one answer."""
_MAX_CHARACTERS = 1_000
"""Of one entity; a longer one is not taken."""
_NOT_IN_HOSTS = frozenset("@/\\:*")
_MAX_DEPTH = 16
_MAX_VALUES = 1_000_000


class TooManyError(ValueError):
    """The document names more than ``MAX_ENTITIES``."""


def read_document(text: str, fields: EntityFields, most_characters: int) -> Named:
    """What the document names. Raises NotStrict or TooManyError, with words that repeat none of it."""
    data = read_strictly(text, Bounds("its contents", most_characters, _MAX_DEPTH, _MAX_VALUES))
    named: dict[str, tuple[str, ...]] = {}
    left = MAX_ENTITIES
    for kind, keys in fields:
        found: set[str] = set()
        for value in entries(data, keys) if keys else ():
            if _usable(kind, value.strip()):
                found.add(value.strip())
            if len(found) > left:
                raise TooManyError(f"its contents name more than {MAX_ENTITIES} entities")
        left -= len(found)
        named[kind] = tuple(sorted(found))
    return named


def _usable(kind: str, value: str) -> bool:
    """A service opens no pattern of hosts, and no domain by one of its mailboxes or pages."""
    if kind in ("hosts", "email_domains") and not _NOT_IN_HOSTS.isdisjoint(value):
        return False
    return 0 < len(value) <= _MAX_CHARACTERS


def count(named: Named) -> int:
    return sum(map(len, named.values()))


def stored(named: Named) -> bytes:
    """The one form of equal content."""
    return json.dumps(named, sort_keys=True, separators=(",", ":")).encode()


def restored(content: bytes) -> Named:
    """What ``stored`` was given."""
    return {kind: tuple(values) for kind, values in json.loads(content).items()}


def compared(named: Named) -> EntitySet:
    """In the forms that entities are compared in."""
    return EntitySet.of(**named)
