"""Addresses in every spelling, the egress list, and the client that enforces it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.application.addresses import host_of
from ringwall.boundaries.application.compose import PolicyServices
from ringwall.boundaries.application.destination import DestinationControl, DestinationSettings
from ringwall.boundaries.application.egress import Egress, EgressLimits, EgressRefused
from ringwall.boundaries.application.entities import Entities
from ringwall.boundaries.application.settings import EgressRule, KnownEntities
from ringwall.core import MODEL, USER, Action, UpstreamError, Verdict, untrusted

OUTSIDE = untrusted("tool:fetch_page")

PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    "http://[fc00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254./",
    "http://0xA9FEA9FE/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://foo.localhost/",
    "http://metadata.google.internal/",
    "http://127.0.0.1.nip.io/",
    "http://help.brightlamp.example@127.0.0.1/",
    "http://help.brightlamp.example:80@127.0.0.1/",
    "http://help.brightlamp.example\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http:/127.0.0.1/",
    "//127.0.0.1/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://loc%61lhost/",
    "http://127.0.0.1%2f@help.brightlamp.example/",
    "http://127.0.0.1:22/",
    "gopher://127.0.0.1:6379/_x",
    "ftp://127.0.0.1/",
    "http://1\t27.0.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]


@pytest.fixture
def judge(services: PolicyServices, tool_call: Any) -> Any:
    control = DestinationControl(DestinationSettings(), services.registry, services.entities)

    def ask(tool: str, arguments: dict[str, Any], labels: Any = OUTSIDE, **more: Any) -> Verdict:
        return control.inspect(tool_call(tool, arguments, labels, **more))

    return ask


def rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_refused_in_every_spelling(judge: Any, url: str) -> None:
    for labels in (USER, OUTSIDE):
        verdict = judge("fetch_page", {"url": url}, labels, approved=True)
        assert verdict.action is Action.BLOCK, url


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "[::1]", "localhost", "169.254.169.254", "2130706433"])
def test_bare_hosts_count_where_the_argument_is_a_target(judge: Any, host: str) -> None:
    assert rules(judge("fetch_page", {"url": host}, USER)) == {"private"}


def test_an_address_that_is_written_for_one_reader_and_means_another_is_not_the_listed_one() -> None:
    for url in PRIVATE:
        host = host_of(url)
        assert host.problem, url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://help.brightlamp.example/a?b#c", "help.brightlamp.example"),
        ("https://HELP.brightlamp.example.:443/", "help.brightlamp.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://8.8.8.8/", ""),
        ("help.brightlamp.example", "help.brightlamp.example"),
    ],
)
def test_public_hosts_are_read(url: str, name: str) -> None:
    host = host_of(url)
    assert (host.name, host.problem) == (name, "")


def test_a_place_in_the_name_of_a_key_is_one_that_the_argument_names() -> None:
    known = Entities(KnownEntities(emails=frozenset({"a@shop.example"}), names=frozenset({"general"})))
    assert known.knows_value({"mailbox": "a@shop.example"})
    for places in ({"eve@evil.example": "general"}, [{"//evil.example/x": "a@shop.example"}]):
        assert not known.knows_value(places), places


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example\\@evil.example/",
        "eve%evil.example@shop.example",
        "evil.example!eve@shop.example",
    ],
)
def test_a_place_behind_a_known_one_is_not_known(text: str) -> None:
    """A client may read the URL as going to the other host; mail servers may pass on what is routed."""
    known = Entities(
        KnownEntities(email_domains=frozenset({"shop.example"}), hosts=frozenset({"shop.example"}))
    )
    assert known.knows_value("https://shop.example/")
    assert not known.knows_value(text)


def test_a_host_with_letters_that_clients_read_differently_is_not_the_one_that_it_looks_like() -> None:
    known = Entities(
        KnownEntities(email_domains=frozenset({"strasse.example"}), emails=frozenset({"a@ss.eu"}))
    )
    assert known.knows_value("anna@strasse.example")
    for stranger in ("anna@straße.example", "anna@STRAẞE.example", "a@ß.eu", "anna@stra\u200dsse.example"):
        assert not known.knows_value(stranger), stranger
    for url in ("https://straße.example/", "https://stra%C3%9Fe.example/", "https://ol\u03c2.example/"):
        assert host_of(url).problem, url


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789abcdefx.:[]%/@\\", max_size=40))
def test_reading_a_host_never_raises(text: str) -> None:
    host_of(text)
    host_of("http://" + text)


def test_fetching_reaches_known_hosts_and_what_the_user_typed(judge: Any) -> None:
    assert judge("fetch_page", {"url": "https://help.brightlamp.example/a"}).action is Action.ALLOW
    for url in (
        "https://evil.example/",
        "https://help.brightlamp.example.evil.example/",
        "https://nothelp.brightlamp.example/",
        "https://help.brightlamp.example@evil.example/",
        "https://evil.example\\help.brightlamp.example/",
    ):
        assert judge("fetch_page", {"url": url}, OUTSIDE, approved=True).action is Action.BLOCK, url
        ambiguous = "@" in url or "\\" in url
        typed = judge("fetch_page", {"url": url}, USER)
        assert typed.action is (Action.BLOCK if ambiguous else Action.ALLOW), url


def test_an_address_that_was_read_may_be_followed_as_it_stands(judge: Any) -> None:
    read = {"verbatim": {"call_1": frozenset({"url"})}}
    assert judge("fetch_page", {"url": "https://evil.example/x"}, OUTSIDE, **read).action is Action.ALLOW
    carries = {"url": "https://evil.example/?d=" + "a" * 100}
    assert rules(judge("fetch_page", carries, OUTSIDE, **read)) == {"data-in-address"}
    assert judge("fetch_page", {"url": "http://127.1/"}, OUTSIDE, **read).action is Action.BLOCK


def test_sending_to_an_unknown_place_waits_for_a_person(judge: Any) -> None:
    call = ("send_email", {"to": ["eve@evil.example"], "body": "hi"})
    assert judge(*call).action is Action.HOLD
    assert judge(*call, {"to[0]": MODEL, "body": USER}).action is Action.HOLD
    assert judge(*call, {}).action is Action.HOLD, "no provenance is not the user's"
    assert judge(*call, approved=True).action is Action.ALLOW
    assert judge(*call, {"to[0]": USER, "body": OUTSIDE}).action is Action.ALLOW
    mixed = ("send_email", {"to": ["a@brightlamp.example", "eve@evil.example"], "body": "hi"})
    assert judge(*mixed, {"to[0]": USER, "to[1]": OUTSIDE}).action is Action.HOLD
    hidden = ("send_email", {"to": ["a@brightlamp.example, eve@evil.example"], "body": "hi"})
    assert judge(*hidden).action is Action.HOLD


def test_a_body_may_speak_of_addresses(judge: Any) -> None:
    body = "see http://localhost:8000 and https://evil.example/?" + "d" * 200
    assert judge("send_email", {"to": ["a@brightlamp.example"], "body": body}).action is Action.ALLOW


def test_data_in_the_address_of_an_unknown_host_is_refused_unless_the_user_typed_it_all(judge: Any) -> None:
    call = ("fetch_page", {"url": "https://x.example/?d=" + "a" * 100})
    assert rules(judge(*call, OUTSIDE)) == {"data-in-address"}
    assert judge(*call, USER).action is Action.ALLOW


class Answers(AbstractResolver):
    """A name service under test control: the n-th question gets the n-th answer."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        return None


