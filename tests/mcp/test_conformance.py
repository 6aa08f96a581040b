"""The protocol's own conformance suite against the gateway.

``RINGWALL_TEST_MCP_CONFORMANCE`` is the suite's entry: ``dist/index.js`` of
``@modelcontextprotocol/conformance``. ``node`` is on the path, or named by ``RINGWALL_TEST_NODE``.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.mcp.conftest import Start
from tests.mcp.everything import TOOLS

EXPECTED = {
    **dict.fromkeys(
        (
            *("resources-list", "resources-read-text", "resources-read-binary", "resources-templates-read"),
            *("resources-subscribe", "resources-unsubscribe"),
        ),
        "resources are not passed on, and not announced",
    ),
    **dict.fromkeys(
        (
            *("prompts-list", "prompts-get-simple", "prompts-get-with-args"),
            *("prompts-get-embedded-resource", "prompts-get-with-image"),
        ),
        "prompts are not passed on, and not announced",
    ),
    "completion-complete": "there is nothing to complete",
    "logging-set-level": "what a server logs is dropped",
    "tools-call-with-logging": "what a server logs is dropped",
    "tools-call-audio": "nothing can look into sound",
    "server-sse-polling": "asks for a tool that ends its own stream; streams can't be resumed here",
}
"""What does not pass, and why."""


@pytest.mark.timeout(300)
async def test_the_suite_finds_nothing_new(start: Start) -> None:
    suite = os.environ.get("RINGWALL_TEST_MCP_CONFORMANCE", "")
    node = os.environ.get("RINGWALL_TEST_NODE") or shutil.which("node")
    if not suite or node is None:
        pytest.skip("the conformance suite is not there")
    unmetered = {"requests": "100k/min", "tokens": "900m/hour"}
    mcp = start(
        servers={
            "every": {
                "command": sys.executable,
                "args": [str(Path(__file__).with_name("everything.py"))],
                "protocol": "handshake",
                "images": True,
                "sampling": True,
                "elicitation": True,
                "tools": {name: {"effect": "read"} for name in TOOLS},
            }
        },
        applications={"assistant": {"anonymous": True, "roles": []}},
        interface={"anonymous": True, "quotas": {**unmetered, "anonymous": unmetered}},
        application={"breakers": {"identical_calls": 50}},
    )
    await mcp.approve(server="every", anyway=True)
    address = f"{mcp.gateway.url.replace('127.0.0.1', 'localhost')}/mcp/every"
    ran = await asyncio.to_thread(
        subprocess.run,
        [node, suite, "server", "--suite", "all", "--url", address],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    found = {name: mark for mark, name in re.findall(r"^([✓✗]) ([\w-]+): ", ran.stdout, re.MULTILINE)}
    assert found, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert {name for name, mark in found.items() if mark == "✗"} <= set(EXPECTED), ran.stdout
    assert sum(mark == "✓" for mark in found.values()) >= 16
