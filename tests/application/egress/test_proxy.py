"""The forward proxy with real clients over real TLS, and with clients that mean no good."""

import asyncio
import base64
import random
import shutil
import ssl
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.application.egress import Egress, EgressLimits, EgressRefused, Outbound
from ringwall.boundaries.application.egress_head import BadHead, parse_head
from ringwall.boundaries.application.egress_hello import Hello, NoHello, parse_hello, read_hello
from ringwall.boundaries.application.egress_proxy import EgressProxy, ProxyLimits
from ringwall.core import DataError

from .conftest import NAME, Build, Names, Trust, Web

SECRET = "a-secret-of-the-shop-tool"
SECRETS = {"shop": SECRET, "other": "another-secret-of-another"}
CREDENTIAL = b"Proxy-Authorization: Basic " + base64.b64encode(f"shop:{SECRET}".encode()) + b"\r\n"
QUICK = ProxyLimits(head_seconds=0.3, idle_seconds=0.3)


@pytest.fixture
async def proxy(build: Build) -> AsyncIterator[EgressProxy]:
    async with EgressProxy(build(tools=["shop"]), SECRETS) as running:
        yield running


async def say(proxy: EgressProxy, raw: bytes) -> bytes:
    """Send bytes, read all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(raw)
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_aiohttp_goes_through_plain_and_tls(proxy: EgressProxy, site: Web, trust: Trust) -> None:
    async with aiohttp.ClientSession() as session:
        for url in (f"http://{NAME}:{site.http}/ok", f"https://{NAME}:{site.https}/ok"):
            async with session.get(url, proxy=proxy.url("shop"), ssl=trust.client) as answer:
                assert (answer.status, await answer.text()) == (200, "hello")
        body = b'{"a": 1}'
        async with session.post(
            f"http://{NAME}:{site.http}/echo", data=body, proxy=proxy.url("shop")
        ) as answer:
            assert await answer.read() == body
    assert "proxy-authorization" not in site.seen[0].headers
    assert site.seen[0].headers["Host"] == f"{NAME}:{site.http}"


async def test_httpx2_goes_through_plain_and_tls(proxy: EgressProxy, site: Web, trust: Trust) -> None:
    async with httpx2.AsyncClient(proxy=proxy.url("shop"), verify=trust.client) as client:
        assert (await client.get(f"http://{NAME}:{site.http}/ok")).text == "hello"
        assert (await client.get(f"https://{NAME}:{site.https}/ok")).text == "hello"
        assert (await client.head(f"http://{NAME}:{site.http}/ok")).status_code == 200
        assert (await client.get(f"http://{NAME}:{site.http}/none")).status_code == 204


async def test_urllib_goes_through_plain_and_tls(proxy: EgressProxy, site: Web, trust: Trust) -> None:
    handlers = (
        urllib.request.ProxyHandler({"http": proxy.url("shop"), "https": proxy.url("shop")}),
        urllib.request.HTTPSHandler(context=trust.client),
    )
    opener = urllib.request.build_opener(*handlers)

    def get(url: str) -> bytes:
        with opener.open(url, timeout=5) as answer:
            return bytes(answer.read())

    assert await asyncio.to_thread(get, f"http://{NAME}:{site.http}/ok") == b"hello"
    assert await asyncio.to_thread(get, f"https://{NAME}:{site.https}/ok") == b"hello"


async def curl(*arguments: str) -> tuple[int, str]:
    running = await asyncio.create_subprocess_exec(
        "curl", "-s", "-m", "5", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, _ = await running.communicate()
    return running.returncode or 0, out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_goes_through_plain_and_tls(proxy: EgressProxy, site: Web, trust: Trust) -> None:
    through = ("-x", proxy.url("shop"), "--cacert", str(trust.file))
    assert await curl(*through, f"http://{NAME}:{site.http}/ok") == (0, "hello")
    assert await curl(*through, f"https://{NAME}:{site.https}/ok") == (0, "hello")
    status = ("-o", "/dev/null", "-w", "%{http_connect} %{http_code}")
    assert (await curl(*through, *status, "https://elsewhere.example/"))[1] == "403 000"
    assert (await curl("-x", f"http://127.0.0.1:{proxy.port}", *status, f"http://{NAME}/"))[1] == "000 407"
    big = "x" * 2000
    sent = await curl(*through, "-H", "Expect: 100-continue", "-d", big, f"http://{NAME}:{site.http}/echo")
    assert sent == (0, big)


@pytest.mark.parametrize(
    ("request_line", "status", "says"),
    [
        ("GET http://elsewhere.example/ HTTP/1.1", 403, "not on the egress list"),
        ("GET http://127.0.0.1/ HTTP/1.1", 403, "not on the egress list"),
        ("TRACE http://shop.example:{http}/ok HTTP/1.1", 403, "not on the egress list"),
        ("GET http://shop.example:{http}@127.0.0.1/ HTTP/1.1", 403, "more than one way"),
        ("GET /ok HTTP/1.1", 400, "whole address"),
        ("GET ftp://shop.example/ok HTTP/1.1", 400, "whole address"),
        ("GET http://shop.example:{http}/image HTTP/1.1", 502, "not text"),
        ("GET http://shop.example:{http}/gzip HTTP/1.1", 502, "compressed"),
        ("CONNECT elsewhere.example:443 HTTP/1.1", 403, "not on the egress list"),
        ("CONNECT shop.example:22 HTTP/1.1", 403, "not on the egress list"),
        ("CONNECT 169.254.169.254:443 HTTP/1.1", 403, "not on the egress list"),
        ("CONNECT 0x7f.1:443 HTTP/1.1", 403, "more than one way"),
        ("CONNECT [::1]:443 HTTP/1.1", 403, "not on the egress list"),
        ("CONNECT shop.example HTTP/1.1", 403, "host and a port"),
        ("CONNECT http://shop.example:{https}/ HTTP/1.1", 403, "host and a port"),
        ("CONNECT shop.example:{https}/x HTTP/1.1", 403, "host and a port"),
        ("get http://shop.example:{http}/ok HTTP/1.1", 400, "no HTTP/1.1 request"),
        ("GET http://shop.example:{http}/ok HTTP/2.0", 400, "no HTTP/1.1 request"),
        ("GET  http://shop.example:{http}/ok HTTP/1.1", 400, "no HTTP/1.1 request"),
    ],
)
async def test_refusals_say_one_sentence(
    request_line: str, status: int, says: str, proxy: EgressProxy, site: Web
) -> None:
    line = request_line.format(http=site.http, https=site.https).encode()
    answer = await say(proxy, line + b"\r\nHost: shop.example\r\n" + CREDENTIAL + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert says in body.decode()
    assert body.count(b"\n") == 1


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: +1\r\n",
        b"Content-Length: 1, 1\r\n",
        b"Content-Length : 1\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" folded: x\r\n",
        b"A: b\r\n c\r\n",
        b"A: b\nC: d\r\n",
        b"A: b\rC: d\r\n",
        b"A\x00: b\r\n",
        b"A: \x00\r\n",
        b": x\r\n",
        b"no colon\r\n",
        b"A: x\r\n" * 200,
        b"A: " + b"x" * 20_000 + b"\r\n",
    ],
)
async def test_heads_that_read_in_two_ways_are_refused(headers: bytes, proxy: EgressProxy, site: Web) -> None:
    line = f"POST http://{NAME}:{site.http}/echo HTTP/1.1\r\n".encode()
    answer = await say(proxy, line + CREDENTIAL + headers + b"\r\n")
    assert answer.split(b" ")[1] in (b"400", b"411", b"431"), answer
    assert not site.seen


@pytest.mark.parametrize(
    "credential",
    [
        b"",
        b"Proxy-Authorization: Basic\r\n",
        b"Proxy-Authorization: Basic !!\r\n",
        b"Proxy-Authorization: Bearer " + base64.b64encode(f"shop:{SECRET}".encode()) + b"\r\n",
        b"Proxy-Authorization: Basic " + base64.b64encode(b"shop:wrong") + b"\r\n",
        b"Proxy-Authorization: Basic " + base64.b64encode(b"nobody:no such tool") + b"\r\n",
        b"Proxy-Authorization: Basic " + base64.b64encode(b"\xff\xfe:x") + b"\r\n",
        CREDENTIAL + CREDENTIAL,
    ],
)
async def test_without_the_credential_of_a_tool_nothing_is_judged(
    credential: bytes, proxy: EgressProxy, site: Web
) -> None:
    for line in (f"GET http://{NAME}:{site.http}/ok", f"CONNECT {NAME}:{site.https}"):
        answer = await say(proxy, line.encode() + b" HTTP/1.1\r\n" + credential + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 407 "), answer
        assert b'Proxy-Authenticate: Basic realm="ringwall"' in answer
    assert not site.seen


async def test_a_credential_opens_what_its_tool_may_reach(proxy: EgressProxy, site: Web) -> None:
    other = base64.b64encode(f"other:{SECRETS['other']}".encode())
    line = f"GET http://{NAME}:{site.http}/ok HTTP/1.1\r\nProxy-Authorization: Basic ".encode()
    assert b" 403 " in await say(proxy, line + other + b"\r\n\r\n")


async def tunnel(proxy: EgressProxy, site: Web) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(f"CONNECT {NAME}:{site.https} HTTP/1.1\r\n".encode() + CREDENTIAL + b"\r\n")
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


@pytest.mark.parametrize("name", ["elsewhere.example", "sub.shop.example", None])
async def test_a_tunnel_leads_to_the_name_that_was_judged(
    name: str | None, proxy: EgressProxy, site: Web
) -> None:
    reader, writer = await tunnel(proxy, site)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    writer.write(outgoing.read())
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "raw", [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x00", b"\x00" * 50]
)
async def test_a_tunnel_carries_tls_only(raw: bytes, proxy: EgressProxy, site: Web) -> None:
    reader, writer = await tunnel(proxy, site)
    writer.write(raw)
    assert await reader.read() == b""
    writer.close()
    assert not site.seen


async def test_a_silent_client_is_let_go(build: Build, site: Web) -> None:
    async with EgressProxy(build(), SECRETS, limits=QUICK) as proxy:
        line = f"POST http://{NAME}:{site.http}/echo HTTP/1.1\r\nContent-Length: 10\r\n".encode()
        unfinished = (b"", b"GET http://", b"CONNECT x", line + CREDENTIAL + b"\r\nabc")
        assert await asyncio.gather(*(say(proxy, raw) for raw in unfinished)) == [b""] * 4
        reader, writer = await tunnel(proxy, site)
        assert await reader.read() == b"", "a tunnel in which nothing is said"
        writer.close()


async def test_a_head_that_drips_is_let_go(build: Build) -> None:
    async with EgressProxy(build(), SECRETS, limits=QUICK) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        drops = 0
        while not reader.at_eof() and drops < 200:
            writer.write(b"A")
            drops += 1
            try:
                await asyncio.wait_for(reader.read(1), 0.02)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert drops < 200
        writer.close()


async def test_more_connections_than_allowed_are_turned_away(build: Build, site: Web) -> None:
    async with EgressProxy(build(), SECRETS, limits=ProxyLimits(connections=2)) as proxy:
        waiting = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(2)]
        await asyncio.sleep(0)
        assert b" 503 " in await say(proxy, b"")
        for _, writer in waiting:
            writer.close()


@pytest.mark.parametrize(
    "narrow", [{"path": "/ok"}, {"methods": ["GET"]}, {"exact": True}, {"types": ["text/html"]}]
)
async def test_a_narrow_rule_opens_no_tunnel_unless_it_says_so(
    narrow: dict[str, Any], build: Build, site: Web, trust: Trust
) -> None:
    for opened in (False, True):
        async with (
            EgressProxy(build(tunnel=opened, **narrow), SECRETS) as proxy,
            httpx2.AsyncClient(proxy=proxy.url("shop"), verify=trust.client) as client,
        ):
            url = f"https://{NAME}:{site.https}/ok"
            if opened:
                assert (await client.get(url)).text == "hello"
            else:
                with pytest.raises(httpx2.ProxyError, match="403"):
                    await client.get(url)


async def test_the_proxy_speaks_tls_itself_for_whole_https_addresses(proxy: EgressProxy, site: Web) -> None:
    line = f"GET https://{NAME}:{site.https}/ok HTTP/1.1\r\n".encode()
    assert b"hello" in await say(proxy, line + CREDENTIAL + b"\r\n")


async def test_names_that_stand_for_private_addresses_are_not_connected_to(build: Build, site: Web) -> None:
    for address in (
        "127.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
    ):
        async with EgressProxy(build(private=False, names=Names(address)), SECRETS) as proxy:
            for line in (f"GET http://{NAME}:{site.http}/ok", f"CONNECT {NAME}:{site.https}"):
                answer = await say(proxy, line.encode() + b" HTTP/1.1\r\n" + CREDENTIAL + b"\r\n")
                assert b" 403 " in answer, (address, answer)
                assert b"The name stands for" in answer
    assert not site.seen


async def test_answers_and_tunnels_are_bounded(build: Build, site: Web, trust: Trust) -> None:
    egress = build(limits=EgressLimits(bytes=1000), max_bytes=4000)
    async with EgressProxy(egress, SECRETS) as proxy:
        line = f"GET http://{NAME}:{site.http}/%s HTTP/1.1\r\n"
        answer = await say(proxy, (line % "big").encode() + CREDENTIAL + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ")
        answer = await say(proxy, (line % "endless").encode() + CREDENTIAL + b"\r\n")
        assert not answer.endswith(b"0\r\n\r\n"), "cut short, and seen to be"
        assert len(answer) < 10_000
        async with httpx2.AsyncClient(proxy=proxy.url("shop"), verify=trust.client) as client:
            with pytest.raises(httpx2.HTTPError):
                await client.get(f"https://{NAME}:{site.https}/endless")


async def test_the_gate_is_asked_before_anything_leaves(build: Build, site: Web, trust: Trust) -> None:
    asked: list[Outbound] = []
    names = Names("127.0.0.1")

    async def decide(outbound: Outbound) -> None:
        assert not names.asked
        asked.append(outbound)
        raise EgressRefused("The policy says no.")

    async with EgressProxy(build(names=names), SECRETS, decide=decide) as proxy:
        for line in (
            f"GET http://{NAME}:{site.http}/ok?secret=s3cr3t",
            f"CONNECT {NAME}:{site.https}",
            "GET http://elsewhere.example/",
        ):
            answer = await say(proxy, line.encode() + b" HTTP/1.1\r\n" + CREDENTIAL + b"\r\n")
            assert b"The policy says no." in answer
    assert [one.tool for one in asked] == ["shop"] * 3
    assert [one.problem for one in asked][:2] == ["", ""]
    assert asked[2].problem
    assert "s3cr3t" not in repr(asked) + str([one.facts() for one in asked])


@pytest.mark.parametrize("fault", [DataError("The ledger is full."), ValueError("x"), KeyError("s3cr3t")])
async def test_what_can_not_be_decided_is_not_sent(fault: Exception, build: Build, site: Web) -> None:
    async def decide(_: Outbound) -> None:
        raise fault

    async with EgressProxy(build(), SECRETS, decide=decide) as proxy:
        for line in (f"GET http://{NAME}:{site.http}/ok", f"CONNECT {NAME}:{site.https}"):
            answer = await say(proxy, line.encode() + b" HTTP/1.1\r\n" + CREDENTIAL + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"s3cr3t" not in answer
    assert not site.seen


async def test_noise_does_not_hurt_it(build: Build, site: Web) -> None:
    """Pieces of requests in any order, and bytes that are none; afterwards it serves as before."""
    noise = random.Random(7)
    good = f"GET http://{NAME}:{site.http}/ok HTTP/1.1\r\n".encode() + CREDENTIAL + b"\r\n"
    pieces = (
        good,
        CREDENTIAL,
        b"\r\n\r\n",
        b"CONNECT ",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1",
        b"\xff" * 40,
        b"\x00",
    )
    async with EgressProxy(build(), SECRETS, limits=ProxyLimits(head_seconds=0.2)) as proxy:
        for _ in range(10):
            batch = [b"".join(noise.choices(pieces, k=noise.randint(1, 5))) for _ in range(10)]
            spoiled = [raw[: noise.randint(1, len(raw))] for raw in batch]
            await asyncio.gather(*(say(proxy, raw) for raw in (*batch, *spoiled)))
        assert b"hello" in await say(proxy, good)


async def test_shutdown_lets_go_of_everybody(build: Build, site: Web) -> None:
    proxy = EgressProxy(build(), SECRETS)
    await proxy.start()
    reader, writer = await tunnel(proxy, site)
    await proxy.close(0.05)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(RuntimeError):
        _ = proxy.port


def test_secrets_are_long() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        EgressProxy(Egress([]), {"shop": "short"})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.from_regex(rb"\A[A-Z]{1,4} [ -~]{1,20} HTTP/1\.[01]\r\n([ -~]{0,9}:[ -~]{0,9}\r\n){0,3}\Z")
)
def test_a_head_is_read_or_refused(raw: bytes) -> None:
    try:
        head = parse_head(raw + b"\r\n\r\n")
    except BadHead as error:
        assert 400 <= error.status < 500
    else:
        assert not any(sign in value for name, value in head.headers for sign in "\r\n\0")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_a_hello_is_read_or_refused(body: bytes) -> None:
    with suppress(NoHello):
        assert isinstance(parse_hello(b"", body), Hello)


@given(st.integers(1, 400))
@settings(max_examples=30, deadline=None)
def test_a_hello_may_come_in_pieces(size: int) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
        incoming, outgoing, server_hostname="Shop.Example"
    )
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    message = outgoing.read()[5:]
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    raw = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)

    async def read() -> Hello:
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        return await read_hello(reader)

    hello = asyncio.run(read())
    assert (hello.raw, hello.server_name, hello.hidden) == (raw, "shop.example", False)
