"""The official client through the gateway, both eras of the protocol."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import ModelServer
from tests.conftest import said as says
from tests.mcp.conftest import SECRET, FakeServer, Start, said, sent, text, tool

from mcp import MCPError

ERAS = ("legacy", "auto")


@pytest.mark.parametrize("mode", ERAS)
async def test_nothing_is_offered_before_it_is_approved(start: Start, fake: FakeServer, mode: str) -> None:
    mcp = start()
    assert await mcp.names(mode=mode) == []
    refused = await mcp.call("look", mode=mode)
    assert refused.is_error and "approval" in said(refused)
    assert fake.calls == []
    await mcp.approve()
    assert await mcp.names(mode=mode) == ["look"]
    result = await mcp.call("look", mode=mode)
    assert not result.is_error and "found" in said(result) and "from outside" in said(result)
    assert fake.calls[0]["name"] == "look" and fake.calls[0]["arguments"] == {"about": "it"}


async def test_every_step_is_decided_before_its_effect(start: Start) -> None:
    mcp = start()
    await mcp.approve()
    async with mcp.client() as client:
        await client.list_tools()
        await client.call_tool("look", {"about": "it"})
    for kind in ("request", "tool_offer", "tool_call", "tool_result"):
        assert mcp.decisions(kind), kind
    called = mcp.events("tool.called")
    assert [event["tool"] for event in called] == ["fake__look"]


async def test_names_of_the_workload_are_understood(start: Start) -> None:
    mcp = start({"names": "prefixed"})
    await mcp.approve()
    assert await mcp.names() == ["fake__look"]
    for name in ("look", "fake__look"):
        assert not (await mcp.call(name)).is_error
    there = await mcp.call("look", {"about": "other"}, path="/apps/assistant/mcp/fake")
    assert not there.is_error


async def test_entitlement_holds_for_the_list_and_for_the_call(start: Start, fake: FakeServer) -> None:
    fake.tools = [tool("look"), tool("delete_all")]
    mcp = start({"tools": {"delete_all": {"roles": ["manager"]}}})
    await mcp.approve()
    assert await mcp.names(subject="casey") == ["look"]
    assert set(await mcp.names(subject="morgan")) == {"look", "delete_all"}
    refused = await mcp.call("delete_all", subject="casey")
    assert refused.is_error and fake.calls == []


async def test_a_server_for_some_roles_is_not_there_for_others(start: Start) -> None:
    mcp = start({"roles": ["manager"]})
    await mcp.approve()
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert mcp.gateway.post(body, "casey", "/mcp/fake").status_code == 404
    assert mcp.gateway.post(body, "casey", "/mcp/nowhere").status_code == 404
    assert await mcp.names(subject="morgan") == ["look"]


async def test_a_credential_is_needed(start: Start) -> None:
    mcp = start()
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert mcp.gateway.post(body, "", "/mcp/fake").status_code == 401
    wrong = httpx2.post(f"{mcp.gateway.url}/mcp/fake", json=body, headers={"authorization": "Bearer rw_none"})
    assert wrong.status_code == 401


async def test_arguments_are_held_to_the_approved_schema(start: Start, fake: FakeServer) -> None:
    mcp = start()
    await mcp.approve()
    for arguments in ({}, {"about": 3}, {"about": "x", "more": 1}):
        refused = await mcp.call("look", arguments)
        assert refused.is_error and "argument" in said(refused).lower()
    assert fake.calls == []


async def test_a_call_with_an_effect_waits_for_a_person(start: Start, fake: FakeServer) -> None:
    fake.tools = [
        tool("send_note", "Send a note to somebody.", to={"type": "string"}, body={"type": "string"})
    ]
    mcp = start(
        principals={"roles": {"manager": {"inherits": ["agent"], "may_approve": ["fake__send_note"]}}}
    )
    await mcp.approve()
    arguments = {"to": "someone@outside.example", "body": "hello"}
    async with mcp.client(mode="legacy") as client:
        held = await client.call_tool("send_note", arguments)
        assert held.is_error and "hold_" in said(held) and fake.calls == []
        holds = mcp.gateway.live.site.application().holds
        hold = holds.pending()[0]
        morgan = mcp.gateway.plant.keys.verify(mcp.gateway.keys["morgan"])
        assert morgan is not None
        holds.approve(hold.id, morgan)
        done = await client.call_tool("send_note", arguments)
        assert not done.is_error, said(done)
        again = await client.call_tool("send_note", arguments)
        assert again.is_error
    assert len(fake.calls) == 1


async def test_sessions_of_principals_are_apart(start: Start, fake: FakeServer) -> None:
    mcp = start()
    await mcp.approve()
    fake.headers.clear()
    async with (
        mcp.client(mode="legacy", subject="casey") as one,
        mcp.client(mode="legacy", subject="robin") as other,
    ):
        await asyncio.gather(*(client.call_tool("look", {"about": "x"}) for client in (one, other)))
    used = {
        headers["mcp-session-id"]
        for headers, message in zip(fake.headers, fake.posted[-len(fake.headers) :], strict=True)
        if message.get("method") == "tools/call"
    }
    assert len(used) == 2


async def test_a_session_id_is_of_use_to_its_principal_alone(start: Start) -> None:
    mcp = start()
    head = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    url = f"{mcp.gateway.url}/mcp/fake"
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "c", "version": "1"},
        },
    }
    casey = {**head, "authorization": f"Bearer {mcp.gateway.keys['casey']}"}
    robin = {**head, "authorization": f"Bearer {mcp.gateway.keys['robin']}"}
    opened = httpx2.post(url, json=hello, headers=casey)
    session = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-06-18"}
    assert len(session["mcp-session-id"]) >= 32
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert httpx2.post(url, json=ping, headers={**robin, **session}).status_code == 404
    assert httpx2.delete(url, headers={**robin, **session}).status_code == 404
    assert httpx2.post(url, json=ping, headers={**casey, **session}).status_code == 200
    assert httpx2.delete(url, headers={**casey, **session}).status_code == 200
    assert httpx2.post(url, json=ping, headers={**casey, **session}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://app.example"}, 200),
        ({"origin": "http://localhost:5173"}, 200),
    ],
)
async def test_pages_of_other_sites_are_turned_away(
    start: Start, headers: dict[str, str], status: int
) -> None:
    mcp = start(application={"mcp": {"origins": ["https://app.example"]}})
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "c", "version": "1"},
        },
    }
    given = {
        "authorization": f"Bearer {mcp.gateway.keys['casey']}",
        "accept": "application/json, text/event-stream",
    }
    got = httpx2.post(f"{mcp.gateway.url}/mcp/fake", json=body, headers={**given, **headers})
    assert got.status_code == status


async def test_credentials_are_put_in_and_never_come_out(
    start: Start, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FAKE_TOKEN", SECRET)
    fake.tools = [tool("look", f"Look it up with {SECRET}.")]
    fake.result = text(f"your header was Bearer {SECRET}", structuredContent={"echo": [f"x{SECRET}y"]})
    mcp = start({"headers": {"Authorization": {"env": "FAKE_TOKEN", "prefix": "Bearer "}}})
    await mcp.approve(anyway=True)
    assert fake.headers[-1]["Authorization"] == f"Bearer {SECRET}"
    async with mcp.client() as client:
        listed = await client.list_tools()
        result = await client.call_tool("look", {"about": "it"})
    assert not result.is_error
    assert SECRET not in sent(listed) + sent(result)
    assert mcp.gateway.keys["casey"] not in str(fake.headers)
    assert SECRET not in caplog.text
    everything = (
        b"".join(path.read_bytes() for path in mcp.gateway.data_dir.rglob("*") if path.is_file())
        + mcp.gateway.path.read_bytes()
    )
    assert SECRET.encode() not in everything


async def test_a_missing_credential_is_no_silent_call(start: Start, fake: FakeServer) -> None:
    mcp = start({"headers": {"Authorization": {"env": "RINGWALL_NO_SUCH_VARIABLE"}}})
    async with mcp.client() as client:
        with pytest.raises(MCPError, match="credentials"):
            await client.list_tools()
    assert fake.posted == []


async def test_a_chat_turn_uses_the_same_tool(
    start: Start, fake: FakeServer, model_server: ModelServer
) -> None:
    mcp = start()
    fake.result = text("the answer is forty-two")
    await mcp.approve()
    model_server.says(says("", ("fake__look", '{"about": "everything"}')), says("It is forty-two."))
    reply = mcp.gateway.ask("What is it about?")
    assert reply.json()["choices"][0]["message"]["content"] == "It is forty-two."
    assert fake.calls[0]["arguments"] == {"about": "everything"}
    offered, answered = model_server.received
    assert "fake__look" in [one["function"]["name"] for one in offered["tools"]]
    result = answered["messages"][-1]
    assert (
        result["role"] == "tool" and "forty-two" in result["content"] and "from outside" in result["content"]
    )


async def test_a_reload_keeps_sessions_of_clients(start: Start, fake: FakeServer) -> None:
    fake.tools = [tool("look"), tool("fetch_more")]
    mcp = start()
    await mcp.approve("look")
    async with mcp.client(mode="legacy") as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["look"]
        await mcp.approve("fetch_more")
        assert {one.name for one in (await client.list_tools()).tools} == {"look", "fetch_more"}


def test_a_workload_that_can_not_be_is_refused(tmp_path: Path) -> None:
    from tests.conftest import workload, write_workload

    from ringwall.core import ConfigError
    from ringwall.workload.load import load

    wrong: list[tuple[dict[str, Any], str]] = [
        ({"servers": {"a": {"url": "http://x/mcp", "command": "y"}}}, "either"),
        ({"servers": {"a_b": {"command": "y"}}}, "hyphens"),
        ({"servers": {"a": {"url": "http://user:pw@x/mcp"}}}, "user name"),
        ({"servers": {"a": {"command": "y", "headers": {"X": "1"}}}}, "headers"),
        ({"servers": {"a": {"command": "y", "env": {"T": {"env": "A", "file": "b"}}}}}, "either"),
        ({"servers": {"a": {"command": "y", "roles": ["nobody"]}}}, "unknown role"),
        ({"servers": {"a": {"command": "y", "shared": True, "sampling": True}}}, "shared"),
    ]
    for section, message in wrong:
        path = write_workload(tmp_path, workload("http://127.0.0.1:1/v1", application={"mcp": section}))
        with pytest.raises(ConfigError, match=message):
            load(path)
