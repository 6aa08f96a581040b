"""Rows of training sets: how they are read, whatever file they come in."""

from .chunk import Chunk, NeedsExtraError, Row, rows_of
from .forms import record_of
from .reading import read_files, read_rows, records_of, row_files, row_objects
from .record import Form, Record, Source, content_id
from .row_file import RowFile, RowSource

__all__ = [
    "Chunk",
    "Form",
    "NeedsExtraError",
    "Record",
    "Row",
    "RowFile",
    "RowSource",
    "Source",
    "content_id",
    "read_files",
    "read_rows",
    "record_of",
    "records_of",
    "row_files",
    "row_objects",
    "rows_of",
]
