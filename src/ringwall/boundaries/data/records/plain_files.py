"""Cut JSON Lines, text, CSV and JSON files into chunks."""

import codecs
import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson
import zstandard

from ringwall.core import DataError

from .chunk import LONGEST_ROW, TARGET, Chunk, row_of_json
from .twice import TWICE, names_twice

_LINE_MOST = 1024 * 1024 * 1024
_WINDOW = 1 << 27
_QUOTED = re.compile(r'"[^"]{0,5000}"')
_JSON_MOST = 64 * 1024 * 1024


def ranges(path: Path, name: str, kind: str) -> Iterator[Chunk]:
    """Ranges of whole lines of a file that isn't compressed. DataError when it can't be read."""
    number, at = 1, 0
    with opened(path, name) as file:
        for block, size in _blocks(file, name):
            yield Chunk(name, str(path), kind if block else "long", number, at, size)
            number += block.count(b"\n") if block else 1
            at += size


def carried_lines(file: BinaryIO, name: str, kind: str = "jsonl") -> Iterator[Chunk]:
    """Lines of a stream, as chunks that carry them."""
    number = 1
    for block, size in _blocks(file, name):
        yield Chunk(name, "", kind if block else "long", number, 0, size, block)
        number += block.count(b"\n") if block else 1


def _blocks(file: BinaryIO, name: str) -> Iterator[tuple[bytes, int]]:
    """Whole lines, about a quarter of a megabyte at a time, and how many bytes they are. A line that is
    longer than rows may be comes alone, and without its bytes. DataError for one that has no end: a
    compressed file of some megabytes may hold it."""
    pending, passed = b"", 0
    """``passed``: bytes of a line that is too long, so far."""
    while read := _read(file, name):
        if passed:
            end = read.find(b"\n") + 1
            passed += end or len(read)
            if passed > _LINE_MOST:
                raise DataError(f"{name} has a row of more than {_LINE_MOST // 1024 // 1024} MB: split it.")
            if not end:
                continue
            yield b"", passed
            read, passed = read[end:], 0
        pending += read
        cut = pending.rfind(b"\n") + 1
        if cut:
            yield pending[:cut], cut
            pending = pending[cut:]
        elif len(pending) > LONGEST_ROW:
            pending, passed = b"", len(pending)
    if passed:
        yield b"", passed
    if pending:
        yield pending, len(pending)


def _read(file: BinaryIO, name: str) -> bytes:
    try:
        return file.read(TARGET)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        raise DataError(f"{name} is damaged: its compressed data can't be read to the end.") from None


def opened(path: Path, name: str) -> BinaryIO:
    """The file. DataError when it can't be opened."""
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{name} can't be read ({error.strerror}).") from None


def unpacked(file: BinaryIO, packed: str) -> BinaryIO:
    """What a stream holds that is compressed: ``.gz`` (RFC 1952), ``.zst`` (RFC 8878), or not at all."""
    if packed == ".zst":
        opener = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        return io.BufferedReader(opener.stream_reader(file, read_across_frames=True))
    return gzip.GzipFile(fileobj=file, mode="rb") if packed else file  # type: ignore[return-value]


def csv_chunks(file: BinaryIO, name: str, delimiter: str = "") -> Iterator[Chunk]:
    """Rows under the names of the first line, carried along as JSON Lines: a row may span lines. Left out,
    the delimiter is what parts the first line: a comma, a semicolon, a tab or a bar.

    DataError when it is neither UTF-8 nor UTF-16 with its mark, has no header, names a column twice, or a row
    is longer than its header.
    """
    csv.field_size_limit(min(sys.maxsize, LONGEST_ROW))
    buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
    number = 1
    reader, text, lines = None, None, None
    try:
        wide = buffered.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        text = io.TextIOWrapper(buffered, "utf-16" if wide else "utf-8-sig", newline="")
        lines = _Lines(text, name)
        reader = csv.reader(lines, delimiter=delimiter or lines.delimiter(), strict=True)
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
    except UnicodeError:
        line = reader.line_num + 1 if reader else 1
        raise DataError(f"{name}, near line {line}: it is not UTF-8.") from None
    except (csv.Error, OSError, EOFError, zlib.error, zstandard.ZstdError, TypeError) as error:
        line = reader.line_num + 1 if reader else 1
        raise DataError(f"{name}, near line {line}: {error}.") from None
    finally:
        if text is not None:
            text.detach()  # the stream is the caller's


class _Lines:
    """Lines of a text as a CSV reader asks for them: of one row, no more than a row may have. A compressed
    file of some kilobytes may hold a line of gigabytes."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text = text
        self._name = name
        self._left = LONGEST_ROW
        self._first = ""

    def delimiter(self) -> str:
        """What parts the first line."""
        self._first = next(self, "")
        plain = _QUOTED.sub("", self._first[:100_000])
        return max(",;\t|", key=plain.count)  # the first of them where none is there

    def begin(self) -> None:
        """Another row."""
        self._left = LONGEST_ROW

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._first = self._first or self._text.readline(self._left + 1), ""
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            size = LONGEST_ROW // 1024 // 1024
            raise DataError(f"{self._name} has a row of more than {size} MB: split it.")
        return line


def json_chunks(file: BinaryIO, name: str) -> Iterator[Chunk]:
    """An array of objects, in memory, or JSON Lines under the name of JSON: DataError for more than 64 MB."""
    try:
        raw = file.read(_JSON_MOST + 1)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        raise DataError(f"{name} is damaged: its compressed data can't be read to the end.") from None
    if len(raw) > _JSON_MOST:
        raise DataError(f"{name} has more than {_JSON_MOST // 1024 // 1024} MB: convert it to JSON Lines.")
    first, _, rest = raw.strip().partition(b"\n")
    if rest and (row := row_of_json(first, 1)) is not None and row.fields is not None:
        yield from carried_lines(io.BytesIO(raw), name)
        return
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{name} is no JSON ({error}).") from None
    try:
        twice = names_twice(raw, value)
    except RecursionError:
        raise DataError(f"{name}: it is nested too deep.") from None
    if twice:
        raise DataError(f"{name}: {TWICE}.")
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
