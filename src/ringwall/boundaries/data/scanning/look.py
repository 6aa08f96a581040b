"""What the scan of a data set looks for in one chunk of rows. Runs in any process; knows of no other row."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import orjson

from ringwall.core import DataError

from ..records import Chunk, NeedsExtraError, Record, Row, record_of, rows_of
from ..sensitive.spans import inspect_batch
from ..signals import INSTRUCTION, Signal, invisible, scan_row, scan_rows

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
    for text in ("warm", "w\u00e4rm"):
        scan_row(text)
        scan_rows([text])
        inspect_batch([text])


def look(chunk: Chunk, decode: bool = False) -> Looked:
    """Look at every text of every row. The same chunk gives the same bytes, wherever it is looked at.

    ``decode``: orders to a model also in what somebody encoded (Base64, leetspeak, reversed words…).
    DataError when the file can't be read any more; a row that can't be read is a finding, not an error.
    """
    read = [_read(row) for row in _rows(chunk)]
    texts = [
        (at, place, text) for at, (record, _) in enumerate(read) if record for place, text in record.texts()
    ]
    every = [text for _, _, text in texts]
    orders = map(scan_row, every) if decode else scan_rows(every)
    found: list[list[dict[str, Any]]] = [[] for _ in read]
    for (at, place, text), seen, spans in zip(texts, orders, inspect_batch(every), strict=True):
        found[at] += _told(place, (one for one in seen if _orders(one)))
        found[at] += _told(place, invisible(text))
        found[at] += _told(place, spans)
    return _looked(chunk, read, found)


def _rows(chunk: Chunk) -> Iterator[Row]:
    """Of a table also when a part of it is damaged: that is told as a row, the last one of its chunk."""
    try:
        yield from rows_of(chunk)
    except DataError as error:
        if isinstance(error, NeedsExtraError) or chunk.kind not in ("parquet", "arrow"):
            raise
        yield Row(0, None, str(error))


def _looked(chunk: Chunk, read: list[tuple[Record | None, Row]], found: list[list[dict[str, Any]]]) -> Looked:
    classes: Counter[str] = Counter()
    lines: list[bytes] = []
    unreadable = 0
    for (record, row), findings in zip(read, found, strict=True):
        if record is None:
            unreadable += 1
            findings.append({"class": "unreadable", "rule": row.problem})
        where = {"file": chunk.file, "row": row.number, "id": record.id if record else ""}
        for one in findings[:_MOST_OF_A_ROW]:
            lines.append(orjson.dumps({**where, **one}, option=orjson.OPT_APPEND_NEWLINE))
            classes[one["class"]] += 1
    return Looked(len(read), unreadable, sum(map(bool, found)), classes, b"".join(lines))


def _read(row: Row) -> tuple[Record | None, Row]:
    if row.fields is None:
        return None, row
    try:
        return record_of(row.fields), row
    except DataError as error:
        return None, replace(row, problem=str(error))


def _orders(one: Signal) -> bool:
    return one.cls.split(".")[0] in INSTRUCTION and one.score >= _DOUBT


def _told(place: str, seen: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Places and rules, never what stands there: the report may be seen by more people than the data."""
    for one in seen:
        finding = {"place": place, "class": one.cls, "rule": one.rule, "score": one.score}
        view = getattr(one, "view", "")
        yield {**finding, "start": one.start, "end": one.end} | ({"view": view} if view else {})
