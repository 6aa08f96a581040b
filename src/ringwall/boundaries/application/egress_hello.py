"""The first message of a TLS client: the only thing in a tunnel that says where it really goes.

Source: RFC 8446 (4.1.2, 5.1), RFC 6066 (3, server_name), RFC 9849 (encrypted ClientHello).
"""

import asyncio
from dataclasses import dataclass

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ENCRYPTED = frozenset({0xFE0D, 0xFFCE})
"""Extensions that hide a second server name: encrypted_client_hello and its draft."""
_MOST = 65_536
_RECORD = 16_384


class NoHello(Exception):
    """What came is no ClientHello, or one that can't be read."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a ClientHello says in the open."""

    raw: bytes
    """As it came, records and all."""
    server_name: str
    """Lower case; empty when it names none."""
    hidden: bool
    """Whether it carries a second, encrypted ClientHello."""


async def read_hello(reader: asyncio.StreamReader) -> Hello:
    """Reads whole records until the message is complete. Raises NoHello, IncompleteReadError."""
    raw, message = b"", b""
    while True:
        header = await reader.readexactly(5)
        size = int.from_bytes(header[3:])
        if header[0] != _HANDSHAKE or header[1] != 3 or not 0 < size <= _RECORD or len(raw) > _MOST:
            raise NoHello
        record = await reader.readexactly(size)
        raw += header + record
        message += record
        if len(message) >= 4:
            if message[0] != _CLIENT_HELLO:
                raise NoHello
            end = 4 + int.from_bytes(message[1:4])
            if end > _MOST:
                raise NoHello
            if len(message) >= end:
                if len(message) > end:
                    raise NoHello
                return parse_hello(raw, message[4:end])


def parse_hello(raw: bytes, body: bytes) -> Hello:
    """``body``: the ClientHello without the header of the message. Raises NoHello."""
    cursor = _Cursor(body)
    cursor.take(2 + 32)
    cursor.vector(1)  # session id
    cursor.vector(2)  # cipher suites
    cursor.vector(1)  # compression methods
    name, hidden, seen = "", False, set()
    extensions = _Cursor(cursor.vector(2) if cursor.left else b"")
    if cursor.left:
        raise NoHello
    while extensions.left:
        kind = int.from_bytes(extensions.take(2))
        data = extensions.vector(2)
        if kind in seen:
            raise NoHello
        seen.add(kind)
        hidden = hidden or kind in _ENCRYPTED
        if kind == _SERVER_NAME:
            name = _server_name(data)
    return Hello(raw, name, hidden)


def _server_name(data: bytes) -> str:
    """Exactly one entry, of the type host_name."""
    outer = _Cursor(data)
    names = _Cursor(outer.vector(2))
    kind = names.take(1)
    name = names.vector(2)
    if outer.left or names.left or kind != b"\x00" or not name.isascii():
        raise NoHello
    return name.decode().lower()


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise NoHello
        self._at += count
        return self._data[self._at - count : self._at]

    def vector(self, size: int) -> bytes:
        """What follows a length of ``size`` bytes."""
        return self.take(int.from_bytes(self.take(size)))
