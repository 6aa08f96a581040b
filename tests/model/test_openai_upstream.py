import asyncio
import os
import socket
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from aiohttp import web

from ringwall.boundaries.model.openai_upstream import OpenAIProvider, read_key
from ringwall.boundaries.model.provider import ChatReply, ChatRequest, Delta, ProviderError
from ringwall.boundaries.model.settings import OpenAISettings
from ringwall.core import ConfigError

ASK = ChatRequest("m-1", [{"role": "user", "content": "hello"}])
SECRET = "sk-upstream-secret"
GOOD = {
    "id": "x",
    "model": "m-1-2026",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


def settings(url: str, **more: Any) -> OpenAISettings:
    return OpenAISettings(kind="openai", base_url=url, **more)


async def complete(url: str, ask: ChatRequest = ASK, **more: Any) -> ChatReply:
    provider = OpenAIProvider(settings(url, **more), SECRET)
    try:
        return await provider.complete(ask)
    finally:
        await provider.close()


async def streamed(url: str, ask: ChatRequest = ASK, **more: Any) -> list[Delta]:
    provider = OpenAIProvider(settings(url, **more), SECRET)
    try:
        return [delta async for delta in provider.stream(ask)]
    finally:
        await provider.close()


def says(body: Any, status: int = 200, **headers: str) -> Any:
    async def handler(_: web.Request) -> web.StreamResponse:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(body=raw, status=status, headers=headers, content_type="application/json")

    return handler


def streams(*pieces: bytes, cut: bool = False) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if cut:
            assert request.transport is not None
            request.transport.close()
        return response

    return handler


def event(choice: dict[str, Any], **more: Any) -> bytes:
    return b"data: " + orjson.dumps({"choices": [choice], **more}) + b"\n\n"


HELLO = event({"index": 0, "delta": {"content": "hel"}}) + event({"index": 0, "delta": {"content": "lo"}})
STOP = event({"index": 0, "delta": {}, "finish_reason": "stop"})
DONE = b"data: [DONE]\n\n"


async def test_a_reply(upstream: Any) -> None:
    upstream.handler = says(GOOD)
    reply = await complete(upstream.url)
    assert reply.message == {"role": "assistant", "content": "hi"}
    assert (reply.finish_reason, reply.usage.total_tokens, reply.model) == ("stop", 4, "m-1-2026")
    assert upstream.headers[0]["Authorization"] == f"Bearer {SECRET}"


async def test_only_known_parameters_leave(upstream: Any) -> None:
    upstream.handler = says(GOOD)
    params = {
        "temperature": 0.5,
        "user": "casey",
        "metadata": {"a": "b"},
        "n": 3,
        "store": True,
        "seed": None,
    }
    tool = {"type": "function", "function": {"name": "t"}}
    await complete(upstream.url, ChatRequest("m", ASK.messages, [tool], params))
    sent = upstream.requests[0]
    assert set(sent) == {"model", "messages", "tools", "temperature"}
    await complete(upstream.url, ChatRequest("m", ASK.messages, (), {"tool_choice": "auto"}))
    assert "tool_choice" not in upstream.requests[1]


async def test_unknown_fields_of_the_answer_are_left_behind(upstream: Any) -> None:
    message = {
        "role": "assistant",
        "content": "hi",
        "audio": {"data": "x"},
        "reasoning_content": "secret plan",
    }
    upstream.handler = says({"choices": [{"message": message, "logprobs": {"content": []}}]})
    reply = await complete(upstream.url)
    assert reply.message == {"role": "assistant", "content": "hi"}
    assert reply.usage.estimated and reply.usage.completion_tokens == 1


async def test_tool_calls(upstream: Any) -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "a", "arguments": '{"x":1}'}},
        {"type": "function", "function": {"name": "b", "arguments": {"y": 2}}},
    ]
    upstream.handler = says({"choices": [{"message": {"content": None, "tool_calls": calls}}]})
    reply = await complete(upstream.url)
    first, second = reply.message["tool_calls"]
    assert reply.finish_reason == "tool_calls" and first == calls[0]
    assert second["id"].startswith("call_") and second["function"]["arguments"] == '{"y":2}'


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"",
        b"[]",
        b'{"choices": "x"}',
        b'{"choices": []}',
        b'{"choices": [1]}',
        b'{"choices": [{"message": 1}]}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b'{"choices": [{"message": {"content": "a", "function_call": {"name": "f"}}}]}',
        b'{"choices": [{"message": {"tool_calls": [{"function": {"arguments": "{}"}}]}}]}',
        b'{"choices": [{"message": {"tool_calls": [{"type": "custom", "custom": {"name": "f"}}]}}]}',
        b'{"choices": [{"message": {"content": "a"}, "finish_reason": 4}]}',
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b'{"choices": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
async def test_malformed_replies(upstream: Any, body: bytes) -> None:
    upstream.handler = says(body)
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url)
    assert (caught.value.status, caught.value.code, caught.value.counts) == (502, "malformed", True)


