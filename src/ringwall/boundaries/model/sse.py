"""Server-sent events, read by events and never by byte chunks.

After the WHATWG HTML standard, section 9.2.6, on bytes: the payloads are JSON, whose parser refuses invalid
UTF-8 itself. Only ``data`` matters here; other fields and comments are read over.
"""

import re

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")


class SseError(ValueError):
    """A line or an event is longer than allowed."""


class EventParser:
    """Incremental: the events are the same however the bytes are cut. Linear time, bounded memory."""

    def __init__(self, max_event: int = 1024 * 1024) -> None:
        """``max_event`` bounds each line and the joined data of each event, in bytes."""
        self._max = max_event
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._begun = False
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Data of the events that this chunk completes. Raises SseError when something grows too long."""
        if not self._begun:
            chunk = self._start(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if not chunk or not self._begun:
            return []
        self._after_cr = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk) if b"\r" in chunk else chunk.split(b"\n")
        events: list[bytes] = []
        for line in lines:
            self._line(self._taken(line) if self._pending else line, events)
        self._keep(rest)
        return events

    def _start(self, chunk: bytes) -> bytes:
        """Takes the byte order mark away, which may come in pieces."""
        head = b"".join(self._pending) + chunk
        self._pending.clear()
        self._pending_size = 0
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._pending.append(head)
            return b""
        self._begun = True
        return head.removeprefix(_BOM)

    def _taken(self, end: bytes) -> bytes:
        line = b"".join((*self._pending, end))
        self._pending.clear()
        self._pending_size = 0
        return line

    def _keep(self, rest: bytes) -> None:
        if not rest:
            return
        self._pending.append(rest)
        self._pending_size += len(rest)
        if self._pending_size > self._max:
            raise SseError("a line is too long")

    def _line(self, line: bytes, events: list[bytes]) -> None:
        if len(line) > self._max:
            raise SseError("a line is too long")
        if not line:
            if self._data:
                events.append(b"\n".join(self._data))
                self._data = []
                self._data_size = 0
            return
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        value = value.removeprefix(b" ")
        self._data_size += len(value) + 1
        if self._data_size > self._max:
            raise SseError("an event is too long")
        self._data.append(value)
