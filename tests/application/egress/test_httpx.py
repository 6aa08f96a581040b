"""The guarded transport of httpx2, against a real server."""

import httpx2
import pytest

from ringwall.boundaries.application.egress import EgressLimits, EgressRefused, Outbound
from ringwall.boundaries.application.egress_httpx import GuardedTransport

from .conftest import NAME, Build, Names, Web


async def test_it_goes_out_by_the_list_with_pinned_addresses(build: Build, site: Web) -> None:
    names = Names("127.0.0.1")
    async with httpx2.AsyncClient(transport=GuardedTransport(build(names=names), "mcp")) as client:
        assert (await client.get(f"https://{NAME}:{site.https}/ok")).text == "hello"
        sent = await client.post(
            f"http://{NAME}:{site.http}/echo",
            json={"a": 1},
            headers={"Host": "elsewhere.example", "Accept-Encoding": "gzip", "X-Mine": "yes"},
        )
        assert sent.json() == {"a": 1}
    headers = site.seen[-1].headers
    assert headers["Host"] == f"{NAME}:{site.http}"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["X-Mine"] == "yes"
    assert headers.getall("User-Agent")[0].startswith("python-httpx2")


async def test_events_stream(build: Build, site: Web) -> None:
    async with (
        httpx2.AsyncClient(transport=GuardedTransport(build(), "mcp")) as client,
        client.stream("GET", f"http://{NAME}:{site.http}/events") as answer,
    ):
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines == ["data: 0", "data: 1", "data: 2"]


@pytest.mark.parametrize(
    "url", ["http://elsewhere.example/", "http://127.0.0.1:{http}/ok", "http://shop.example:1/ok"]
)
async def test_what_no_rule_lets_out_stays_in(url: str, build: Build, site: Web) -> None:
    async with httpx2.AsyncClient(transport=GuardedTransport(build(), "mcp")) as client:
        with pytest.raises(EgressRefused):
            await client.get(url.format(http=site.http))
    assert not site.seen


async def test_redirects_that_the_client_follows_are_judged(build: Build, site: Web) -> None:
    async with httpx2.AsyncClient(
        transport=GuardedTransport(build(), "mcp"), follow_redirects=True
    ) as client:
        url = f"http://{NAME}:{site.http}/to"
        assert (await client.get(url, params={"u": "/ok"})).text == "hello"
        with pytest.raises(EgressRefused):
            await client.get(url, params={"u": "http://169.254.169.254/latest/"})


async def test_answers_are_bounded(build: Build, site: Web) -> None:
    egress = build(limits=EgressLimits(bytes=1000, seconds=0.3))
    async with httpx2.AsyncClient(transport=GuardedTransport(egress, "mcp")) as client:
        for path, error in (
            ("big", httpx2.ConnectError),
            ("endless", httpx2.ReadError),
            ("broken", httpx2.ReadError),
            ("slow", httpx2.ReadTimeout),
        ):
            with pytest.raises(error):
                await client.get(f"http://{NAME}:{site.http}/{path}")


async def test_the_gate_is_asked(build: Build, site: Web) -> None:
    asked: list[Outbound] = []

    async def decide(outbound: Outbound) -> None:
        asked.append(outbound)

    async with httpx2.AsyncClient(transport=GuardedTransport(build(), "mcp", decide=decide)) as client:
        await client.post(f"http://{NAME}:{site.http}/echo", content=b"four")
    assert [(one.tool, one.method, one.body_bytes) for one in asked] == [("mcp", "POST", 4)]
