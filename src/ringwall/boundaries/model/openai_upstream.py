"""Any OpenAI-compatible server, over HTTP.

One client session, made on the running loop at first use. No redirects, no proxies from the environment, no
cookies, no compression; everything that comes back is bounded in bytes, line length and time. Nothing that
the provider wrote gets into an error.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import re2

from ringwall.core import ConfigError, Problem

from .answers import delta_of, malformed, reply_of
from .provider import ChatReply, ChatRequest, Delta, ProviderError, Usage, estimate
from .settings import OpenAISettings
from .sse import EventParser, SseError

FORWARDED = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "max_completion_tokens",
        "max_tokens",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "top_p",
        "verbosity",
    }
)
"""Parameters that are passed on. All others end here: identifiers of users, metadata, storage at the
provider, several choices and token probabilities are not for the provider or not for the client."""

_MAX_CHUNKS = 200_000
_MAX_EVENT = 1024 * 1024
_DRAIN_S = 0.05
_MAX_KEY = 8192
_USER_AGENT = "ringwall"


class OpenAIProvider:
    """See the module. ``api_key`` is kept out of reprs and errors."""

    def __init__(self, settings: OpenAISettings, api_key: str = "") -> None:
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        self._headers = {
            **settings.headers,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": _USER_AGENT,
        }
        if api_key:
            bearer = settings.api_key_header == "authorization"
            self._headers[settings.api_key_header] = f"Bearer {api_key}" if bearer else api_key
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def from_settings(cls, settings: OpenAISettings) -> "OpenAIProvider":
        """Reads the API key. Raises ConfigError."""
        return cls(settings, read_key(settings))

    async def complete(self, request: ChatRequest) -> ChatReply:
        body = self._body(request, stream=False)
        async with self._total(), self._post(body) as response:
            return reply_of(await self._whole(response), request)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        body = self._body(request, stream=True)
        async with self._post(body) as response:
            if response.content_type == "application/json":
                malformed("it is no event stream")
            async for delta in self._deltas(response, request):
                yield delta

    async def completions(self, body: Mapping[str, Any]) -> bytes:
        """The older endpoint (``text_completions.py``): for tests of the model, never for callers."""
        async with self._total(), self._post(orjson.dumps(body), "/completions") as response:
            return await self._whole(response)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _body(self, request: ChatRequest, *, stream: bool) -> bytes:
        body: dict[str, Any] = {
            name: value for name, value in request.params.items() if name in FORWARDED and value is not None
        }
        body["model"] = request.model
        body["messages"] = request.messages
        if request.tools:
            body["tools"] = request.tools
        else:
            body.pop("tool_choice", None)
            body.pop("parallel_tool_calls", None)
        if stream:
            body["stream"] = True
            if self._settings.stream_usage:
                body["stream_options"] = {"include_usage": True}
        try:
            return orjson.dumps(body, default=_plain)
        except orjson.JSONEncodeError:
            raise ProviderError(
                "The request can't be written as JSON: it holds text that is not valid Unicode.",
                400,
                code="bad_request",
                counts=False,
            ) from None

    def _client(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            connector = aiohttp.TCPConnector(
                limit=self._settings.max_connections, ttl_dns_cache=60, keepalive_timeout=30
            )
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s),
                auto_decompress=False,
                trust_env=False,
                headers=self._headers,
            )
        return self._session

    @asynccontextmanager
    async def _total(self) -> AsyncIterator[None]:
        limit = self._settings.timeout_s
        try:
            async with asyncio.timeout(limit):
                yield
        except TimeoutError:
            raise _late(f"gave no complete answer within {limit:g} s") from None

    @asynccontextmanager
    async def _post(
        self, body: bytes, path: str = "/chat/completions"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response, its status judged. The connection is given back or closed, whatever happens."""
        try:
            response = await self._send(body, self._base + path)
        except aiohttp.ServerTimeoutError:
            raise _late(f"could not be reached within {self._settings.connect_timeout_s:g} s") from None
        except aiohttp.ClientConnectorError:
            raise ProviderError("The model provider can't be reached.", 502, code="connect") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError):
            raise _gone() from None
        except (aiohttp.ClientError, ValueError):
            malformed("it is no HTTP response")
        try:
            _judge(response)
            yield response
        except (aiohttp.ClientConnectionError, ConnectionError):
            raise _gone() from None
        except aiohttp.ClientError:
            raise _gone() from None
        finally:
            response.release()

    async def _send(self, body: bytes, url: str) -> aiohttp.ClientResponse:
        limit = self._settings.first_byte_timeout_s
        client = self._client()
        try:
            async with asyncio.timeout(limit):
                try:
                    return await client.post(url, data=body, allow_redirects=False)
                except aiohttp.ServerDisconnectedError:
                    # A kept-alive connection that the server closed while we wrote: once more, on a new one.
                    return await client.post(url, data=body, allow_redirects=False)
        except aiohttp.ServerTimeoutError:
            raise
        except TimeoutError:
            raise _late(f"did not begin to answer within {limit:g} s") from None

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        if (response.content_length or 0) > limit:
            raise _too_large()
        pieces: list[bytes] = []
        size = 0
        while piece := await self._read(response, self._settings.idle_timeout_s):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise _too_large()
        return b"".join(pieces)

    async def _read(self, response: aiohttp.ClientResponse, limit: float) -> bytes:
        try:
            async with asyncio.timeout(limit):
                return await response.content.readany()
        except TimeoutError:
            raise _late("stopped in the middle of its answer") from None

    async def _deltas(self, response: aiohttp.ClientResponse, request: ChatRequest) -> AsyncIterator[Delta]:
        parser = EventParser(_MAX_EVENT)
        tally = _Tally(request)
        size = chunks = 0
        loop = asyncio.get_running_loop()
        patience = self._settings.timeout_s  # spent by waiting for the provider, not by a slow client
        while True:
            begun = loop.time()
            piece = await self._read(response, min(self._settings.idle_timeout_s, patience))
            patience -= loop.time() - begun
            if patience <= 0:
                raise _late(f"gave no complete answer within {self._settings.timeout_s:g} s")
            if not piece:
                break
            size += len(piece)
            if size > self._settings.max_response_bytes:
                raise _too_large()
            for data in _events(parser, piece):
                if data == b"[DONE]":
                    yield tally.end()
                    await _drain(response)
                    return
                chunks += 1
                if chunks > _MAX_CHUNKS:
                    raise _too_large()
                delta = tally.count(delta_of(data))
                if delta is not None:
                    yield delta
        yield tally.end()


