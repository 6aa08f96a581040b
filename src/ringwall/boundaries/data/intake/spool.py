"""Rows on their way: on the disk, so that memory stays flat, and never in the clear.

The file has no name and its key is nowhere but in memory: when the process ends, nothing is left that
anybody could read.
"""

import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..canonical import canonical
from ..records import Record
from .row_form import from_form, to_form

_FRAME = 500
"""Most rows sealed together."""
_FRAME_BYTES = 1_048_576
"""From which on fewer are, so that memory stays flat with long ones too."""
_HEAD = struct.Struct(">Q")


class Spool:
    """Written once, then read as often as wanted. A context manager: closed, it is gone."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: on whose disk it lies; default, the system's own for such things."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by ``close``
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._rows: list[bytes] = []
        self._bytes = 0
        self._frames = 0
        self.count = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, row: Record, notes: dict[str, Any] | None = None) -> None:
        """Keep a row; ``notes`` are JSON values that come back with it."""
        kept = canonical({"row": to_form(row), "notes": notes or {}})
        self._rows.append(kept)
        self._bytes += len(kept)
        self.count += 1
        if len(self._rows) >= _FRAME or self._bytes >= _FRAME_BYTES:
            self._flush()

    def read(self) -> Iterator[tuple[Record, dict[str, Any]]]:
        """All rows in order, with their notes."""
        self._flush()
        self._file.seek(0)
        for number in range(self._frames):
            (length,) = _HEAD.unpack(self._file.read(_HEAD.size))
            sealed = self._file.read(length)
            raw = self._cipher.decrypt(sealed[:12], sealed[12:], str(number).encode())
            for kept in orjson.loads(raw):
                yield from_form(kept["row"]), kept["notes"]
        self._file.seek(0, os.SEEK_END)

    def rows(self) -> Iterator[Record]:
        for row, _ in self.read():
            yield row

    def close(self) -> None:
        self._file.close()
        self._rows.clear()

    def _flush(self) -> None:
        if not self._rows:
            return
        nonce = os.urandom(12)
        frame = b"[" + b",".join(self._rows) + b"]"
        sealed = nonce + self._cipher.encrypt(nonce, frame, str(self._frames).encode())
        self._file.write(_HEAD.pack(len(sealed)) + sealed)
        self._rows.clear()
        self._bytes = 0
        self._frames += 1
