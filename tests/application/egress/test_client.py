"""The guarded client against a real server: redirects, headers, sizes, types, and what the gate is told."""

import asyncio
import socket
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from ringwall.boundaries.application.egress import Egress, EgressLimits, EgressRefused, Outbound
from ringwall.boundaries.application.egress_headers import incoming, outgoing
from ringwall.boundaries.application.egress_settings import EgressRule
from ringwall.core import UpstreamError

from .conftest import NAME, Build, Names, Web
from .spellings import differential, urls


async def test_redirects_to_every_refused_form_stay_in(build: Build, site: Web) -> None:
    """Judged like a first request, and not followed to another host at all."""
    egress = build()
    forms = [url for url in urls() if url.isprintable()][::12] + list(differential())
    for form in forms:
        with pytest.raises((EgressRefused, UpstreamError)):
            await egress.fetch(f"http://{NAME}:{site.http}/to?u={quote(form, safe='')}")
    assert {request.path for request in site.seen} == {"/to"}
    assert len(forms) > 100


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        ("/ok", ""),
        ("ok", ""),
        ("//shop.example:{http}/ok", ""),
        ("https://shop.example:{https}/ok", ""),
        ("https://shop.example:{https}/private", "egress list"),
        ("http://shop.example:1/ok", "egress list"),
        ("//elsewhere.example/ok", "another host"),
        ("http://sub.shop.example:{http}/ok", "another host"),
        ("http://shop.example:{http}@127.0.0.1/ok", "another host"),
        ("file:///etc/passwd", "another host"),
    ],
)
async def test_redirects_are_judged(target: str, refused: str, build: Build, site: Web) -> None:
    opener = EgressRule(
        host=NAME, path="/to", ports=frozenset({site.http}), schemes=frozenset({"http"}), private=True
    )
    egress = build(opener, path="/ok", methods=["GET"])
    url = f"http://{NAME}:{site.http}/to?u=" + quote(target.format(http=site.http, https=site.https), safe="")
    if refused:
        with pytest.raises(EgressRefused, match=refused):
            await egress.fetch(url)
    else:
        assert (await egress.fetch(url)).text == "hello"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "grün"),
        ("windows-1252", "grün"),
        *((c, "gr\ufffdn") for c in ("punycode", "zlib", "x", "idna")),
    ],
)
async def test_charsets_are_those_of_the_web(charset: str, text: str, build: Build, site: Web) -> None:
    """Others are slow, or no charsets at all."""
    assert (await build().fetch(f"http://{NAME}:{site.http}/charset?c={charset}")).text == text


async def test_a_redirect_may_be_written_in_any_case(build: Build, site: Web) -> None:
    url = f"http://{NAME}:{site.http}/to?h=location&u="
    assert (await build().fetch(url + "/ok", method="get")).text == "hello"
    with pytest.raises(EgressRefused):
        await build().fetch(url + "http://127.0.0.1/")


async def test_credentials_stay_with_their_origin(build: Build, site: Web) -> None:
    headers = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Mine": "yes"}
    url = f"http://{NAME}:{site.http}/to?u="
    await build().fetch(url + "/ok", headers=headers)
    assert site.seen[-1].headers["Authorization"] == "Bearer x"
    await build().fetch(url + f"https://{NAME}:{site.https}/ok", headers=headers)
    assert "Authorization" not in site.seen[-1].headers
    assert "Cookie" not in site.seen[-1].headers
    assert site.seen[-1].headers["X-Mine"] == "yes"


async def test_a_caller_writes_no_headers_of_the_connection(build: Build, site: Web) -> None:
    headers = {
        "Host": "elsewhere.example",
        "Connection": "X-Secret, close",
        "X-Secret": "hop",
        "Transfer-Encoding": "chunked",
        "Content-Length": "999",
        "Proxy-Authorization": "Basic x",
        "Upgrade": "websocket",
        "Accept-Encoding": "gzip",
        "X-Mine": "yes",
    }
    await build().fetch(f"http://{NAME}:{site.http}/echo", method="POST", headers=headers, body=b"four")
    sent = site.seen[-1].headers
    assert sent["Host"] == f"{NAME}:{site.http}"
    assert sent["Content-Length"] == "4"
    assert sent["Accept-Encoding"] == "identity"
    assert sent["X-Mine"] == "yes"
    assert not {"X-Secret", "Transfer-Encoding", "Proxy-Authorization", "Upgrade"} & set(sent)


@pytest.mark.parametrize(
    "header",
    [
        *(("A", "b\r\nHost: x"), ("A", "b\nC: d"), ("A", "b\x00"), ("A", "€")),
        *(("A\r\nB", "c"), ("A B", "c"), ("", "x"), ("A:", "x"), ("Ä", "x")),
    ],
)
async def test_headers_that_smuggle_are_refused(header: tuple[str, str], build: Build, site: Web) -> None:
    with pytest.raises(EgressRefused, match="header"):
        await build().fetch(f"http://{NAME}:{site.http}/ok", headers=dict([header]))
    assert not site.seen


def test_headers_are_bounded_and_filtered_both_ways() -> None:
    with pytest.raises(EgressRefused, match="more than"):
        outgoing([("A", "b")] * 101)
    answer = [("A", "b"), ("Connection", "C"), ("C", "d"), ("E", "\r\n"), ("Content-Length", "5")]
    assert incoming(answer) == [("A", "b")]