NEVER = web.AppKey("never", asyncio.Event)


async def page(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/ok":
            return web.Response(text="hello")
        case "/big":
            return web.Response(text="x" * 5000)
        case "/image":
            return web.Response(body=b"x", content_type="image/png")
        case "/here":
            raise web.HTTPFound("/ok")
        case "/away":
            raise web.HTTPFound("http://other.example/ok")
        case "/round":
            raise web.HTTPFound("/round")
        case "/slow":
            await request.app[NEVER].wait()
    raise web.HTTPNotFound


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app[NEVER] = asyncio.Event()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def rule(port: int, **more: Any) -> EgressRule:
    data = {"host": "shop.example", "schemes": ["http"], "ports": [port], "private": True, **more}
    return EgressRule.model_validate(data)


async def test_the_client_fetches_what_the_list_allows_and_follows_on_the_same_host(port: int) -> None:
    egress = Egress([rule(port)], resolver=Answers("127.0.0.1", "127.0.0.1", "127.0.0.1"))
    try:
        assert (await egress.fetch(f"http://shop.example:{port}/ok")).text == "hello"
        assert (await egress.fetch(f"http://shop.example:{port}/here")).url.endswith("/ok")
    finally:
        await egress.close()


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://other.example:{port}/ok", {}),
        ("http://shop.example/ok", {}),
        ("https://shop.example:{port}/ok", {}),
        ("http://shop.example:{port}/ok", {"method": "POST"}),
        ("http://shop.example:{port}/ok", {"tool": "other"}),
        ("http://shop.example:{port}/private/../ok", {}),
        ("http://shop.example:{port}/okay", {}),
        ("http://u:p@shop.example:{port}/ok", {}),
        ("http://shop.example:x/ok", {}),
        ("http://sh\u00adop.example:{port}/ok", {}),
        ("file:///etc/passwd", {}),
    ],
)
async def test_what_no_rule_lets_out_stays_in(url: str, options: dict[str, str], port: int) -> None:
    egress = Egress([rule(port, path="/ok", tools=["shop"])], resolver=Answers())
    with pytest.raises(EgressRefused):
        await egress.fetch(url.format(port=port), **{"tool": "shop", **options})
    assert egress.rule_for(f"http://shop.example:{port}/ok", "GET", "shop").host == "shop.example"
    await egress.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(address: str, port: int) -> None:
    egress = Egress([rule(port, private=False)], resolver=Answers(address))
    with pytest.raises(EgressRefused, match="stands for"):
        await egress.fetch(f"http://shop.example:{port}/ok")
    await egress.close()


