"""What ``verify`` reads: a live ``ledger.db`` or a bundle, in the same shape, hostile content expected."""

import base64
import binascii
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ringwall.core import DataError

from . import store
from .bundle import FORMAT, VERSION, read_lines
from .canonical import canonical

_MOST_RESUMES = 100


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that can't be read."""

    index: int | None
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    index: int
    event: bytes
    body: bytes | None
    hashes: bytes
    columns: dict[str, Any] | None = None
    """The live file's search columns."""


@dataclass(frozen=True, slots=True)
class StoredNote:
    note: str
    size: int | None = None
    """The size it is filed under; None where the source has no such column."""


class Source(Protocol):
    live: bool

    def head(self) -> Iterator[Broken]:
        """Read what is there besides the records; what is wrong with it."""
        ...

    @property
    def vkey(self) -> str: ...

    @property
    def declared(self) -> int | None:
        """How many records the source says it has."""
        ...

    @property
    def notes(self) -> list[StoredNote]: ...

    def rows(self) -> Iterator[StoredRow | Broken]: ...


class LiveSource:
    """Reads without being able to write. The database file is opened by SQLite alone: closing another
    descriptor of it would drop the locks of a ledger that this process holds."""

    live = True
    declared = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self.vkey = ""
        self.notes: list[StoredNote] = []

    def head(self) -> Iterator[Broken]:
        try:
            with closing(store.connect_reader(self._path)) as database:
                database.text_factory = _lenient
                yield from self._head(database)
        except sqlite3.Error as error:
            yield Broken(None, "file", f"SQLite can't read it: {error}")

    def _head(self, database: sqlite3.Connection) -> Iterator[Broken]:
        if not store.is_ledger(database):
            yield Broken(None, "file", "the file does not carry the mark of a ledger of this format")
        try:
            for (line,) in database.execute("PRAGMA integrity_check(100)"):
                if line != "ok":
                    yield Broken(None, "file", f"SQLite's structure check: {line}")
        except sqlite3.Error as error:
            yield Broken(None, "file", f"SQLite's structure check failed: {error}")
        try:
            self.vkey = store.meta(database, "vkey") or ""
        except sqlite3.Error as error:
            yield Broken(None, "vkey", f"it can't be read: {error}")
        try:
            for size, note in store.checkpoints(database):
                if isinstance(note, str) and isinstance(size, int):
                    self.notes.append(StoredNote(note, size))
                else:
                    yield Broken(None, "checkpoint", f"the one of size {size!s:.20} is no text")
        except sqlite3.Error as error:
            yield Broken(None, "checkpoint", f"they can't all be read: {error}")

    def rows(self) -> Iterator[StoredRow | Broken]:
        try:
            with closing(store.connect_reader(self._path)) as database:
                database.text_factory = _lenient
                yield from self._resuming(database)
        except sqlite3.Error as error:
            yield Broken(None, "file", f"SQLite can't read it: {error}")

    def _resuming(self, database: sqlite3.Connection) -> Iterator[StoredRow | Broken]:
        """Past an unreadable page, go on behind it: one record further, then two, four…"""
        start, step = 0, 1
        for _ in range(_MOST_RESUMES):
            try:
                for row in store.entries(database, start, 2**62):
                    start, step = row[0] + 1, 1
                    yield _row(row)
            except sqlite3.Error as error:
                yield Broken(start, "file", f"SQLite can't read on from here: {error}")
                start, step = start + step, step * 2
            else:
                return
        yield Broken(start, "file", "too much of the file can't be read: the rest was not checked")


def _lenient(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _row(row: store.Row) -> StoredRow | Broken:
    index, *columns, event, body, hashes = row
    shape = isinstance(event, bytes) and isinstance(hashes, bytes) and isinstance(body, bytes | None)
    if not shape:
        return Broken(index, "record", "its columns have not the types that the ledger writes")
    return StoredRow(index, event, body, hashes, dict(zip(store.COLUMNS[1:], columns, strict=False)))


class BundleSource:
    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.vkey = ""
        self.declared: int | None = None
        self.notes: list[StoredNote] = []

    def head(self) -> Iterator[Broken]:
        """A pass over the file for all that is no record."""
        ended = records_over = False
        with self._path.open("rb") as file:
            for number, line in read_lines(file):
                if isinstance(line, DataError):
                    if number == 1:  # ``rows`` tells of the others
                        yield Broken(None, "file", f"line {number}: {line}")
                elif number == 1:
                    yield from self._header(line)
                elif ended:
                    yield Broken(None, "file", f"line {number} comes after the end")
                elif line.keys() == {"checkpoint"} and isinstance(line["checkpoint"], str):
                    records_over = True
                    self.notes.append(StoredNote(line["checkpoint"]))
                elif line == {"end": True}:
                    ended = True
                elif "index" not in line or records_over:
                    yield Broken(None, "file", f"line {number} is nothing that a bundle has there")
        if not ended:
            yield Broken(None, "file", "the end line is missing: the bundle was cut off")

    def _header(self, line: dict[str, Any]) -> Iterator[Broken]:
        size, vkey = line.get("size"), line.get("vkey")
        if line.keys() != {"format", "version", "size", "vkey"} or line["format"] != FORMAT:
            yield Broken(None, "file", "line 1 is not the header of a ledger bundle")
        elif line["version"] != VERSION:
            yield Broken(
                None, "file", f"line 1: version {line['version']!s:.20} is not one that this program reads"
            )
        if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
            self.declared = size
        else:
            yield Broken(None, "file", "line 1: the size is missing")
        self.vkey = vkey if isinstance(vkey, str) else ""

    def rows(self) -> Iterator[StoredRow | Broken]:
        expected = 0
        with self._path.open("rb") as file:
            for number, line in read_lines(file):
                if number == 1 or (isinstance(line, dict) and "index" not in line):
                    continue
                if isinstance(line, DataError):
                    among_records = self.declared is None or expected < self.declared
                    place = expected if among_records else None
                    yield Broken(place, "record" if among_records else "file", f"line {number}: {line}")
                    expected += among_records
                    continue
                row = _bundle_row(line, expected, number)
                expected = row.index + 1 if isinstance(row, StoredRow) else expected + 1
                yield row


def _bundle_row(line: dict[str, Any], expected: int, number: int) -> StoredRow | Broken:
    try:
        index, event, body, hashes = line["index"], line["event"], line["body"], line["hashes"]
        if len(line) != 4 or type(index) is not int or index < 0 or type(event) is not dict:
            raise ValueError
        sealed = None if body is None else base64.b64decode(body, validate=True)
        raw = bytes.fromhex(hashes)
        if raw.hex() != hashes or (sealed is not None and base64.b64encode(sealed).decode() != body):
            raise ValueError
        return StoredRow(index, canonical(event), sealed, raw)
    except (KeyError, TypeError, ValueError, binascii.Error, DataError):
        return Broken(expected, "record", f"line {number} has not the form of a record")
