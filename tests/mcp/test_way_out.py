"""Requests out of a started server: which call one belongs to can't be told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.egress_list import EgressList
from ringwall.boundaries.application.egress_outbound import EgressRefused, Outbound
from ringwall.boundaries.application.egress_settings import EgressRule
from ringwall.boundaries.application.mcp.settings import McpServer
from ringwall.boundaries.application.mcp.upstream import Upstream

LIST = EgressList([EgressRule(host="listed.example")])
LISTED = LIST.judge("https://listed.example/", "GET", "own")
OTHER = LIST.judge("https://other.example/", "GET", "own")


class Result:
    content: tuple[Any, ...] = ()
    structured_content = None
    is_error = False


class Asked:
    """A turn that is asked; ``lets`` says what it answers."""

    def __init__(self, lets: bool = True) -> None:
        self.lets = lets
        self.times = 0

    async def __call__(self, outbound: Outbound) -> None:
        self.times += 1
        if not self.lets:
            raise EgressRefused("not now")


class Held:
    """A client whose calls end when they may."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def call_tool(self, *_: Any, **__: Any) -> Result:
        await self.go.wait()
        return Result()


async def _seen(_: Any) -> None: ...


@pytest.fixture
async def upstream(tmp_path: Path) -> Any:
    made = Upstream("own", McpServer(command="own"), tmp_path, _seen)
    made._client, made._task = Held(), asyncio.ensure_future(asyncio.sleep(60))  # type: ignore[assignment]
    yield made
    made._task.cancel()


async def test_every_call_under_way_must_let_it_out(upstream: Any) -> None:
    strict, mild = Asked(lets=False), Asked()
    calls = [asyncio.ensure_future(upstream.call("t", {}, decide=one)) for one in (strict, mild)]
    await asyncio.sleep(0)
    with pytest.raises(EgressRefused):
        await upstream._let_out(LISTED)
    upstream._client.go.set()
    await asyncio.gather(*calls)


async def test_between_calls_the_latest_is_asked(upstream: Any) -> None:
    await upstream._let_out(LISTED)  # it was given nothing yet: the list alone
    with pytest.raises(EgressRefused):
        await upstream._let_out(OTHER)
    upstream._client.go.set()
    asked = Asked()
    await upstream.call("t", {}, decide=asked)
    await upstream._let_out(LISTED)
    assert asked.times == 1
    asked.lets = False
    with pytest.raises(EgressRefused):
        await upstream._let_out(LISTED)