class _Tally:
    """Keeps count of a stream, so that its end can be told from its breaking off."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._text: list[str] = []
        self._finish = ""
        self._usage: Usage | None = None
        self._model = ""

    def count(self, delta: Delta) -> Delta | None:
        """The delta to pass on, its usage kept back for the last one; None when nothing is left of it."""
        self._usage = delta.usage or self._usage
        self._model = self._model or delta.model
        self._finish = delta.finish_reason or self._finish
        if delta.content:
            self._text.append(delta.content)
        self._text.extend(fragment.arguments for fragment in delta.tool_calls)
        if not (delta.content or delta.tool_calls or delta.finish_reason):
            return None
        return Delta(delta.content, delta.tool_calls, delta.finish_reason, model=self._model)

    def end(self) -> Delta:
        if not self._finish:
            raise _gone()
        return Delta(usage=self._usage or estimate(self._request, "".join(self._text)), model=self._model)


def read_key(settings: OpenAISettings) -> str:
    """The API key from the environment or file that the settings name; empty when they name none.

    Raises ConfigError when it is not there or can't be a header.
    """
    if settings.api_key_env:
        place = f"the environment variable {settings.api_key_env}"
        key = os.environ.get(settings.api_key_env, "")
    elif settings.api_key_file:
        place = f"the file {settings.api_key_file}"
        try:
            key = Path(settings.api_key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            key = ""
    else:
        return ""
    if not key:
        raise ConfigError(Problem(f"The API key is missing: set {place}."))
    if len(key) > _MAX_KEY or not re2.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigError(Problem(f"The API key in {place} holds characters that no header can carry."))
    return key


def _plain(value: Any) -> Any:
    """Read-only mappings and tuples, as JSON."""
    if hasattr(value, "items"):
        return dict(value.items())
    if isinstance(value, (tuple, frozenset, set)):
        return list(value)
    raise TypeError


def _events(parser: EventParser, piece: bytes) -> list[bytes]:
    try:
        return parser.feed(piece)
    except SseError:
        raise _too_large() from None


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads the end of the body after ``[DONE]``, so that the connection can be used again."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            await response.content.readany()
    except (TimeoutError, aiohttp.ClientError):
        return


def _judge(response: aiohttp.ClientResponse) -> None:
    """Raises what the client is told for a status other than 200.

    400, 413 and 422 mean that the request itself can't be served: trying again is no use, so it stays a 400.
    """
    status = response.status
    if status == 200:
        return
    if status in (400, 413, 422):
        raise ProviderError(
            "The model provider refused the request: its parameters or its length don't suit the model.",
            400,
            code="bad_request",
            counts=False,
        )
    if status in (401, 403):
        raise ProviderError(
            "The model provider refused the gateway's credential: check its API key.", 502, code="refused"
        )
    if status == 404:
        raise ProviderError(
            "The model provider does not know the model or the address: check the route.",
            502,
            code="refused",
            counts=False,
        )
    if status in (429, 503):
        raise ProviderError(
            "The model provider is busy: try again later.",
            503,
            code="busy",
            retry_after=_retry_after(response),
        )
    if status in (408, 504):
        raise _late("timed out behind its own gateway")
    raise ProviderError(f"The model provider answered with status {status}.", 502, code="failed")


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    given = response.headers.get("Retry-After", "")
    if given.isascii() and given.isdigit() and len(given) <= 6:
        return min(int(given), 3600)
    return None


def _late(what: str) -> ProviderError:
    return ProviderError(f"The model provider {what}.", 504, code="timeout")


def _gone() -> ProviderError:
    return ProviderError("The model provider broke off its answer.", 502, code="disconnected")


def _too_large() -> ProviderError:
    return ProviderError("The model provider's answer is too large.", 502, code="too_large")
