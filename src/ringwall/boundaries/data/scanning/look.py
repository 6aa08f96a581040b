"""What the scan of a data set looks for in one chunk of rows. Runs in any process; knows of no other row."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from ringwall.core import DataError
from ringwall.detect import personal

from ..records import Chunk, Record, record_of, rows_of
from ..signals import invisible, scan

_DOUBT = 0.5  # score from which a text that gives orders is told, as ``data.scan`` holds documents
_MOST_OF_A_ROW = 100  # findings told of one row; a row with more is bad enough


@dataclass(frozen=True, slots=True)
class Looked:
    """What one chunk showed."""

    rows: int = 0
    unreadable: int = 0
    flagged: int = 0
    """Rows with at least one finding."""
    classes: Counter[str] = field(default_factory=Counter)
    """Findings by class."""
    lines: bytes = b""
    """The findings, a line of JSON each, in the order of rows and places."""


@cache
def warm() -> None:
    """Compile the rules: once a process, at its start."""
    scan("")
    personal.find("")


def look(chunk: Chunk) -> Looked:
    """Look at every text of every row. The same chunk gives the same bytes, wherever it is looked at.

    DataError when the file can't be read any more; a row that can't be read is a finding, not an error.
    """
    rows = unreadable = flagged = 0
    classes: Counter[str] = Counter()
    lines: list[bytes] = []
    for row in rows_of(chunk):
        rows += 1
        try:
            record = record_of(row.fields) if row.fields is not None else None
            problem = row.problem
        except DataError as error:
            record, problem = None, str(error)
        found = list(_findings(record)) if record else [{"class": "unreadable", "rule": problem}]
        unreadable += record is None
        flagged += bool(found)
        where = {"file": chunk.file, "row": row.number, "id": record.id if record else ""}
        for one in found[:_MOST_OF_A_ROW]:
            lines.append(orjson.dumps({**where, **one}, option=orjson.OPT_APPEND_NEWLINE))
            classes[one["class"]] += 1
    return Looked(rows, unreadable, flagged, classes, b"".join(lines))


def _findings(record: Record) -> Iterator[dict[str, Any]]:
    """Places and rules, never what stands there: the report may be seen by more people than the data."""
    for place, text in record.texts():
        yield from _told(place, (one for one in scan(text) if one.score >= _DOUBT))
        yield from _told(place, invisible(text))
        yield from _told(place, personal.find(text))


def _told(place: str, seen: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for one in seen:
        finding = {"place": place, "class": one.cls, "rule": one.rule, "score": one.score}
        yield {**finding, "start": one.start, "end": one.end} | ({"view": one.view} if one.view else {})
