"""What a call costs through the MCP gateway, against the same call made directly, in the same run.

    python benchmarks/mcp_gateway.py [CALLS]

One server of the official SDK, started over standard input and output on both ways; one client session; p50
and p95 of each, and the difference. Every call through the gateway is judged by all controls, run, judged
again, and on the ledger before its answer leaves.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.pop(0)  # this folder has names of the standard library
sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx2
from mcp.client.streamable_http import streamable_http_client
from tests.conftest import running, workload
from tests.mcp.conftest import Mcp

from mcp import Client, StdioServerParameters

SERVER = '''
from mcp.server import MCPServer
server = MCPServer("clock")
@server.tool()
def read_clock(number: int) -> str:
    """Read the clock of a number."""
    return f"Clock {number} shows half past two."
server.run()
'''


async def measure(client: Client, calls: int) -> list[float]:
    """Seconds of each call, all with other arguments: a repeated call would be stopped."""
    taken = []
    for number in range(calls + 20):
        began = time.perf_counter()
        result = await client.call_tool("read_clock", {"number": number})
        taken.append(time.perf_counter() - began)
        assert not result.is_error, result.content
    return taken[20:]


async def direct(script: Path, calls: int) -> list[float]:
    server = StdioServerParameters(command=sys.executable, args=[str(script)])
    async with Client(server, mode="legacy") as client:
        return await measure(client, calls)


async def guarded(mcp: Mcp, calls: int, mode: str) -> list[float]:
    key = {"authorization": f"Bearer {mcp.gateway.keys['casey']}"}
    address = f"{mcp.gateway.url}/mcp/clock"
    async with (
        httpx2.AsyncClient(headers=key, timeout=30) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        return await measure(client, calls)


def told(name: str, taken: list[float]) -> float:
    median = statistics.median(taken) * 1000
    print(f"{name:<42} p50 {median:7.2f} ms   p95 {statistics.quantiles(taken, n=20)[18] * 1000:7.2f} ms")
    return median


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=200)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "clock.py"
        script.write_text(SERVER, "utf-8")
        content = workload("http://127.0.0.1:9/v1")
        content["application"]["mcp"] = {
            "servers": {"clock": {"command": sys.executable, "args": [str(script)]}}
        }
        content["applications"]["assistant"]["tools"] += ["clock__*"]
        content["application"]["breakers"] = {"calls": {"session": "100k/hour"}}
        with running(folder / "gateway", content) as gateway:
            mcp = Mcp(gateway)
            asyncio.run(mcp.approve(server="clock"))
            print(f"{calls} calls each, load {os.getloadavg()[0]:.1f}")
            base = told("direct (stdio)", asyncio.run(direct(script, calls)))
            for mode, era in (("legacy", "2025-11-25"), ("auto", "2026-07-28")):
                through = told(f"through the gateway ({era})", asyncio.run(guarded(mcp, calls, mode)))
                print(f"{'':<42} overhead p50 {through - base:.2f} ms")


if __name__ == "__main__":
    main()
