"""The text of attached files, hidden places included: bytes in, sections out. No policy, no I/O.

Parsers of hostile files crash, hang and eat memory: whoever reads files of strangers calls this in a process
of its own with limits (``ringwall.boundaries.interface.file_reader``). What needs pypdf, Pillow or defusedxml
imports it when it is called.
"""

from .read import read_file
from .reading import Limits, Mark, Reading, Refused, Section

__all__ = ["Limits", "Mark", "Reading", "Refused", "Section", "read_file"]