async def test_metadata_is_refused_even_for_an_internal_host(port: int) -> None:
    egress = Egress([rule(port)], resolver=Answers("169.254.169.254"))
    with pytest.raises(EgressRefused, match="metadata"):
        await egress.fetch(f"http://shop.example:{port}/ok")
    await egress.close()


async def test_an_answer_that_changes_between_check_and_use_does_not_help(port: int) -> None:
    answers = Answers("8.8.8.8", "127.0.0.1")
    egress = Egress([rule(port, private=False)], resolver=answers, limits=EgressLimits(seconds=0.3))
    with pytest.raises((UpstreamError, EgressRefused)):
        await egress.fetch(f"http://shop.example:{port}/ok")
    assert answers.addresses == ["127.0.0.1"], "the name was asked for once"
    await egress.close()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/big", "larger"),
        ("/image", "not text"),
        ("/away", "another host"),
        ("/round", "circles"),
        ("/slow", "in time"),
    ],
)
async def test_answers_are_bounded(path: str, says: str, port: int) -> None:
    resolver = Answers(*["127.0.0.1"] * 5)
    egress = Egress([rule(port)], resolver=resolver, limits=EgressLimits(bytes=1000, seconds=1.0))
    with pytest.raises((UpstreamError, EgressRefused), match=says):
        await egress.fetch(f"http://shop.example:{port}{path}")
    await egress.close()


async def test_a_dead_host_is_an_upstream_error() -> None:
    egress = Egress([rule(1)], resolver=Answers("127.0.0.1"))
    with pytest.raises(UpstreamError):
        await egress.fetch("http://shop.example:1/ok")
    await egress.close()
    assert issubclass(aiohttp.ClientConnectorError, aiohttp.ClientError)


def test_places_beyond_what_is_looked_at_are_not_let_through(judge: Any) -> None:
    known = ["a@brightlamp.example"] * 100
    for to in (
        [", ".join([*known, "eve@evil.example"])],
        ["a@brightlamp.example " + "x" * 70_000 + " eve@evil.example"],
    ):
        verdict = judge("send_email", {"to": to, "body": "hi"}, approved=True)
        assert verdict.action is Action.BLOCK
