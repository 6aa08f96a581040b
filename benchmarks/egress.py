"""What the egress guard costs: one small page over plain HTTP, by a bare client, by the guarded one, by its
httpx2 transport, and through the forward proxy. Keep-alive where the way has it.

    python benchmarks/egress.py
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import aiohttp
import httpx2
from aiohttp import web

from ringwall.boundaries.application.egress import Egress, EgressList
from ringwall.boundaries.application.egress_httpx import GuardedTransport
from ringwall.boundaries.application.egress_proxy import EgressProxy
from ringwall.boundaries.application.egress_settings import EgressRule

ROUNDS = 400
SECRET = "a-secret-for-the-benchmark"


async def main() -> None:
    app = web.Application()
    app.router.add_get("/", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/"
    rule = {"host": "127.0.0.1", "schemes": ["http"], "ports": [port], "private": True}
    others = [EgressRule(host=f"h{number}.example") for number in range(100)]
    egress = Egress([*others, EgressRule.model_validate(rule)])
    async with (
        aiohttp.ClientSession() as bare,
        httpx2.AsyncClient() as plain,
        httpx2.AsyncClient(transport=GuardedTransport(egress, "bench")) as guarded,
        EgressProxy(egress, {"bench": SECRET}) as proxy,
    ):
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "aiohttp": lambda: _read(bare, url),
            "guarded client, 101 rules": lambda: egress.fetch(url, tool="bench"),
            "httpx2": lambda: plain.get(url),
            "httpx2, guarded transport": lambda: guarded.get(url),
            "aiohttp through the proxy": lambda: _read(bare, url, proxy.url("bench")),
        }
        for name, way in ways.items():
            print(f"{name:<28} p50 {await _median(way):7.0f} us")
    print(f"{'the list alone, 101 rules':<28} p50 {_list_alone(egress.list, url):7.0f} us")
    await egress.close()
    await runner.cleanup()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _read(session: aiohttp.ClientSession, url: str, proxy: str | None = None) -> bytes:
    async with session.get(url, proxy=proxy) as answer:
        return await answer.read()


async def _median(way: Callable[[], Awaitable[object]]) -> float:
    spent = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await way()
        spent.append(1e6 * (time.perf_counter() - begun))
    return statistics.median(spent)


def _list_alone(rules: EgressList, url: str) -> float:
    spent = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        rules.judge(url, "GET", "bench")
        spent.append(1e6 * (time.perf_counter() - begun))
    return statistics.median(spent)


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0]).parse_args()
    asyncio.run(main())
