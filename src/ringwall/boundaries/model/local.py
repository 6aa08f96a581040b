"""An admitted GGUF file, run in this process by llama.cpp (extra ``local``).

The file is loaded at first use, off the event loop, from the very bytes that admission verified. The
bindings open a listener of their own beside the calls: it is a socket in a private folder with a random key,
so that no neighbour can talk to the model past the gateway.
"""

import asyncio
import importlib
import os
import secrets
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import orjson

from ringwall.core import ConfigError, DataError, Problem

from .answers import delta_of_chunk
from .embedded import gather
from .openai_upstream import FORWARDED
from .provider import ChatReply, ChatRequest, Delta, ProviderError, Usage, estimate
from .settings import LocalSettings
from .verified_file import VerifiedFile

_END = object()


class LocalProvider:
    """``open_artifact`` gives the verified file (``Admissions.open``); it is called once, in a thread."""

    def __init__(self, settings: LocalSettings, open_artifact: Callable[[str], VerifiedFile]) -> None:
        """Raises ConfigError when the extra ``local`` is not installed."""
        try:
            self._bindings: Any = importlib.import_module("xllamacpp")
        except ImportError:
            raise ConfigError(
                Problem("Running a model file needs the extra 'local': install ringwall[local].")
            ) from None
        self._settings = settings
        self._open_artifact = open_artifact
        self._threads = ThreadPoolExecutor(settings.parallel, thread_name_prefix="ringwall-llama")
        self._server: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._loading = threading.Lock()
        self._closed = False

    async def complete(self, request: ChatRequest) -> ChatReply:
        return await gather(self.stream(request), request)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        body = _body(request)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def put(item: Any) -> bool:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(queue.put_nowait, item)
            return stop.is_set()

        self._threads.submit(self._run, body, put, stop)
        try:
            async for delta in _read(queue, request, loop.time() + self._settings.timeout_s):
                yield delta
        finally:
            stop.set()

    async def close(self) -> None:
        """Frees the model. Calls that still run are waited for."""
        self._closed = True
        await asyncio.to_thread(self._unload)

    def _run(self, body: dict[str, Any], put: Callable[[Any], bool], stop: threading.Event) -> None:
        """In a thread: one call, its chunks handed to ``put``, which says True to end it."""
        try:
            if stop.is_set():
                return
            server = self._loaded()
            answer = server.handle_chat_completions(body, put)
            if isinstance(answer, dict):
                put(answer)
        except ProviderError as error:
            put(error)
        except (RuntimeError, ValueError, TypeError):
            put(ProviderError("The local model could not answer this request.", 502, code="failed"))
        finally:
            put(_END)

    def _loaded(self) -> Any:
        with self._loading:
            if self._closed:
                raise ProviderError("The local model has been closed.", 503, code="not_loaded")
            if self._server is None:
                self._server = self._load()
            return self._server

    def _load(self) -> Any:
        try:
            file = self._open_artifact(self._settings.artifact)
        except DataError as error:
            raise ProviderError(str(error), 503, code="not_admitted") from None
        folder = tempfile.TemporaryDirectory(prefix="ringwall-")
        try:
            server = self._bindings.Server(self._parameters(file.path, folder.name))
            if not file.recheck():
                raise ProviderError(
                    "The local model's file changed while it was loaded.", 503, code="not_admitted"
                )
        except RuntimeError:
            folder.cleanup()
            raise ProviderError("The local model's file can't be loaded.", 503, code="not_loaded") from None
        except ProviderError:
            folder.cleanup()
            raise
        finally:
            file.close()
        self._folder = folder
        return server

    def _parameters(self, path: str, folder: str) -> Any:
        settings = self._settings
        given = self._bindings.CommonParams()
        given.model.path = path
        given.model_alias = {settings.artifact}
        given.n_ctx = settings.context * settings.parallel
        given.n_parallel = settings.parallel
        given.cpuparams.n_threads = settings.threads or max(1, (os.cpu_count() or 2) - 1)
        given.warmup = False
        given.verbosity = -1  # its log would hold what people wrote
        given.offline = True
        given.hostnames = [f"{folder}/llama.sock"]
        given.api_keys = [secrets.token_urlsafe(32)]
        given.ui = given.endpoint_slots = given.endpoint_props = given.endpoint_metrics = False
        return given

    def _unload(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._loading:
            self._server = None
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


async def _read(queue: "asyncio.Queue[Any]", request: ChatRequest, deadline: float) -> AsyncIterator[Delta]:
    """Deltas from the queue, ended as every provider ends them."""
    usage: Usage | None = None
    finish = ""
    text: list[str] = []
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                item = await queue.get()
        except TimeoutError:
            raise ProviderError("The local model took too long to answer.", 504, code="timeout") from None
        if item is _END:
            break
        if isinstance(item, ProviderError):
            raise item
        delta = delta_of_chunk(_judged(item))
        usage = delta.usage or usage
        finish = delta.finish_reason or finish
        text.append(delta.content)
        if delta.content or delta.tool_calls or delta.finish_reason:
            yield Delta(delta.content, delta.tool_calls, delta.finish_reason, model=delta.model)
    if not finish:
        raise ProviderError("The local model broke off its answer.", 502, code="disconnected")
    yield Delta(usage=usage or estimate(request, "".join(text)))


def _judged(chunk: dict[str, Any]) -> dict[str, Any]:
    error = chunk.get("error")
    if not isinstance(error, dict):
        return chunk
    if error.get("code") == 400:
        raise ProviderError(
            "The local model refused the request: its parameters or its length don't suit the model.",
            400,
            code="bad_request",
            counts=False,
        )
    raise ProviderError("The local model could not answer this request.", 502, code="failed")


def _body(request: ChatRequest) -> dict[str, Any]:
    """Plain JSON values only, text only: the bindings would fetch an image's address themselves."""
    messages = []
    for message in request.messages:
        content = message.get("content")
        if isinstance(content, list) and any(_no_text(part) for part in content):
            raise _bad("The local model reads text only.")
        messages.append(dict(message))
    body: dict[str, Any] = {
        name: value
        for name, value in request.params.items()
        if name in FORWARDED and name != "logit_bias" and value is not None
    }
    limit = body.pop("max_completion_tokens", None)
    if limit is not None:
        body["max_tokens"] = limit
    if request.tools:
        body["tools"] = list(request.tools)
    else:
        body.pop("tool_choice", None)
        body.pop("parallel_tool_calls", None)
    body |= {"messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    try:
        plain: dict[str, Any] = orjson.loads(orjson.dumps(body))
    except orjson.JSONEncodeError:
        raise _bad("The request holds text that is not valid Unicode.") from None
    return plain


def _no_text(part: Any) -> bool:
    return not isinstance(part, dict) or part.get("type", "text") != "text"


def _bad(message: str) -> ProviderError:
    return ProviderError(message, 400, code="bad_request", counts=False)
