"""``/v1/vector_stores``: the collections of an application that the principal may read, as vector stores."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.wire.errors import WireError

from ..files.shapes import page
from ..replies import json_response, turn_headers
from ..retrieval.search import admit, readable, require_open
from ..turn.state import Turn
from .asking import reading


async def list_stores(request: Request) -> Response:
    async def answer(turn: Turn) -> Response:
        await admit(turn, ())
        await turn.committed()
        listed = await asyncio.to_thread(
            lambda: [_store(turn, name) for name in sorted(readable(turn.app, turn.principal), reverse=True)]
        )
        return json_response(page(request, listed, limit=20, most=100), headers=turn_headers(turn))

    return await reading(request, answer)


async def show_store(request: Request) -> Response:
    async def answer(turn: Turn) -> Response:
        await admit(turn, ())
        await turn.committed()
        name = request.path_params["store"]
        require_open(turn, name)
        shown = await asyncio.to_thread(_store, turn, name)
        return json_response(shown, headers=turn_headers(turn))

    return await reading(request, answer)


async def refuse_change(request: Request) -> Response:
    """Raises WireError (403)."""
    await request.app.state.gateway.authenticate(request, request.path_params.get("application", ""))
    message = (
        "Vector stores are the collections of the workload file: an operator adds, changes and removes them "
        "there (ringwall.yaml, data.collections)."
    )
    raise WireError(403, message, "defined_by_workload")


def _store(turn: Turn, name: str) -> dict[str, Any]:
    """Counts are of what this principal may read: of the rest nobody learns that it is there."""
    entries = turn.app.library.readable(turn.principal, name)
    count = len(entries)
    return {
        "id": name,
        "object": "vector_store",
        "name": name,
        "created_at": min((entry.at for entry in entries), default=0) // 1_000_000,
        "last_active_at": max((entry.at for entry in entries), default=0) // 1_000_000,
        "status": "completed",
        "usage_bytes": 0,
        "file_counts": {
            "in_progress": 0,
            "completed": count,
            "failed": 0,
            "cancelled": 0,
            "total": count,
        },
        "expires_after": None,
        "expires_at": None,
        "metadata": {},
    }