@pytest.mark.parametrize(
    ("status", "told", "code", "counts"),
    [
        (400, 400, "bad_request", False),
        (413, 400, "bad_request", False),
        (401, 502, "refused", True),
        (403, 502, "refused", True),
        (404, 502, "refused", False),
        (429, 503, "busy", True),
        (500, 502, "failed", True),
        (503, 503, "busy", True),
        (504, 504, "timeout", True),
        (302, 502, "failed", True),
        (204, 502, "failed", True),
    ],
)
async def test_statuses(upstream: Any, status: int, told: int, code: str, counts: bool) -> None:
    body = b"" if status == 204 else {"error": {"message": "key sk-upstream-secret of org-1 is bad"}}
    upstream.handler = says(body, status, **{"Retry-After": "7", "Location": "http://elsewhere.example/"})
    for call in (complete, streamed):
        with pytest.raises(ProviderError) as caught:
            await call(upstream.url)
        error = caught.value
        assert (error.status, error.code, error.counts) == (told, code, counts)
        assert "secret" not in str(error) and "org-1" not in str(error) and upstream.url not in str(error)
        assert error.retry_after == (7 if code == "busy" else None)


async def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(upstream: Any) -> None:
    upstream.handler = says({}, 429, **{"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url)
    assert caught.value.retry_after is None


async def test_a_stream(upstream: Any) -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n'
    upstream.handler = streams(b": hi\n\n", HELLO, STOP, usage, DONE)
    deltas = await streamed(upstream.url)
    assert "".join(delta.content for delta in deltas) == "hello"
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
    assert deltas[-1].usage is not None and deltas[-1].usage.completion_tokens == 2
    assert all(delta.usage is None for delta in deltas[:-1])
    assert upstream.requests[0]["stream_options"] == {"include_usage": True}


async def test_a_stream_in_single_bytes(upstream: Any) -> None:
    whole = HELLO + STOP + DONE
    upstream.handler = streams(*(whole[i : i + 1] for i in range(len(whole))))
    assert "".join(delta.content for delta in await streamed(upstream.url)) == "hello"


async def test_a_stream_that_ends_after_its_finish_reason_without_done_is_whole(upstream: Any) -> None:
    upstream.handler = streams(HELLO, STOP)
    deltas = await streamed(upstream.url, stream_usage=False)
    assert deltas[-1].usage is not None and deltas[-1].usage.estimated
    assert "stream_options" not in upstream.requests[0]


async def test_streamed_tool_calls(upstream: Any) -> None:
    upstream.handler = streams(
        event(
            {"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "t", "arguments": ""}}]}}
        ),
        event({"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}}),
        event({"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}}),
        event({"delta": {}, "finish_reason": "tool_calls"}) + DONE,
    )
    deltas = await streamed(upstream.url)
    pieces = [piece for delta in deltas for piece in delta.tool_calls]
    assert (pieces[0].id, pieces[0].name) == ("c", "t")
    assert "".join(piece.arguments for piece in pieces) == '{"a":1}'


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((HELLO, DONE), "disconnected"),
        ((HELLO,), "disconnected"),
        ((), "disconnected"),
        ((b"data: nonsense\n\n",), "malformed"),
        ((b"data: \xff\xfe\n\n",), "malformed"),
        ((b'data: {"id": "x"}\n\n',), "malformed"),
        ((b'data: {"choices": {}}\n\n',), "malformed"),
        ((event({"delta": []}),), "malformed"),
        ((event({"delta": {"content": ["x"]}}),), "malformed"),
        ((event({"index": 1, "delta": {"content": "second"}}),), "malformed"),
        ((event({"delta": {"function_call": {"name": "f"}}}),), "malformed"),
        ((event({"delta": {"tool_calls": [{"index": -1}]}}),), "malformed"),
        ((event({"delta": {"tool_calls": [{"index": True}]}}),), "malformed"),
        ((event({"delta": {"tool_calls": [{"index": 10**9}]}}),), "malformed"),
        ((event({"delta": {"tool_calls": [{"index": 0, "function": {"arguments": 5}}]}}),), "malformed"),
        ((b'event: error\ndata: {"error": {"message": "sk-upstream-secret"}}\n\n',), "failed"),
        ((b"data: " + b"x" * 1_100_000,), "too_large"),
        ((b": x\n" * 300_000,), "too_large"),
    ],
)
async def test_malformed_streams(upstream: Any, pieces: tuple[bytes, ...], code: str) -> None:
    upstream.handler = streams(*pieces)
    with pytest.raises(ProviderError) as caught:
        await streamed(upstream.url, max_response_bytes=1_150_000)
    assert caught.value.code == code and caught.value.status == 502
    assert "secret" not in str(caught.value)


async def test_a_connection_cut_in_the_stream(upstream: Any) -> None:
    upstream.handler = streams(HELLO, STOP, cut=True)
    got: list[str] = []
    provider = OpenAIProvider(settings(upstream.url))
    with pytest.raises(ProviderError) as caught:
        async for delta in provider.stream(ASK):
            got.append(delta.content)
    await provider.close()
    assert caught.value.code == "disconnected" and "".join(got) == "hello"


async def test_json_where_a_stream_was_asked_for(upstream: Any) -> None:
    upstream.handler = says(GOOD)
    with pytest.raises(ProviderError, match="no event stream"):
        await streamed(upstream.url)


async def test_answers_are_bounded_with_and_without_a_declared_length(upstream: Any) -> None:
    upstream.handler = says(b" " * 5000)
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url, max_response_bytes=4000)
    assert caught.value.code == "too_large"
    upstream.handler = streams(*[b" " * 1000] * 10)
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url, max_response_bytes=4000)
    assert caught.value.code == "too_large"


async def test_compression_is_neither_asked_for_nor_unpacked(upstream: Any) -> None:
    upstream.handler = says(b"\x1f\x8b\x08bomb", **{"Content-Encoding": "gzip"})
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url)
    assert caught.value.code == "malformed"
    assert upstream.headers[0]["Accept-Encoding"] == "identity"


async def test_time_outs(upstream: Any) -> None:
    release = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async def stalling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(HELLO)
        await release.wait()
        return response

    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while not release.is_set():
            await response.write(b": still there\n")
            await asyncio.sleep(0.01)
        return response

    cases = [
        (silent, complete, {"first_byte_timeout_s": 0.1}),
        (silent, streamed, {"first_byte_timeout_s": 0.1}),
        (silent, complete, {"timeout_s": 0.1}),
        (stalling, complete, {"idle_timeout_s": 0.1}),
        (stalling, streamed, {"idle_timeout_s": 0.1}),
        (dripping, complete, {"timeout_s": 0.3}),
        (dripping, streamed, {"timeout_s": 0.3}),
    ]
    for handler, call, limits in cases:
        upstream.handler = handler
        with pytest.raises(ProviderError) as caught:
            await call(upstream.url, **limits)
        assert (caught.value.status, caught.value.code) == (504, "timeout"), (handler, call, limits)
    release.set()


async def test_a_slow_client_is_not_the_providers_fault(upstream: Any) -> None:
    upstream.handler = streams(HELLO, STOP, DONE)
    provider = OpenAIProvider(settings(upstream.url, timeout_s=0.5, idle_timeout_s=0.5))
    got = []
    async for delta in provider.stream(ASK):
        await asyncio.sleep(0.3)
        got.append(delta.content)
    await provider.close()
    assert "".join(got) == "hello"


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for call in (complete, streamed):
        with pytest.raises(ProviderError) as caught:
            await call(f"http://127.0.0.1:{port}/v1")
        assert (caught.value.status, caught.value.code) == (502, "connect")
        assert str(port) not in str(caught.value)


async def test_what_is_no_http_at_all() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for call in (complete, streamed):
        with pytest.raises(ProviderError) as caught:
            await call(f"http://127.0.0.1:{port}/v1")
        assert caught.value.status == 502
    server.close()
    await server.wait_closed()


async def test_connections_are_used_again_also_after_streams(upstream: Any) -> None:
    provider = OpenAIProvider(settings(upstream.url))
    for _ in range(3):
        upstream.handler = says(GOOD)
        await provider.complete(ASK)
        upstream.handler = streams(HELLO, STOP, DONE)
        assert [delta async for delta in provider.stream(ASK)]
    await provider.close()
    assert len(upstream.peers) == 1


async def test_a_kept_connection_that_the_server_closed_costs_nobody_an_error(upstream: Any) -> None:
    provider = OpenAIProvider(settings(upstream.url))
    calls = 0

    async def closing(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls == 2:
            assert request.transport is not None
            request.transport.close()
        return await says(GOOD)(request)

    upstream.handler = closing
    await provider.complete(ASK)
    assert (await provider.complete(ASK)).message["content"] == "hi"
    await provider.close()
    assert calls == 3


async def test_small_writes_are_not_delayed(upstream: Any) -> None:
    upstream.handler = says(GOOD)
    provider = OpenAIProvider(settings(upstream.url))
    await provider.complete(ASK)
    assert provider._session is not None and provider._session.connector is not None
    kept = [protocol for pool in provider._session.connector._conns.values() for protocol, _ in pool]
    sockets = [protocol.transport.get_extra_info("socket") for protocol in kept]
    assert sockets and all(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for s in sockets)
    await provider.close()


async def test_a_stream_left_early_closes_its_connection(upstream: Any) -> None:
    gone = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(HELLO)
                await asyncio.sleep(0.005)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise

    upstream.handler = endless
    provider = OpenAIProvider(settings(upstream.url))
    async with aclosing(provider.stream(ASK)) as stream:
        assert (await anext(stream)).content == "hel"
    await asyncio.wait_for(gone.wait(), 5)
    await provider.close()


async def test_text_that_is_no_unicode_is_the_callers_fault(upstream: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        await complete(upstream.url, ChatRequest("m", [{"role": "user", "content": "\ud800"}]))
    assert caught.value.status == 400 and not caught.value.counts


async def test_proxies_of_the_environment_are_not_used(
    upstream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    upstream.handler = says(GOOD)
    assert (await complete(upstream.url)).message["content"] == "hi"


def test_keys(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base = "http://m.example/v1"
    assert read_key(settings(base)) == ""
    monkeypatch.setenv("RINGWALL_KEY_OF_TEST", SECRET)
    assert read_key(settings(base, api_key_env="RINGWALL_KEY_OF_TEST")) == SECRET
    path = tmp_path / "key"
    path.write_text(SECRET + "\n")
    assert read_key(settings(base, api_key_file=str(path))) == SECRET
    monkeypatch.setenv("RINGWALL_KEY_OF_TEST", SECRET + "\r\nX-Evil: 1")
    for wrong in (
        {"api_key_env": "RINGWALL_KEY_OF_TEST"},
        {"api_key_env": "NO_SUCH_KEY_1"},
        {"api_key_file": os.fspath(tmp_path / "none")},
    ):
        with pytest.raises(ConfigError) as caught:
            read_key(settings(base, **wrong))
        assert SECRET not in str(caught.value)
    assert SECRET not in repr(OpenAIProvider(settings(base), SECRET))
