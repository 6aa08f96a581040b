"""Published servers, as their authors ship them."""

import subprocess
from pathlib import Path

import pytest
from tests.mcp.conftest import Start, peer, said


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_time(start: Start, mode: str) -> None:
    mcp = start(servers={"time": {"command": peer("mcp-server-time"), "args": ["--local-timezone", "UTC"]}})
    await mcp.approve(server="time")
    async with mcp.client(server="time", mode=mode) as client:
        assert {one.name for one in (await client.list_tools()).tools} == {"get_current_time", "convert_time"}
        told = await client.call_tool("get_current_time", {"timezone": "UTC"})
        assert not told.is_error and "UTC" in said(told)
        wrong = await client.call_tool("get_current_time", {"timezone": "Nowhere/Land"})
        assert wrong.is_error


async def test_git(start: Start, tmp_path: Path) -> None:
    command = peer("mcp-server-git")
    repository = tmp_path / "repository"
    repository.mkdir()
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=n@shop.example"]
    (repository / "lamp.txt").write_text("a lamp\n", "utf-8")
    for step in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First lamp"]):
        subprocess.run([*git, *step], check=True, capture_output=True)
    mcp = start(servers={"git": {"command": command, "args": ["--repository", str(repository)]}})
    await mcp.approve(server="git")
    async with mcp.client(server="git") as client:
        offered = {one.name: one for one in (await client.list_tools()).tools}
        hints = offered["git_log"].annotations, offered["git_commit"].annotations
        assert hints[0] is not None and hints[0].read_only_hint
        assert hints[1] is not None and not hints[1].read_only_hint
        log = await client.call_tool("git_log", {"repo_path": str(repository), "max_count": 1})
        assert not log.is_error and "First lamp" in said(log)


async def test_fetch_reaches_no_place_that_nobody_allowed(start: Start) -> None:
    mcp = start(servers={"fetch": {"command": peer("mcp-server-fetch")}})
    await mcp.approve(
        server="fetch", anyway=True
    )  # its description tells the model to forget what it was told
    async with mcp.client(server="fetch") as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["fetch"]
        for url in (
            "http://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:1/",
            "https://outside.example/",
        ):
            refused = await client.call_tool("fetch", {"url": url})
            assert refused.is_error and "Denied" in said(refused), url
