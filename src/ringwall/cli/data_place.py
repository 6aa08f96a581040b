"""Rows at a place that a person names: a file, a folder, or a prefix of S3."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ringwall.boundaries.data.records import RowSource, row_files, row_objects


@contextmanager
def rows_at(place: str, workload: Path) -> Iterator[Sequence[RowSource]]:
    """The files of rows at the place. The workload file is read only for ``s3://``: it names the places that
    may be read. ConfigError or DataError when it can't be."""
    if not place.startswith("s3://"):
        yield row_files(Path(place))
        return
    from ringwall.storage.s3_source import S3Sources
    from ringwall.workload.load import load

    sources = S3Sources([one.place for one in load(workload).workload.data.sources])
    with row_objects(sources, place) as found:
        yield found
