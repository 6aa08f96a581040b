"""Rows of training sets: how they are read, whatever file they come in."""

from .forms import record_of
from .record import Form, Record, Source, content_id

__all__ = ["Form", "Record", "Source", "content_id", "record_of"]