@pytest.mark.parametrize(
    ("path", "rule", "says"),
    [
        ("big", {"max_bytes": 4999}, "larger than 4999"),
        ("endless", {"max_bytes": 10_000}, "larger than 10000"),
        ("image", {}, "not text"),
        ("ok", {"types": ["image/*"]}, "type that was not asked for"),
        ("gzip", {"types": ["*"]}, "compressed"),
        ("broken", {}, "broke off"),
        ("slow", {"timeout_s": 0.2}, "in time"),
    ],
)
async def test_answers_keep_to_the_rule(
    path: str, rule: dict[str, Any], says: str, build: Build, site: Web
) -> None:
    with pytest.raises(UpstreamError, match=says):
        await build(**rule).fetch(f"http://{NAME}:{site.http}/{path}")


@pytest.mark.parametrize("types", [["image/png"], ["image/*"], ["*"], ["text/html", "image/png"]])
async def test_a_rule_may_open_other_types(types: list[str], build: Build, site: Web) -> None:
    fetched = await build(types=types).fetch(f"http://{NAME}:{site.http}/image")
    assert fetched.content_type == "image/png"


async def test_bodies_are_bounded_before_anything_is_sent(build: Build, site: Web) -> None:
    url = f"http://{NAME}:{site.http}/echo"
    names = Names("127.0.0.1")
    egress = build(max_request_bytes=10, names=names)
    assert (await egress.fetch(url, method="POST", body=b"x" * 10)).status == 200
    names.asked.clear()
    with pytest.raises(EgressRefused, match="larger than 10"):
        await egress.fetch(url, method="POST", body=b"x" * 11)
    with pytest.raises(EgressRefused, match="larger than 4"):
        await build(limits=EgressLimits(request_bytes=4)).fetch(url, method="POST", body=b"x" * 5)
    assert not names.asked


async def test_the_gate_is_asked_for_each_request_before_a_name_is_looked_up(build: Build, site: Web) -> None:
    asked: list[Outbound] = []
    names = Names("127.0.0.1")

    async def decide(outbound: Outbound) -> None:
        assert len(names.asked) <= len(asked)
        asked.append(outbound)

    egress = build(names=names).bound("shop", decide)
    await egress.fetch(f"http://{NAME}:{site.http}/to?u=/ok%3Fsecret=s3cr3t")
    with pytest.raises(EgressRefused):
        await egress.fetch("http://169.254.169.254/")
    facts = [one.facts() for one in asked]
    assert [one["host"] for one in facts] == [NAME, NAME, "169.254.169.254"]
    assert [one["listed"] for one in facts] == [True, True, False]
    assert facts[1]["query_chars"] == len("secret=s3cr3t")
    assert "s3cr3t" not in str(facts) + repr(asked)


async def test_a_refusal_of_the_gate_keeps_the_request_in(build: Build, site: Web) -> None:
    names = Names("127.0.0.1")

    async def decide(_: Outbound) -> None:
        raise EgressRefused("No.")

    with pytest.raises(EgressRefused, match=r"^No\.$"):
        await build(names=names).fetch(f"http://{NAME}:{site.http}/ok", decide=decide)
    assert not names.asked
    assert not site.seen


async def test_the_gate_is_told_when_a_name_stands_for_a_private_address(build: Build, site: Web) -> None:
    asked: list[Outbound] = []

    async def decide(outbound: Outbound) -> None:
        asked.append(outbound)

    with pytest.raises(EgressRefused, match="stands for"):
        await build(private=False).fetch(f"http://{NAME}:{site.http}/ok", decide=decide)
    assert [one.problem for one in asked] == ["", "The name stands for a loopback address."]


async def test_a_tool_can_not_speak_for_another(build: Build, site: Web) -> None:
    egress = build(tools=["shop"])
    url = f"http://{NAME}:{site.http}/ok"
    assert (await egress.bound("shop").fetch(url, tool="shop")).text == "hello"
    with pytest.raises(EgressRefused, match="name of another"):
        await egress.bound("other").fetch(url, tool="shop")
    with pytest.raises(EgressRefused):
        await egress.bound("other").fetch(url)


async def test_tls_verifies_the_name(build: Build, site: Web) -> None:
    egress = build(
        EgressRule.model_validate({"host": "wrong.example", "ports": [site.https], "private": True})
    )
    assert (await egress.fetch(f"https://{NAME}:{site.https}/ok")).text == "hello"
    with pytest.raises(UpstreamError, match="could not be reached"):
        await egress.fetch(f"https://wrong.example:{site.https}/ok")


async def test_a_connection_that_one_rule_opened_serves_no_other(site: Web) -> None:
    """Else a rule without ``private`` would go where another may."""
    data = {"host": NAME, "schemes": ["http"], "ports": [site.http]}
    rules = [
        EgressRule.model_validate({**data, "path": "/ok", "private": True}),
        EgressRule.model_validate({**data, "path": "/big"}),
    ]
    egress = Egress(rules, resolver=Names("127.0.0.1"))
    assert (await egress.fetch(f"http://{NAME}:{site.http}/ok")).text == "hello"
    with pytest.raises(EgressRefused, match="stands for"):
        await egress.fetch(f"http://{NAME}:{site.http}/big")
    await egress.close()


async def test_addresses_of_the_sixth_version() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    app = web.Application()
    app.router.add_get("/ok", _hello)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "::1", 0).start()
    except OSError:
        await runner.cleanup()
        pytest.skip("no IPv6 here")
    port = runner.addresses[0][1]
    rule = {"host": "::1", "schemes": ["http"], "ports": [port], "private": True}
    egress = Egress([EgressRule.model_validate(rule)])
    try:
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]"):
            assert (await egress.fetch(f"http://{host}:{port}/ok")).text == "hello"
        for host in ("[::1%25lo]", "[::ffff:127.0.0.1]", "127.0.0.1", "localhost"):
            with pytest.raises(EgressRefused):
                await egress.fetch(f"http://{host}:{port}/ok")
    finally:
        await egress.close()
        await runner.cleanup()


async def _hello(_: web.Request) -> web.Response:
    await asyncio.sleep(0)
    return web.Response(text="hello")
