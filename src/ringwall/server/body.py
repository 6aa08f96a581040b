"""Reading a request body: size first, then depth, then JSON. Nothing is parsed before it is bounded."""

from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from ringwall.boundaries.interface.limits import json_depth
from ringwall.wire.errors import WireError, invalid


async def read_json(request: Request, max_bytes: int, max_depth: int) -> tuple[Any, int]:
    """The parsed body and its nesting depth. Raises WireError (400, 413, 415)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", ""):
        raise WireError(415, "Send the body as application/json.", "unsupported_media_type")
    raw = await read_bytes(request, max_bytes)
    depth = json_depth(raw)
    if depth > max_depth:
        raise invalid(f"The body is nested deeper than {max_depth} levels.", "body")
    try:
        return orjson.loads(raw), depth
    except orjson.JSONDecodeError:
        raise invalid("The body is not valid JSON.", "body") from None


async def read_bytes(request: Request, max_bytes: int) -> bytes:
    """The body as it is. Raises WireError (400, 413)."""
    too_large = WireError(413, f"The body is larger than {max_bytes} bytes.", "body_too_large")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > max_bytes:
                raise too_large
    except ClientDisconnect:
        raise invalid("The connection closed before the body was complete.", "body") from None
    return bytes(body)
