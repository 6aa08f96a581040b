"""An MCP server that lies on demand, and the official client against a gateway in front of it."""

import asyncio
import contextlib
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web
from tests.conftest import ModelServer, Running, running, workload

from ringwall.core import Principal
from ringwall.workload import mcp_review

pytest.importorskip("mcp")

from mcp.client.streamable_http import streamable_http_client

from mcp import Client

OPERATOR = Principal("ops", roles=frozenset({"operator"}), credential="key")
SECRET = "tok-4f9c1e77a0b84d5e"


def tool(name: str, description: str = "Look something up.", **properties: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties or {"about": {"type": "string"}},
        "required": list(properties or {"about": 1}),
    }
    return {"name": name, "description": description, "inputSchema": schema}


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}], **more}


Behave = Callable[["FakeServer", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class FakeServer:
    """Speaks the older protocol over HTTP; ``tools`` and ``result`` are what it says."""

    url: str = ""
    tools: list[dict[str, Any]] = field(default_factory=lambda: [tool("look")])
    result: Any = field(default_factory=lambda: text("found"))
    behave: Behave | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 0

    def reset(self) -> None:
        self.__init__(self.url)  # type: ignore[misc]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        self.headers.append(dict(request.headers))
        self.posted.append(message)
        method = message.get("method")
        if "id" not in message or method is None:
            return web.Response(status=202)
        if method == "initialize":
            self.sessions += 1
            info = {"name": "fake", "version": "1"}
            body = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
            return self.reply(message, body, {"mcp-session-id": f"s{self.sessions}"})
        if method == "tools/list":
            return self.reply(message, {"tools": self.tools})
        if method != "tools/call":
            error = {"code": -32601, "message": "no such method"}
            return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error})
        self.calls.append(message["params"])
        if self.behave is not None:
            return await self.behave(self, request, message)
        return self.reply(message, self.result)

    def reply(self, message: Any, result: Any, headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result}, headers=headers)


@pytest.fixture(scope="session")
def _fake() -> Iterator[FakeServer]:
    fake = FakeServer()
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_route("*", "/mcp", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    loop.run_until_complete(begin())
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield fake
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def fake(_fake: FakeServer) -> FakeServer:
    _fake.reset()
    return _fake


@dataclass
class Mcp:
    """A gateway with MCP servers, and what an operator does at it."""

    gateway: Running

    @property
    def desk(self) -> mcp_review.Desk:
        return mcp_review.Desk.of(self.gateway.live.site.workload, self.gateway.plant)

    @contextlib.asynccontextmanager
    async def client(
        self,
        server: str = "fake",
        subject: str = "casey",
        mode: str = "auto",
        path: str = "",
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> AsyncIterator[Client]:
        given = {"authorization": f"Bearer {self.gateway.keys[subject]}", **(headers or {})}
        address = self.gateway.url + (path or f"/mcp/{server}")
        async with (
            httpx2.AsyncClient(headers=given, timeout=60) as http,
            Client(
                streamable_http_client(address, http_client=http), mode=mode, cache=None, **options
            ) as client,
        ):
            yield client

    async def names(self, **options: Any) -> list[str]:
        async with self.client(**options) as client:
            return [one.name for one in (await client.list_tools()).tools]

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> Any:
        async with self.client(**options) as client:
            return await client.call_tool(name, arguments if arguments is not None else {"about": "it"})

    async def review(self, server: str = "fake") -> list[mcp_review.Review]:
        """In a loop of its own kind: the operator's session never meets the gateway's."""
        site, plant = self.gateway.live.site, self.gateway.plant
        pool = plant.upstreams
        site.application().mcp._pool = type(pool)()
        try:
            return await mcp_review.look(site, plant, server, OPERATOR)
        finally:
            site.application().mcp._pool = pool

    async def approve(self, *tools: str, server: str = "fake", anyway: bool = False) -> None:
        """Look, approve (all, without names), and wait until it is in force."""
        live = self.gateway.live
        before = live.site.version
        for review in await self.review(server):
            if not tools or review.pin.tool in tools:
                mcp_review.approve(self.desk, review, OPERATOR, despite_findings=anyway)
        await asyncio.to_thread(self.gateway.until, lambda: live.site.version != before)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [dict(record.event) for record in self.gateway.plant.ledger.latest(200, type=kind)]

    def decisions(self, kind: str) -> list[dict[str, Any]]:
        return [
            event for event in self.events("decision") if event["kind"] == kind and event["endpoint"] == "mcp"
        ]


def said(result: Any) -> str:
    return "\n".join(getattr(block, "text", f"<{block.type}>") for block in result.content)


Start = Callable[..., Mcp]


@pytest.fixture
def start(fake: FakeServer, model_server: ModelServer, tmp_path: Path) -> Iterator[Start]:
    """Start a gateway in front of ``fake``; ``server`` are its settings, ``servers`` further ones."""
    with contextlib.ExitStack() as stack:

        def begin(
            server: dict[str, Any] | None = None,
            servers: dict[str, Any] | None = None,
            tools: tuple[str, ...] = (),
            **changes: Any,
        ) -> Mcp:
            listed = {"fake": {"url": fake.url, "private": True, **(server or {})}, **(servers or {})}
            content = workload(model_server.url, **changes)
            content["application"]["mcp"] = {**content["application"].get("mcp", {}), "servers": listed}
            content["applications"]["assistant"]["tools"] += tools or [f"{name}__*" for name in listed]
            return Mcp(stack.enter_context(running(tmp_path / "gateway", content)))

        yield begin


def peer(name: str) -> str:
    """A published server, from ``RINGWALL_TEST_MCP_SERVERS`` or the path; skips without it."""
    folder = os.environ.get("RINGWALL_TEST_MCP_SERVERS")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def sent(result: Any) -> str:
    return json.dumps(result.model_dump(mode="json", by_alias=True), ensure_ascii=False)
