"""Writers of small model files, and a model server that behaves as each test tells it."""

import hashlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(template: str = "{{ messages }}", tensors: int = 2, *, tail: bytes = b"", version: int = 3) -> bytes:
    """A sound GGUF file with F32 tensors of 8 weights each."""
    keys = [
        _text("general.architecture") + struct.pack("<I", 8) + _text("llama"),
        _text("general.alignment") + struct.pack("<II", 4, 32),
        _text("tokenizer.chat_template") + struct.pack("<I", 8) + _text(template),
        _text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + _text("a") + _text("b"),
        _text("some.numbers") + struct.pack("<IIQ", 9, 4, 3) + struct.pack("<III", 1, 2, 3),
    ]
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(keys)) + b"".join(keys)
    for index in range(tensors):
        head += _text(f"blk.{index}") + struct.pack("<IQIQ", 1, 8, 0, index * 32)
    head += b"\0" * (-len(head) % 32)
    return head + b"\1" * (32 * tensors) + tail


def safetensors(header: dict[str, Any] | None = None, data: bytes = b"\0" * 16) -> bytes:
    """A sound safetensors file of two tensors, or one with this header."""
    if header is None:
        header = {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F16", "shape": [2, 2], "data_offsets": [8, 16]},
        }
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


@dataclass
class Files:
    """Puts files into a test's folder."""

    folder: Path

    def put(self, name: str, data: bytes) -> tuple[Path, str]:
        path = self.folder / name
        path.write_bytes(data)
        return path, hashlib.sha256(data).hexdigest()

    gguf = staticmethod(gguf)
    safetensors = staticmethod(safetensors)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(scope="session")
def writers() -> type[Files]:
    return Files


@dataclass
class Upstream:
    """A server at ``url``; ``handler`` answers ``POST /v1/chat/completions``."""

    url: str = ""
    handler: Handler | None = None
    requests: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.headers.append(request.headers.copy())
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        assert self.handler is not None
        return await self.handler(request)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()
