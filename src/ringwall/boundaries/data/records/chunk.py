"""A run of rows of one file: what is read at a time, in order, by any process that can reach the file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError

from .twice import TWICE, names_twice

LONGEST_ROW = 16 * 1024 * 1024
"""Bytes of one row; a longer one is told as unreadable."""
TARGET = 256 * 1024
"""Bytes of rows that a chunk has, about."""

TOO_LONG = f"it is longer than {LONGEST_ROW // 1024 // 1024} MB"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_LONG_NUMBER = re.compile(rb"\d{19}")


class NeedsExtraError(DataError):
    """A file is read with a library that is not installed: nothing is wrong with the file."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or why it can't be read."""

    number: int
    """Counted from 1 within its file."""
    fields: Mapping[str, Any] | None
    problem: str = ""
    """One clause for a person; empty when it was read."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where its rows are: a range of the file, or the bytes themselves where a file can't be entered in the
    middle (it is compressed, or its rows span lines)."""

    file: str
    """Name under which the rows are told."""
    path: str
    """Where it is opened."""
    kind: str
    """``jsonl``, ``lines``, ``parquet`` or ``arrow``; ``long``: one row, that is longer than rows may be;
    ``broken``: the file can't be read from here on, ``data`` says why."""
    first: int
    """Number of its first row."""
    start: int = 0
    """Byte at which it starts; row group or record batch in a Parquet or Arrow file."""
    length: int = 0
    """Bytes; 0 for Parquet and Arrow."""
    data: bytes | None = None
    """Its rows, when they are carried along."""


def row_of_json(line: bytes, number: int) -> Row | None:
    """None for an empty line."""
    if not line.strip():
        return None
    if len(line) > LONGEST_ROW:
        return Row(number, None, TOO_LONG)
    if number == 1:
        line = line.removeprefix(_BOM)
    try:
        value = orjson.loads(line)
        if _LONG_NUMBER.search(line):
            value = json.loads(line, parse_int=_exactly)
        if names_twice(line, value):
            return Row(number, None, TWICE)
    except orjson.JSONDecodeError as error:
        return Row(number, None, _no_json(line, str(error)))
    except RecursionError:
        return Row(number, None, "it is nested too deep")
    if not isinstance(value, dict):
        return Row(number, None, "it is no JSON object")
    return Row(number, value)


def _exactly(digits: str) -> int | str:
    """A number that JSON readers round, as the digits that were written."""
    return int(digits) if len(digits) < 19 or -(1 << 63) <= int(digits) < 1 << 64 else digits


def _no_json(line: bytes, why: str) -> str:
    if line.startswith(_WIDE) or b"\x00" in line[:4]:
        return "it is UTF-16 or UTF-32: save it as UTF-8"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 (byte {error.start})"
    return f"it is no JSON ({why[:80]})"


def row_of_text(line: bytes, number: int) -> Row | None:
    """A line as ``{"text": line}``; None for an empty one."""
    if not line.strip():
        return None
    if len(line) > LONGEST_ROW:
        return Row(number, None, TOO_LONG)
    if number == 1:
        line = line.removeprefix(_BOM)
    try:
        return Row(number, {"text": line.decode("utf-8").rstrip("\r\n")})
    except UnicodeDecodeError as error:
        return Row(number, None, f"it is not UTF-8 (byte {error.start})")


def rows_of(chunk: Chunk) -> Iterator[Row]:
    """The rows of a chunk, in order. DataError when the file is not there any more or was changed in a way
    that shows."""
    if chunk.kind in ("parquet", "arrow"):
        from .columnar import rows_of_columns  # noqa: PLC0415 - pyarrow is an extra

        yield from rows_of_columns(chunk)
        return
    if chunk.kind in ("long", "broken"):
        yield Row(chunk.first, None, TOO_LONG if chunk.kind == "long" else (chunk.data or b"").decode())
        return
    read = row_of_json if chunk.kind == "jsonl" else row_of_text
    for offset, line in enumerate(_bytes(chunk).split(b"\n")):
        row = read(line, chunk.first + offset)
        if row is not None:
            yield row


def _bytes(chunk: Chunk) -> bytes:
    if chunk.data is not None:
        return chunk.data
    try:
        with open(chunk.path, "rb") as file:  # noqa: PTH123 - a string, as it is sent between processes
            file.seek(chunk.start)
            data = file.read(chunk.length)
    except OSError as error:
        raise DataError(f"{chunk.file} can't be read any more ({error.strerror}): put it back.") from None
    if len(data) != chunk.length:
        raise DataError(f"{chunk.file} became shorter while it was read: leave it alone and begin again.")
    return data
