"""``/v1/vector_stores/{id}/search``, and the text of a file that was found."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.wire.errors import WireError, invalid
from ringwall.wire.vector_stores import SearchCall, read_search

from ..body import read_json
from ..gateway import peer
from ..replies import json_response, turn_headers
from ..retrieval.reading import read
from ..retrieval.search import Found, admit, require_open, search
from ..turn.state import Turn
from .asking import reading

_BODY = 131_072
_DEPTH = 16


async def search_store(request: Request) -> Response:
    async def answer(turn: Turn) -> Response:
        body, _ = await read_json(request, _BODY, _DEPTH)
        call = read_search(body)
        queries = await admit(turn, call.queries, address=peer(request))
        name = request.path_params["store"]
        require_open(turn, name)
        asked = SearchCall(queries, call.filter, call.most, call.threshold)
        found = await search(turn, [name], asked)
        page = {
            "object": "vector_store.search_results.page",
            "search_query": list(queries),
            "data": list(map(_result, found)),
            "has_more": False,
            "next_page": None,
        }
        return json_response(page, headers=turn_headers(turn))

    return await reading(request, answer)


async def file_text(request: Request) -> Response:
    """``/v1/vector_stores/{id}/files/{file}/content``: through the same gate as a search."""

    async def answer(turn: Turn) -> Response:
        await admit(turn, (), address=peer(request))
        name, file = request.path_params["store"], request.path_params["file"]
        require_open(turn, name)
        document = await asyncio.to_thread(turn.app.library.named, turn.principal, name, file)
        pages = await read(turn, name, document, _first(request)) if document else None
        if pages is None:
            raise WireError(404, f"There is no file {file[:64]!r} here.", "not_found", "file_id")
        content = [
            {"type": "text", "text": turn.lit(passage.part, passage.part.text)} for passage in pages.passages
        ]
        body = {
            "object": "vector_store.file_content.page",
            "file_id": file,
            "filename": pages.about.name,
            "attributes": pages.attributes,
            "data": content,
            "content": content,
            "has_more": bool(pages.more),
            "next_page": str(pages.more) if pages.more else None,
        }
        return json_response(body, headers=turn_headers(turn))

    return await reading(request, answer)


def _result(found: Found) -> dict[str, Any]:
    return {
        "file_id": found.about.file,
        "filename": found.name,
        "score": round(found.score, 6),
        "attributes": dict(found.attributes),
        "content": [{"type": "text", "text": found.text}],
    }


def _first(request: Request) -> int:
    given = request.query_params.get("page", "0")
    if not given.isdecimal() or len(given) > 9:
        raise invalid("'page' is the 'next_page' of the answer before.", "page")
    return int(given)
