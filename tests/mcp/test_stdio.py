"""Servers that the gateway starts: what they are given, what they may take, and that nothing stays."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.mcp.conftest import SECRET, Start, said

from ringwall.boundaries.application.mcp.stdio import CONFINED

SERVER = """
import json, os, resource, subprocess, sys, time
def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n"); sys.stdout.flush()
def facts():
    return {"env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid(), "left": os.listdir("."),
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "data": resource.getrlimit(resource.RLIMIT_DATA)[0]}
for line in sys.stdin:
    message = json.loads(line)
    key, method = message.get("id"), message.get("method")
    if key is None:
        continue
    if method == "initialize":
        send({"id": key, "result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
              "serverInfo": {"name": "s", "version": "1"}}})
    elif method == "tools/list":
        schema = {"type": "object", "properties": {"about": {"type": "string"}}}
        tool = {"name": "look", "description": "Look.", "inputSchema": schema}
        send({"id": key, "result": {"tools": [tool]}})
    elif method == "tools/call":
        about = message["params"]["arguments"]["about"]
        if about == "facts":
            send({"id": key, "result": {"content": [{"type": "text", "text": json.dumps(facts())}]}})
        elif about == "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            send({"id": key, "result": {"content": [{"type": "text", "text": json.dumps(child.pid)}]}})
        elif about == "line":
            while True:
                sys.stdout.write("x" * 65536); sys.stdout.flush()
        elif about == "noise":
            for _ in range(300):
                sys.stdout.write("no message\\n")
            sys.stdout.flush()
        elif about == "die":
            sys.exit(3)
        elif about == "slow":
            time.sleep(600)
    else:
        send({"id": key, "error": {"code": -32601, "message": "no"}})
"""


def started(folder: Path, **settings: Any) -> dict[str, Any]:
    script = folder / "server.py"
    script.write_text(SERVER, "utf-8")
    return {"own": {"command": sys.executable, "args": [str(script)], **settings}}


def _facts(result: Any) -> Any:
    told = said(result)
    return json.loads(told[told.index("\n") + 1 : told.rindex("\n[end of data")])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_server_is_given_what_it_needs_alone(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_TOKEN", SECRET)
    monkeypatch.setenv("RINGWALL_UPSTREAM_KEY", "not-for-tools")
    env = {"TOKEN": {"env": "OWN_TOKEN"}, "TZ": "UTC"}
    mcp = start(servers=started(tmp_path, env=env, limits={"memory_mb": 512}))
    await mcp.approve(server="own")
    result = await mcp.call("look", {"about": "facts"}, server="own")
    facts = _facts(result)
    assert "not-for-tools" not in said(result)
    assert facts["env"]["TOKEN"] == "[credential removed]"
    assert set(facts["env"]) <= {
        *("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PYTHONUNBUFFERED", "TOKEN", "TZ"),
        *(
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
        ),
        *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    }
    assert facts["env"]["HOME"] == facts["cwd"] != os.environ["HOME"]
    assert facts["left"] == [] and facts["core"] == 0 and facts["data"] == 512 << 20


async def test_nothing_of_a_server_stays(start: Start, tmp_path: Path) -> None:
    mcp = start(servers=started(tmp_path))
    await mcp.approve(server="own")
    async with mcp.client(server="own", mode="legacy") as client:
        facts = _facts(await client.call_tool("look", {"about": "facts"}))
        child = _facts(await client.call_tool("look", {"about": "child"}))
        assert _alive(facts["pid"]) and _alive(child)
    folder = Path(facts["cwd"])
    await asyncio.to_thread(
        mcp.gateway.until,
        lambda: not _alive(facts["pid"]) and not _alive(child) and not folder.exists(),
    )


@pytest.mark.parametrize("about", ["line", "noise", "die", "slow"])
async def test_a_server_that_fails_is_a_failed_call(start: Start, tmp_path: Path, about: str) -> None:
    mcp = start(servers=started(tmp_path, limits={"result_bytes": 200_000, "timeout_s": 2}))
    await mcp.approve(server="own")
    failed = await mcp.call("look", {"about": about}, server="own")
    assert failed.is_error and "own" in said(failed)
    result = await mcp.call("look", {"about": "facts"}, server="own")
    assert not result.is_error


async def test_a_program_that_is_not_there(start: Start) -> None:
    mcp = start(servers={"own": {"command": "ringwall-no-such-program", "limits": {"start_s": 5}}})
    async with mcp.client(server="own") as client:
        with pytest.raises(Exception, match="could not be reached"):
            await client.list_tools()


async def test_sessions_are_bounded(start: Start, tmp_path: Path) -> None:
    mcp = start(servers=started(tmp_path, limits={"sessions_per_principal": 1, "sessions": 2}))
    await mcp.approve(server="own")
    async with (
        mcp.client(server="own", mode="legacy") as first,
        mcp.client(server="own", mode="legacy") as second,
    ):
        one = _facts(await first.call_tool("look", {"about": "facts"}))
        other = _facts(await second.call_tool("look", {"about": "facts"}))
        assert one["pid"] != other["pid"]
        await asyncio.to_thread(mcp.gateway.until, lambda: not _alive(one["pid"]))


async def test_idle_sessions_end(start: Start, tmp_path: Path) -> None:
    mcp = start(servers=started(tmp_path, limits={"idle_s": 1.0}))
    await mcp.approve(server="own")
    async with mcp.client(server="own", mode="legacy") as client:
        facts = _facts(await client.call_tool("look", {"about": "facts"}))
        await asyncio.to_thread(mcp.gateway.until, lambda: not _alive(facts["pid"]))
        again = _facts(await client.call_tool("look", {"about": "facts"}))
        assert again["pid"] != facts["pid"]


async def test_a_shared_server_has_one_session(start: Start, tmp_path: Path) -> None:
    mcp = start(servers=started(tmp_path, shared=True))
    await mcp.approve(server="own")
    pids = {
        _facts(await mcp.call("look", {"about": "facts"}, server="own", subject=subject))["pid"]
        for subject in ("casey", "robin")
    }
    assert len(pids) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_ends_with_a_gateway_that_was_killed() -> None:
    """A killed gateway can't clean up, and not every server ends when its input does."""
    deaf = "import time; print('up', flush=True); time.sleep(600)"
    starter = (
        "import subprocess, sys, time\n"
        f"words = ['-I', '-S', {str(CONFINED)!r}, '512', sys.executable, '-c', {deaf!r}]\n"
        "child = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, start_new_session=True)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        pid = int(gateway.stdout.readline())
        assert _alive(pid)
        gateway.kill()
    until = time.monotonic() + 60
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    if left := _alive(pid):
        os.kill(pid, signal.SIGKILL)
    assert not left
