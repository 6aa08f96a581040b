"""Rows of training sets: how they are read, whatever file they come in."""

from .chunk import Chunk, Row, rows_of
from .forms import record_of
from .reading import RowFile, read_rows, records_of, row_files
from .record import Form, Record, Source, content_id

__all__ = [
    "Chunk",
    "Form",
    "Record",
    "Row",
    "RowFile",
    "Source",
    "content_id",
    "read_rows",
    "record_of",
    "records_of",
    "row_files",
    "rows_of",
]
