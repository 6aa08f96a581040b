"""A file or folder of rows, in any of the usual formats, as chunks and as records.

Formats, by the ending of the name: JSON Lines (``.jsonl``, ``.ndjson``), JSON (an array), CSV, TSV and text
(``.txt``: a row for each line), all of them also with ``.gz`` or ``.zst`` behind; Parquet; Arrow
(``.arrow``), as the ``datasets`` library saves it. A folder is read whole, in the order of its names.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ringwall.core import DataError
from ringwall.storage.s3_source import S3Sources, split_url

from .chunk import Chunk, rows_of
from .forms import record_of
from .plain_files import carried_lines
from .record import Record, Source
from .row_file import FORMATS, RowFile, RowObject, RowSource, ending_of, is_rows

_MOST_FILES = 100_000
_SAVED = ("dataset_info.json", "dataset_dict.json", "state.json", "README.md", "readme.md")


def row_files(place: Path) -> list[RowFile]:
    """The files of rows at a place: itself, or those below a folder, in order.

    DataError when there are none, when a file has no known format (in a folder: when none has), or when there
    are more than 100,000. Links are not followed out of the folder.
    """
    if place.is_file():
        ending_of(place.name)
        return [RowFile(place, place.name)]
    if not place.is_dir():
        raise DataError(f"There is no file or folder {place.name!r}.")
    root = place.resolve()
    found = []
    for path in sorted(place.rglob("*")):
        inside = path.is_file() and path.resolve().is_relative_to(root)
        if inside and path.name not in _SAVED and is_rows(path.name):
            found.append(RowFile(path, path.relative_to(place).as_posix()))
        if len(found) > _MOST_FILES:
            raise DataError(f"{place.name} has more than {_MOST_FILES} files: read it in parts.")
    if not found:
        raise DataError(f"{place.name} has no file of rows: {', '.join(FORMATS)}.")
    return found


@contextmanager
def row_objects(sources: S3Sources, url: str) -> Iterator[list[RowSource]]:
    """The objects of rows under ``s3://BUCKET/PREFIX``, in the order of their keys. DataError as
    ``row_files``, and when the place is not on the list of sources."""
    _, prefix = split_url(url)
    base = prefix.rpartition("/")[0]
    with tempfile.TemporaryDirectory(prefix="ringwall-rows-") as folder:
        found: list[RowSource] = []
        for one in sources.objects(url):
            name = one.key[len(base) :].lstrip("/")
            if PurePosixPath(name).name not in _SAVED and is_rows(name):
                stream = partial(sources.open, url, one.key, one.etag)
                found.append(RowObject(name, one.size, one.etag, Path(folder), stream))
            if len(found) > _MOST_FILES:
                raise DataError(f"{url} has more than {_MOST_FILES} objects: read it in parts.")
        if not found:
            raise DataError(f"{url} has no object of rows: {', '.join(FORMATS)}.")
        yield found


def read_rows(place: Path, source: Source | None = None, sensitivity: Sequence[str] = ()) -> Iterator[Record]:
    """Every record of a file or folder, in order; memory grows with nothing but their ids, which are unique.

    A row without an id of its own has one made from its content; the same id once more gets ``.2``, ``.3``…
    behind it. Raises DataError, naming file and row, for the first row that can't be read.
    """
    yield from read_files(row_files(place), source, sensitivity)


def read_files(
    files: Iterable[RowSource], source: Source | None = None, sensitivity: Sequence[str] = ()
) -> Iterator[Record]:
    """As ``read_rows``, of these files."""
    seen: dict[str, int] = {}
    for file in files:
        given = replace(source or Source(), origin=source.origin if source and source.origin else file.name)
        yield from _unique(file.chunks(), given, sensitivity, seen)


def read_lines(file: BinaryIO, source: Source) -> Iterator[Record]:
    """Every record of JSON Lines that lie in no file of their own, in order; ``source.origin`` names them.
    Raises DataError as ``read_rows``."""
    yield from _unique(carried_lines(file, source.origin), source, (), {})


def _unique(
    chunks: Iterable[Chunk], source: Source, sensitivity: Sequence[str], seen: dict[str, int]
) -> Iterator[Record]:
    for chunk in chunks:
        for record in records_of(chunk, source, sensitivity):
            name = unused_id(record.id, seen)
            yield record if name == record.id else replace(record, id=name)


def records_of(chunk: Chunk, source: Source, sensitivity: Sequence[str] = ()) -> Iterator[Record]:
    """The records of one chunk. DataError as ``read_rows``; ids are as the rows have them."""
    for row in rows_of(chunk):
        if row.fields is None:
            raise DataError(f"{chunk.file}, row {row.number}: {row.problem}.")
        try:
            yield record_of(row.fields, replace(source, place=str(row.number)), sensitivity)
        except DataError as error:
            raise DataError(f"{chunk.file}, row {row.number}: {error}") from None


def unused_id(name: str, seen: dict[str, int]) -> str:
    """The id itself, or with ``.2``, ``.3``… behind it when it was seen; ``seen`` takes it down."""
    given = name
    while name in seen:
        seen[given] += 1
        name = f"{given}.{seen[given]}"
    seen[name] = 1
    return name
