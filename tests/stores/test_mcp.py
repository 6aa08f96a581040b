"""The built-in MCP server, with the official client, in both eras of the protocol."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.stores.conftest import INJECTION

pytest.importorskip("mcp")

from mcp.client.streamable_http import streamable_http_client

from mcp import Client, MCPError


@contextlib.asynccontextmanager
async def connected(stores: Any, subject: str = "casey", mode: str = "auto") -> AsyncIterator[Any]:
    headers = {"authorization": f"Bearer {stores.keys[subject]}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(f"{stores.url}/mcp/retrieval", http_client=http), mode=mode, cache=None
        ) as client,
    ):
        yield client


async def call(stores: Any, tool: str, subject: str = "casey", **arguments: Any) -> Any:
    async with connected(stores, subject) as client:
        return await client.call_tool(tool, arguments)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_search_and_fetch(stores: Any, mode: str) -> None:
    async with connected(stores, mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["search", "fetch"]
        found = await client.call_tool("search", {"query": "May a lamp be returned?"})
        assert json.loads(found.content[0].text) == found.structured_content
        best = found.structured_content["results"][0]
        assert set(best) == {"id", "title", "url"}
        assert best["id"].startswith("document:handbook/returns@")
        read = (await client.call_tool("fetch", {"id": best["id"]})).structured_content
        assert (read["id"], read["title"]) == (best["id"], "Returns")
        assert "within forty days" in read["text"]
        assert "from outside" in read["text"]  # marked as data
        metadata = read["metadata"]
        assert (metadata["citation"], metadata["integrity"]) == (best["id"], "untrusted")
        assert (metadata["origin"], metadata["truncated"]) == ("documents/returns.md", False)


async def test_what_one_may_not_read_is_not_there(stores: Any, attach: Any) -> None:
    attach("editor-south", "The southern price of marble is nine.", "marble.md")
    mine = await call(stores, "search", "customer-south", query="southern price of marble")
    ref = mine.structured_content["results"][0]["id"]
    assert "nine" in (await call(stores, "fetch", "customer-south", id=ref)).structured_content["text"]
    other = await call(stores, "search", "customer-north", query="southern price of marble")
    assert ref not in json.dumps(other.structured_content)
    refused = await call(stores, "fetch", "customer-north", id=ref)
    assert refused.is_error
    assert "nine" not in refused.content[0].text
    missing = await call(stores, "fetch", "customer-north", id="document:handbook/no-such-thing@1")
    assert refused.content == missing.content  # no telling apart
    managers = await call(stores, "search", "casey", query="purchase margin Aurora lantern")
    assert "margins" not in json.dumps(managers.structured_content)


async def test_a_planted_passage_is_dropped(start: Any) -> None:
    gateway = start(data={"controls": {"data.scan": {"mode": "monitor"}}})
    client = gateway.client("both")
    file = client.files.create(
        file=("hut.md", f"# Hut\n\n{INJECTION}\n\nThe hut is closed."), purpose="assistants"
    )
    client.vector_stores.files.create(vector_store_id="handbook", file_id=file.id)
    found = await call(gateway, "search", "both", query="hut closed")
    assert all("hut" not in one["id"] for one in found.structured_content["results"])
    assert client.vector_stores.search("handbook", query="hut closed").data == []


async def test_decisions_are_on_the_ledger(stores: Any) -> None:
    await call(stores, "search", query="lamp returned")
    event = stores.plant.ledger.latest(1, type="decision", match={"kind": "retrieval"})[0].event
    assert (event["endpoint"], event["subject"]) == ("mcp", "casey")
    assert event["passages"]


async def test_odd_calls_are_answered(stores: Any) -> None:
    for tool, arguments in (
        ("search", {}),
        ("search", {"query": ""}),
        ("search", {"query": "x" * 5000}),
        ("fetch", {"id": "../../etc/passwd"}),
        ("delete", {"id": "document:handbook/returns@1"}),
    ):
        got = await call(stores, tool, **arguments)
        assert got.is_error


@pytest.mark.parametrize("subject", ["ops", "puts", "reads"])
async def test_who_may_not(stores: Any, subject: str) -> None:
    with pytest.raises((MCPError, httpx2.HTTPStatusError, ExceptionGroup)):
        await call(stores, "search", subject, query="lamp")
