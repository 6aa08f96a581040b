"""What a server answered, as plain bounded data: none of the SDK's types, none of the server's metadata."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .credentials import Secrets
from .offered import cleaned
from .settings import McpServer

_PIECES = 64
_PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
"""Kinds of pictures that are passed on, with how they begin."""
_DEPTH = 32
_URI = 500
_MIME = re.compile(r"[a-z]{1,20}/[a-zA-Z0-9.+-]{1,60}")


@dataclass(frozen=True, slots=True)
class Picture:
    kind: str
    data: str
    """Base64."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A text that a server put in under an address of its own."""

    uri: str
    kind: str
    text: str


Piece = str | Picture | Resource


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one call."""

    pieces: tuple[Piece, ...]
    structured: Any = None
    """JSON; None when there is none, or it is not passed on."""
    failed: bool = False

    @property
    def text(self) -> str:
        """All that can be read, for a model that is given text alone."""
        said = [text for piece in self.pieces if (text := text_of(piece)) is not None]
        if not said and self.structured is not None:
            return json.dumps(self.structured, ensure_ascii=False)
        return "\n\n".join(said)


def text_of(piece: Piece) -> str | None:
    """What can be read of it."""
    if isinstance(piece, Picture):
        return None
    return piece if isinstance(piece, str) else piece.text


def with_text(piece: Piece, text: str) -> Piece:
    """The same piece with another text."""
    return replace(piece, text=text) if isinstance(piece, Resource) else text


def read_answer(result: Any, server: McpServer, secrets: Secrets) -> Answer:
    """Of a ``CallToolResult``. Credentials of the server are taken out, what is too long is cut."""
    room = server.limits.result_bytes
    pieces: list[Piece] = []
    for block in result.content[:_PIECES]:
        for piece in _pieces(block, server, room):
            text = text_of(piece)
            if isinstance(piece, Resource):
                piece = replace(piece, uri=secrets.redact(piece.uri)[:_URI])  # noqa: PLW2901
            if text is not None:
                text = secrets.redact(text)[:room]
                piece = with_text(piece, text)  # noqa: PLW2901
            room -= len(text) if text is not None else len(getattr(piece, "data", ""))
            pieces.append(piece)
    if len(result.content) > _PIECES:
        pieces.append(f"[{len(result.content) - _PIECES} more pieces were left out]")
    structured = result.structured_content if server.structured else None
    if structured is not None:
        structured = _bounded(secrets.redacted(structured), server.limits.result_bytes)
    return Answer(tuple(pieces), structured, bool(result.is_error))


def _pieces(block: Any, server: McpServer, room: int) -> Iterator[Piece]:
    if block.type == "text":
        yield block.text
    elif block.type == "image" and server.images:
        yield _picture(block.mime_type, block.data, room) or "[a picture was left out: its kind or size]"
    elif block.type == "resource_link":
        told = f": {block.description}" if block.description else ""
        yield f"[resource {block.name} at {block.uri}{told}]"
    elif block.type == "resource" and getattr(block.resource, "text", None) is not None:
        yield Resource(
            _address(str(block.resource.uri)), _kind(block.resource.mime_type), block.resource.text
        )
    else:
        yield f"[content of the kind {block.type!r} was left out]"


def _address(uri: str) -> str:
    """Without what could carry a message: a resource is named, not asked for by it."""
    return cleaned(uri).partition("?")[0].partition("#")[0]


def _kind(kind: str | None) -> str:
    return kind if kind and _MIME.fullmatch(kind) else "text/plain"


def _picture(kind: str, data: str, room: int) -> Picture | None:
    begins = _PICTURES.get(kind)
    if begins is None or len(data) > room:
        return None
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Picture(kind, data) if raw.startswith(begins) else None


def _bounded(value: Any, most: int) -> Any:
    """The value, or None when it is too long or too deep to be checked."""
    if _depth(value) > _DEPTH:
        return None
    return value if len(json.dumps(value)) <= most else None


def _depth(value: Any, depth: int = 0) -> int:
    if depth > _DEPTH:
        return depth
    if isinstance(value, Mapping):
        return max((_depth(inner, depth + 1) for inner in value.values()), default=depth)
    if isinstance(value, (list, tuple)):
        return max((_depth(inner, depth + 1) for inner in value), default=depth)
    return depth
