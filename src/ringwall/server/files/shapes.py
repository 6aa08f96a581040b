"""Files and lists as the protocol writes them."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from ringwall.boundaries.data.uploads.store import Upload
from ringwall.wire.errors import invalid


def file_object(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "object": "file",
        "bytes": upload.bytes,
        "created_at": upload.at,
        "expires_at": upload.expires,
        "filename": upload.name,
        "purpose": upload.purpose,
        "status": "processed",
        "status_details": None,
    }


def page(request: Request, items: Sequence[dict[str, Any]], *, limit: int, most: int) -> dict[str, Any]:
    """One page of a list that is given newest first. Raises WireError (400)."""
    asked = request.query_params
    count = _limit(asked.get("limit", ""), limit, most)
    order = asked.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid("'order' is 'asc' or 'desc'.", "order")
    listed = list(items) if order == "desc" else list(reversed(items))
    ids = [item["id"] for item in listed]
    first, last = 0, len(listed)
    if after := asked.get("after", ""):
        first = _index(ids, after, "after") + 1
    if before := asked.get("before", ""):
        last = _index(ids, before, "before")
        first = first if after else max(first, last - count)
    chosen = listed[first:last][:count]
    return {
        "object": "list",
        "data": chosen,
        "first_id": chosen[0]["id"] if chosen else None,
        "last_id": chosen[-1]["id"] if chosen else None,
        "has_more": len(chosen) < len(listed[first:last]),
    }


def _limit(given: str, limit: int, most: int) -> int:
    if not given:
        return limit
    if not given.isdecimal() or not 1 <= int(given[:9]) <= most:
        raise invalid(f"'limit' is a number from 1 to {most}.", "limit")
    return int(given[:9])


def _index(ids: list[str], wanted: str, name: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise invalid(f"{name!r} names nothing in this list.", name) from None
