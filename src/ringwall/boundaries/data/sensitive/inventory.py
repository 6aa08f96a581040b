"""What sensitive data a collection holds: by class, by place, by contributor. No value is kept.

Streams: memory is bounded by the numbers of classes, places and contributors that are told apart, whatever
the number of rows. Two inventories of two halves add up to that of the whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..document import Document
from ..records import Record
from .cells import Cell, cells
from .spans import CLASSES, Span, gravity, inspect_batch, inspect_text, masked

__all__ = ["ClassCount", "Example", "Inventory", "inspect_batch", "inspect_text"]

OTHERS = "(others)"
"""Where places and contributors are counted that came when there were too many to tell apart."""
MOST_PLACES, MOST_CONTRIBUTORS, EXAMPLES = 500, 500, 3
"""Places and contributors told apart in each class; examples of each class."""
_ROWS, _CHARS = 2_000, 1 << 20


@dataclass(frozen=True, slots=True)
class Example:
    """Where to look, and the shape of what stands there."""

    record: str
    place: str
    masked: str


@dataclass
class ClassCount:
    """One class of data."""

    count: int = 0
    """Occurrences."""
    records: int = 0
    """Records or documents with at least one."""
    places: Counter[str] = field(default_factory=Counter)
    contributors: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


class Inventory:
    """Add rows or documents, then ask for the report."""

    def __init__(self, *, regions: Sequence[str] = ()) -> None:
        """``regions``: as for ``inspect_batch``."""
        self.records = self.characters = self.touched = 0
        """Records seen, characters read, and records in which something was found."""
        self.classes: dict[str, ClassCount] = {}
        self._regions = regions

    def add_records(self, records: Iterable[Record]) -> Iterator[int]:
        """Read all; gives the number of records so far after each batch, for a progress bar."""
        for batch in _batches(
            (record.id, record.source.contributor, cells(record.fields)) for record in records
        ):
            self._batch(batch)
            yield self.records

    def add_documents(self, documents: Iterable[Document]) -> Iterator[int]:
        """As ``add_records``; the places are title, text, and what is hidden in it."""
        rows = ((one.id, one.contributor, _parts(one)) for one in documents)
        for batch in _batches(rows):
            self._batch(batch)
            yield self.records

    def merge(self, other: "Inventory") -> None:
        """Add what another one saw of other records."""
        self.records += other.records
        self.characters += other.characters
        self.touched += other.touched
        for cls, theirs in other.classes.items():
            mine = self.classes.setdefault(cls, ClassCount())
            mine.count += theirs.count
            mine.records += theirs.records
            mine.rules.update(theirs.rules)
            for place, count in theirs.places.items():
                _count(mine.places, place, MOST_PLACES, count)
            for name, count in theirs.contributors.items():
                _count(mine.contributors, name, MOST_CONTRIBUTORS, count)
            shown = {one.place for one in mine.examples}
            new = [one for one in theirs.examples if one.place not in shown]
            mine.examples = [*mine.examples, *new][:EXAMPLES]

    def report(self) -> dict[str, Any]:
        """Plain data, classes with the gravest and most frequent first."""
        ranks = {"high": 0, "medium": 1, "low": 2}
        found = sorted(self.classes.items(), key=lambda one: (ranks[gravity(one[0])], -one[1].count, one[0]))
        return {
            "records": self.records,
            "characters": self.characters,
            "records_with_findings": self.touched,
            "classes": [
                {
                    "class": cls,
                    "meaning": CLASSES.get(cls, ""),
                    "sensitivity": str(gravity(cls)),
                    "count": one.count,
                    "records": one.records,
                    "places": dict(one.places.most_common()),
                    "contributors": dict(one.contributors.most_common()),
                    "rules": dict(one.rules.most_common()),
                    "examples": [
                        {"record": e.record, "place": e.place, "masked": e.masked} for e in one.examples
                    ],
                }
                for cls, one in found
            ],
        }

    def _batch(self, rows: Sequence[tuple[str, str, list[Cell]]]) -> None:
        spans = iter(inspect_batch([cell.text for _, _, own in rows for cell in own], regions=self._regions))
        for record, contributor, own in rows:
            self.records += 1
            seen: set[str] = set()
            for cell in own:
                self.characters += len(cell.text) - cell.begin
                for span in next(spans):
                    if span.end > cell.begin:
                        seen.add(span.cls)
                        self._found(span, cell, record)
            self.touched += bool(seen)
            for cls in seen:
                self.classes[cls].records += 1
                _count(self.classes[cls].contributors, contributor or "(unknown)", MOST_CONTRIBUTORS)

    def _found(self, span: Span, cell: Cell, record: str) -> None:
        one = self.classes.setdefault(span.cls, ClassCount())
        one.count += 1
        one.rules[span.rule] += 1
        new = cell.place not in one.places
        _count(one.places, cell.place, MOST_PLACES)
        if new and len(one.examples) < EXAMPLES:
            value = cell.text[max(span.start, cell.begin) : span.end]
            one.examples.append(Example(record, cell.place, masked(value)))


def _count(counts: Counter[str], name: str, most: int, times: int = 1) -> None:
    counts[name if name in counts or len(counts) < most else OTHERS] += times


def _parts(document: Document) -> Iterator[Cell]:
    for place, text in (("title", document.title), ("text", document.text), ("hidden", document.hidden)):
        if text:
            yield Cell(place, text)


def _batches(
    rows: Iterable[tuple[str, str, Iterator[Cell]]],
) -> Iterator[list[tuple[str, str, list[Cell]]]]:
    batch: list[tuple[str, str, list[Cell]]] = []
    chars = 0
    for record, contributor, given in rows:
        own = list(given)
        batch.append((record, contributor, own))
        chars += sum(len(cell.text) for cell in own)
        if len(batch) >= _ROWS or chars >= _CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
