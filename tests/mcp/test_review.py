"""What an operator does: on the command line, in the console; and what it takes."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import running, workload
from tests.mcp.conftest import FakeServer, Mcp, Start, tool
from tests.mcp.test_stdio import started

from ringwall.boundaries.application.mcp.offered import Offered, cleaned, difference, registry_name, visible
from ringwall.boundaries.application.mcp.pins import Pins, PinState
from ringwall.console.runtime import GatewayBackend
from ringwall.core import IdentityError, RingwallError
from ringwall.server.gateway import Gateway
from ringwall.storage.database import Database
from ringwall.workload import mcp_review

Command = Any


def _run(*arguments: str) -> tuple[int, str]:
    import contextlib
    import io

    from ringwall.cli import main

    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    given, sys.argv = sys.argv, ["ringwall", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        sys.argv = given
    out.flush()
    return code, out.buffer.getvalue().decode()  # type: ignore[attr-defined]


async def test_the_command_line(tmp_path: Path, model_server: Any) -> None:
    content = workload(model_server.url)
    content["application"]["mcp"] = {"servers": started(tmp_path)}
    content["applications"]["assistant"]["tools"] += ["own__*"]
    with running(tmp_path / "gateway", content) as gateway:
        there = ["--workload", str(gateway.path), "--data-dir", str(gateway.data_dir)]
        code, told = await asyncio.to_thread(_run, "mcp", "show", "own", *there)
        assert code == 0 and "look  new" in told and "effect: read" in told
        digest = re.search(r"look  new  ([0-9a-f]{12})", told)
        assert digest is not None
        code, told = await asyncio.to_thread(_run, "mcp", "diff", "own", "--offline", *there)
        assert code == 1 and "+description: Look." in told
        approve = ["mcp", "approve", "own", *there]
        code, told = await asyncio.to_thread(_run, *approve, "look", "--key", gateway.keys["casey"])
        assert code == 2 and "console right" in told
        code, told = await asyncio.to_thread(
            _run, *approve, "look@000000000000", "--key", gateway.keys["ops"]
        )
        assert code == 2 and "look at it again" in told
        before = gateway.live.site.version
        code, told = await asyncio.to_thread(
            _run, *approve, f"look@{digest[1]}", "--key", gateway.keys["ops"], "--json"
        )
        assert code == 0 and json.loads(told) == [
            {"name": "own__look", "state": "approved", "effect": "read"}
        ]
        await asyncio.to_thread(gateway.until, lambda: gateway.live.site.version != before)
        assert await Mcp(gateway).names(server="own") == ["look"]
        code, told = await asyncio.to_thread(_run, "mcp", "list", *there)
        assert code == 0 and "own" in told
        code, told = await asyncio.to_thread(
            _run, "mcp", "refuse", "own", "look", "--key", gateway.keys["ops"], *there
        )
        assert code == 0 and "refused" in told
        await asyncio.to_thread(gateway.until, lambda: not gateway.live.site.application().mcp.tools.by_name)
        assert await Mcp(gateway).names(server="own") == []
        kinds = {str(record.event["type"]) for record in gateway.plant.ledger.latest(100)}
        assert {"mcp.approved", "mcp.refused"} <= kinds


async def test_only_operators_decide(start: Start) -> None:
    mcp = start()
    review = (await mcp.review())[0]
    casey = mcp.gateway.plant.keys.verify(mcp.gateway.keys["casey"])
    assert casey is not None
    for decide in (mcp_review.approve, mcp_review.refuse):
        with pytest.raises(IdentityError):
            decide(mcp.desk, review, casey)


async def test_another_process_learns_of_an_approval(start: Start) -> None:
    mcp = start()
    await mcp.review()
    other = Database(mcp.gateway.data_dir / "state.db")
    try:
        pins = Pins(other)
        before = mcp.gateway.live.site.version
        pins.approve(pins.get("fake", "look"), "read", (), "default/ops")
    finally:
        other.close()
    await asyncio.to_thread(mcp.gateway.until, lambda: mcp.gateway.live.site.version != before)
    assert await mcp.names() == ["look"]


async def test_a_decision_names_the_version_with_its_approvals(start: Start, fake: FakeServer) -> None:
    fake.tools = [tool("look"), tool("see")]
    mcp = start()
    await mcp.approve("look")
    await mcp.call("look")
    first = mcp.decisions("tool_call")[0]["policy"]
    await mcp.approve("see")
    await mcp.call("look", {"about": "again"})
    assert mcp.decisions("tool_call")[0]["policy"] != first


def test_pins_are_bound_to_what_was_shown(tmp_path: Path) -> None:
    pins = Pins(Database(tmp_path / "state.db"))
    one, two = Offered("t", "one", {}, {}), Offered("t", "two", {}, {})
    assert pins.see("s", [one]) == []
    assert pins.get("s", "t").state is PinState.NEW
    pins.approve(pins.get("s", "t"), "read", ("a",), "x/y")
    assert pins.get("s", "t").state is PinState.APPROVED
    changed = pins.see("s", [two])
    assert [pin.tool for pin in changed] == ["t"] and pins.see("s", [two]) == []
    pin = pins.refuse(pins.get("s", "t"), "x/y")
    assert pin.state is PinState.REFUSED
    pins.see("s", [one])
    assert pins.get("s", "t").state is PinState.NEW
    pins.approve(pins.get("s", "t"), "read", (), "x/y")
    pins.see("s", [])
    assert pins.get("s", "t").state is PinState.GONE
    assert pins.revision() == 3


def test_a_digest_covers_everything() -> None:
    base: dict[str, Any] = {
        "name": "t",
        "description": "d",
        "parameters": {"a": 1},
        "annotations": {},
        "output": None,
    }
    digests = {
        Offered(**{**base, **change}).digest
        for change in (
            {},
            {"name": "u"},
            {"description": "D"},
            {"parameters": {"a": 2}},
            {"annotations": {"x": 1}},
            {"output": {}},
        )
    }
    assert len(digests) == 6
    again = Offered.read(Offered(**base).text)
    assert again.digest == Offered(**base).digest and difference(again, Offered(**base)) == []


def test_names_never_meet() -> None:
    pairs = [
        ("a", "b"),
        ("a", "b__c"),
        ("a-b", "c"),
        ("a", "b.c"),
        ("a", "b/c"),
        ("a", "b c"),
        ("a", "x" * 90),
    ]
    names = [registry_name(*pair) for pair in pairs]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)


def test_hiding_signs() -> None:
    text = "a\x1b[2Jb\u200bc\u202ed\U000e0041e\nf"
    assert visible(text) == "a␣U+001B[2Jb␣U+200Bc␣U+202Ed␣U+E0041e\nf"
    assert cleaned(text) == "a[2Jbcde\nf"


async def test_the_console(start: Start, fake: FakeServer) -> None:
    mcp = start()
    ops = mcp.gateway.plant.keys.verify(mcp.gateway.keys["ops"])
    casey = mcp.gateway.plant.keys.verify(mcp.gateway.keys["casey"])
    assert ops is not None and casey is not None
    backend = GatewayBackend(Gateway(mcp.gateway.live))
    await mcp.review()
    (server,) = await backend.servers()
    (shown,) = server.tools
    assert (shown.state, shown.name, shown.effect) == ("new", "fake__look", "read")
    word = ("fake", "look", shown.digest)
    for who, digest in ((casey, shown.digest), (ops, "0" * 64)):
        with pytest.raises(RingwallError):
            await backend.decide_server_tool("fake", "look", digest, who, approve=True, despite=False)
    with pytest.raises(RingwallError):
        await backend.look_at_server("fake", casey)
    await backend.decide_server_tool(*word, ops, approve=True, despite=False)
    await asyncio.to_thread(mcp.gateway.until, lambda: mcp.gateway.live.site.application().mcp.tools.by_name)
    assert await mcp.names() == ["look"]
    await backend.decide_server_tool(*word, ops, approve=False, despite=False)
    assert (await backend.servers())[0].tools[0].state == "refused"
