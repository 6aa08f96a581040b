"""Files of rows, here or in an object store, cut into chunks by the ending of their names."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from ringwall.core import DataError

from .chunk import Chunk
from .columnar import arrow_chunks, parquet_chunks
from .plain_files import carried_lines, csv_chunks, json_chunks, opened, ranges, unpacked

_LINES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "lines"}
_STREAMED: dict[str, Callable[[BinaryIO, str], Iterator[Chunk]]] = {
    **{ending: partial(carried_lines, kind=kind) for ending, kind in _LINES.items()},
    ".json": json_chunks,
    ".csv": csv_chunks,
    ".tsv": partial(csv_chunks, delimiter="\t"),
}
_COLUMNS: dict[str, Callable[[Path, str], Iterator[Chunk]]] = {
    ".parquet": parquet_chunks,
    ".arrow": arrow_chunks,
}
FORMATS = (*_STREAMED, *_COLUMNS)
"""Endings of names; all but the last two also with ``.gz`` or ``.zst`` behind."""
_PACKED = (".gz", ".zst")
_COPIED = 1024 * 1024


class RowSource(Protocol):
    """Rows under a name."""

    @property
    def name(self) -> str:
        """Relative to the place that was asked for, with ``/`` between its steps."""
        ...

    @property
    def size(self) -> int:
        """Bytes, as it lies there."""
        ...

    @property
    def mark(self) -> str:
        """Another one when its content is another."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """In order. DataError when it can't be read."""
        ...


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file of this machine."""

    path: Path
    name: str

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def mark(self) -> str:
        return str(self.path.stat().st_mtime_ns)

    def chunks(self) -> Iterator[Chunk]:
        ending, packed = ending_of(self.name)
        if ending in _COLUMNS:
            yield from _COLUMNS[ending](self.path, self.name)
        elif ending in _LINES and not packed:
            yield from ranges(self.path, self.name, _LINES[ending])
        else:
            with opened(self.path, self.name) as file:
                yield from _STREAMED[ending](unpacked(file, packed), self.name)


@dataclass(frozen=True, slots=True)
class RowObject:
    """An object of a store: streamed, and carried along by its chunks. Parquet and Arrow can't be read in one
    pass: those are copied to ``folder`` first, and stay there."""

    name: str
    size: int
    mark: str
    folder: Path
    open: Callable[[], BinaryIO]

    def chunks(self) -> Iterator[Chunk]:
        ending, packed = ending_of(self.name)
        with self.open() as stream:
            if ending not in _COLUMNS:
                yield from _STREAMED[ending](unpacked(stream, packed), self.name)
                return
            copy = self.folder / f"{len(list(self.folder.iterdir()))}{ending}"
            with copy.open("wb") as file:
                shutil.copyfileobj(stream, file, _COPIED)
        yield from _COLUMNS[ending](copy, self.name)


def ending_of(name: str) -> tuple[str, str]:
    """``.jsonl`` and ``.gz`` for ``train.jsonl.gz``. DataError when it names no format that is known."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    packed = suffixes[-1] if suffixes[-1:] and suffixes[-1] in _PACKED else ""
    if packed and (len(suffixes) < 2 or suffixes[-2] not in _STREAMED):
        packed = ""
    ending = suffixes[-2] if packed else (suffixes[-1] if suffixes else "")
    if ending not in FORMATS:
        raise DataError(f"{PurePosixPath(name).name} has no format that is known: {', '.join(FORMATS)}.")
    return ending, packed


def is_rows(name: str) -> bool:
    """Whether the name is that of a file of rows."""
    try:
        ending_of(name)
    except DataError:
        return False
    return True
