"""Bounded reading of binary headers: every length is held against what is left of the file."""

import struct
from typing import BinaryIO


class Malformed(ValueError):
    """The file breaks its format. The text is a clause: "it ends in the middle of a tensor name"."""


class Reader:
    """Little-endian values from a file of known size. Raises Malformed, never reads past the end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.at = 0

    def take(self, count: int, what: str) -> bytes:
        if count > self._size - self.at:
            raise Malformed(f"it ends in the middle of {what}")
        data = self._file.read(count)
        if len(data) != count:
            raise Malformed(f"it ends in the middle of {what}")
        self.at += count
        return data

    def skip(self, count: int, what: str) -> None:
        if count > self._size - self.at:
            raise Malformed(f"it ends in the middle of {what}")
        self._file.seek(count, 1)
        self.at += count

    def u32(self, what: str) -> int:
        value: int = struct.unpack("<I", self.take(4, what))[0]
        return value

    def u64(self, what: str) -> int:
        value: int = struct.unpack("<Q", self.take(8, what))[0]
        return value

    def text(self, most: int, what: str) -> str:
        """A string with a 64-bit length before it."""
        length = self.u64(what)
        if length > most:
            raise Malformed(f"{what} is {length} bytes long, more than {most}")
        try:
            return self.take(length, what).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"{what} is no UTF-8 text") from None

    def skip_text(self, most: int, what: str) -> None:
        length = self.u64(what)
        if length > most:
            raise Malformed(f"{what} is {length} bytes long, more than {most}")
        self.skip(length, what)
