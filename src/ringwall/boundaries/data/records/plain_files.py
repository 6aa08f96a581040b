"""Cut JSON Lines, text, CSV and JSON files into chunks."""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from ringwall.core import DataError

from .chunk import LONGEST_ROW, TARGET, Chunk

_JSON_MOST = 64 * 1024 * 1024


def ranges(path: Path, name: str, kind: str) -> Iterator[Chunk]:
    """Ranges of whole lines of a file that isn't compressed. DataError when it can't be read."""
    number, at = 1, 0
    with opened(path, name) as file:
        for block in _blocks(file, name):
            yield Chunk(name, str(path), kind, number, at, len(block))
            number += block.count(b"\n")
            at += len(block)


def carried_lines(file: BinaryIO, name: str, kind: str = "jsonl") -> Iterator[Chunk]:
    """Lines of a stream, as chunks that carry them. DataError for a row without end."""
    number = 1
    for block in _blocks(file, name):
        yield Chunk(name, "", kind, number, 0, len(block), block)
        number += block.count(b"\n")


def _blocks(file: BinaryIO, name: str) -> Iterator[bytes]:
    """About a megabyte each, cut behind an end of line. A line without end is cut off at the longest row, and
    its chunk then tells that row as unreadable."""
    pending = b""
    while True:
        try:
            read = file.read(TARGET)
        except (OSError, EOFError, zlib.error):
            raise DataError(f"{name} is damaged: its compressed data can't be read to the end.") from None
        if not read:
            break
        pending += read
        cut = pending.rfind(b"\n") + 1
        if cut:
            yield pending[:cut]
            pending = pending[cut:]
        elif len(pending) > LONGEST_ROW:
            raise DataError(f"{name} has a row of more than {LONGEST_ROW // 1024 // 1024} MB: split it.")
    if pending:
        yield pending


def opened(path: Path, name: str) -> BinaryIO:
    """The file. DataError when it can't be opened."""
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{name} can't be read ({error.strerror}).") from None


def unpacked(file: BinaryIO, packed: bool) -> BinaryIO:
    """What a stream holds when it is compressed (gzip, RFC 1952)."""
    return gzip.GzipFile(fileobj=file, mode="rb") if packed else file  # type: ignore[return-value]


def csv_chunks(file: BinaryIO, name: str, delimiter: str = ",") -> Iterator[Chunk]:
    """Rows under the names of the first line, carried along as JSON Lines: a row may span lines.

    DataError when it is not UTF-8, has no header, names a column twice, or a row is longer than its header.
    """
    csv.field_size_limit(min(sys.maxsize, LONGEST_ROW))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    lines = _Lines(text, name)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 1
    try:
        header = next(reader, [])
        if not header or len(set(header)) != len(header):
            raise DataError(f"{name} needs a first line that names each column once.")
        pending: list[bytes] = []
        size = 0
        for row in reader:
            lines.begin()
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{name}, line {reader.line_num}: {len(row)} values under {len(header)} columns."
                )
            pending.append(orjson.dumps(dict(zip(header, row, strict=True))))
            size += len(pending[-1])
            if size > TARGET:
                yield _carried(name, number, pending)
                number, size, pending = number + len(pending), 0, []
        if pending:
            yield _carried(name, number, pending)
    except UnicodeDecodeError:
        raise DataError(f"{name}, near line {reader.line_num + 1}: it is not UTF-8.") from None
    except (csv.Error, OSError, EOFError, zlib.error, TypeError) as error:
        raise DataError(f"{name}, near line {reader.line_num + 1}: {error}.") from None
    finally:
        text.detach()  # the stream is the caller's


class _Lines:
    """Lines of a text as a CSV reader asks for them: of one row, no more than a row may have. A compressed
    file of some kilobytes may hold a line of gigabytes."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text = text
        self._name = name
        self._left = LONGEST_ROW

    def begin(self) -> None:
        """Another row."""
        self._left = LONGEST_ROW

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            size = LONGEST_ROW // 1024 // 1024
            raise DataError(f"{self._name} has a row of more than {size} MB: split it.")
        return line


def json_chunks(file: BinaryIO, name: str) -> Iterator[Chunk]:
    """An array of objects, in memory: DataError when it has more than 64 MB."""
    try:
        raw = file.read(_JSON_MOST + 1)
    except (OSError, EOFError, zlib.error):
        raise DataError(f"{name} is damaged: its compressed data can't be read to the end.") from None
    if len(raw) > _JSON_MOST:
        raise DataError(f"{name} has more than {_JSON_MOST // 1024 // 1024} MB: convert it to JSON Lines.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{name} is no JSON ({error}).") from None
    if not isinstance(value, list):
        raise DataError(f"{name} holds no array of rows: save one row to a line, as JSON Lines.")
    for start in range(0, len(value), 1000):
        try:
            rows = [orjson.dumps(row) for row in value[start : start + 1000]]
        except TypeError:  # what may be read deeper than it may be written
            raise DataError(f"{name}, row {start + 1} or one after it: it is nested too deep.") from None
        yield _carried(name, start + 1, rows)


def _carried(name: str, first: int, rows: list[bytes]) -> Chunk:
    data = b"\n".join(rows)
    return Chunk(name, "", "jsonl", first, 0, len(data), data)
