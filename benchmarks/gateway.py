"""Added latency and throughput of the gateway, beside a bare proxy and a direct call in the same run.

    python benchmarks/gateway.py [--requests 1500] [--json]

Upstream, bare proxy and gateway each run in a process of their own on the loopback interface; the load comes
from this process. Absolute times depend on the machine: the ratios are what to read.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
WORKLOAD = """
workload: benchmark
applications:
  assistant:
    roles: [user]
    system_prompt: ./prompt.md
principals:
  roles: {user: {}}
  starter_keys: [{subject: load, roles: [user]}]
interface: {quotas: {requests: 1000000/min, tokens: 1000000k/min}}
"""
PROMPT = "You are the assistant of a lighting shop. Answer briefly, cite the handbook and stay friendly.\n"
QUESTION = (
    "My order of three desk lamps arrived yesterday and one of them flickers when it is dimmed below half. "
    "The switch feels loose as well. I have tried two other bulbs and another socket, without any change. "
) * 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ready(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit(f"nothing listens on port {port}")


async def _one(session: aiohttp.ClientSession, url: str, body: bytes, stream: bool) -> tuple[float, float]:
    """Seconds to the first byte of the body and to its end."""
    begun = time.perf_counter()
    first = 0.0
    async with session.post(url, data=body) as answer:
        async for _ in answer.content.iter_any():
            first = first or time.perf_counter() - begun
        if answer.status != 200:
            raise SystemExit(f"{url} answered {answer.status}: {await answer.text()}")
    del stream
    return first, time.perf_counter() - begun


async def load(url: str, key: str, count: int, concurrency: int, stream: bool) -> dict[str, float]:
    """Latency percentiles in milliseconds, and requests per second."""
    messages = [{"role": "user", "content": QUESTION[:1024]}]
    body = json.dumps({"model": "m", "messages": messages, "stream": stream}).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    taken: list[tuple[float, float]] = []
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        todo = iter(range(count))

        async def worker() -> None:
            for _ in todo:
                taken.append(await _one(session, url, body, stream))

        await asyncio.gather(*(_one(session, url, body, stream) for _ in range(concurrency)))
        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        elapsed = time.perf_counter() - begun
    whole = sorted(end * 1000 for _, end in taken)
    first = sorted(start * 1000 for start, _ in taken)
    cut = statistics.quantiles(whole, n=100)
    return {
        "p50_ms": round(statistics.median(whole), 3),
        "p95_ms": round(cut[94], 3),
        "p99_ms": round(cut[98], 3),
        "first_byte_p50_ms": round(statistics.median(first), 3),
        "per_second": round(count / elapsed, 1),
    }


async def measure(count: int) -> dict[str, Any]:
    upstream, bare, ours = free_port(), free_port(), free_port()
    url = "http://127.0.0.1:{}/v1/chat/completions"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "ringwall.yaml").write_text(WORKLOAD)
        Path(folder, "prompt.md").write_text(PROMPT)
        gateway = [
            *(sys.executable, "-m", "ringwall", "up", "--workload", f"{folder}/ringwall.yaml"),
            *("--data-dir", f"{folder}/data", "--port", str(ours), "--print-key"),
            *("--upstream", f"http://127.0.0.1:{upstream}/v1"),
        ]
        commands = [
            [sys.executable, str(HERE / "upstream.py"), str(upstream)],
            [sys.executable, str(HERE / "bare_proxy.py"), str(bare), url.format(upstream)],
            gateway,
        ]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) for command in commands]
        try:
            assert running[2].stdout is not None
            key = json.loads(running[2].stdout.readline())["key"]
            for port in (upstream, bare, ours):
                await _ready(port)
            targets = {"direct": upstream, "bare proxy": bare, "ringwall": ours}
            return {
                f"{'stream' if stream else 'whole'} x{concurrency}": {
                    name: await load(url.format(port), key, count, concurrency, stream)
                    for name, port in targets.items()
                }
                for stream in (False, True)
                for concurrency in (1, 32)
            }
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)
                if process.stdout:
                    process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = asyncio.run(measure(options.requests))
    for rows in results.values():
        rows["ratios"] = {
            "added_p50_ms_over_direct": round(rows["ringwall"]["p50_ms"] - rows["direct"]["p50_ms"], 3),
            "added_first_byte_ms": round(
                rows["ringwall"]["first_byte_p50_ms"] - rows["direct"]["first_byte_p50_ms"], 3
            ),
            "throughput_of_bare_proxy": round(
                rows["ringwall"]["per_second"] / rows["bare proxy"]["per_second"], 3
            ),
        }
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for name, rows in results.items():
        print(f"\n{name}")
        for target, figures in rows.items():
            print(f"  {target:<11}", "  ".join(f"{key}={value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
