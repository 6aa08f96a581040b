"""What verification reports, and how it walks through versions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ringwall.core import DataError

from .lines import Lines
from .tree import Entry

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was committed."""

    collection: str
    """Or a branch of it."""
    version: int
    """0 when it concerns the collection as a whole."""
    document: str
    """Cited name of the document (``document:…``), record (``record:…``) or pack (``pack:…``); empty when it
    concerns the version."""
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an entry, whatever version holds it."""

    name: str
    """As ``Damage.document``."""
    message: str


def walk(
    lines: Lines[E], line: str, look: Callable[[E], list[Problem]], seen: dict[str, list[Problem]]
) -> Iterator[Damage]:
    """Look at what each version of a line holds. ``seen``: results by part of a manifest, which versions
    share; keep it for all lines of a collection."""
    for version in lines.versions.all(line):
        try:
            tree = lines.tree(version)
        except DataError as error:
            yield Damage(line, version.number, "", str(error))
            continue
        for shard in tree.shards:
            if shard.blob not in seen:
                try:
                    entries = tree.part(shard)
                except DataError as error:
                    seen[shard.blob] = [Problem("", f"The manifest of {version.name} can't be read: {error}")]
                else:
                    seen[shard.blob] = [problem for entry in entries for problem in look(entry)]
            for problem in seen[shard.blob]:
                yield Damage(line, version.number, problem.name, problem.message)
