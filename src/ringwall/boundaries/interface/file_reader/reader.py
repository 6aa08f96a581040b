"""The gateway's end: starts a process for each file, waits no longer than it may, and keeps what it found."""

import asyncio
import hashlib
import os
import signal
import sys
from collections import OrderedDict
from contextlib import suppress

import msgspec

from ringwall.detect.files import Reading

from ..file_settings import FileSettings
from .needs import engine
from .task import Task

_AT_ONCE = 2
_WAITING = 32
_KEPT = 64_000_000
"""Bytes of readings in memory: a history comes back with every turn."""
_WORKER = "ringwall.boundaries.interface.file_reader.worker"
_CHUNK = 65_536


class FileReader:
    """Shared by all applications of a site. One file of one caller at a time, two in all."""

    def __init__(self, settings: FileSettings) -> None:
        self.settings = settings
        self._known: OrderedDict[bytes, Reading] = OrderedDict()
        self._size = 0
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting = 0

    async def read(self, data: bytes, declared: str, owner: str) -> Reading:
        """What the file says. Never raises for a file: what went wrong is in ``refused``. ``owner`` is who
        sent it."""
        if len(data) > self.settings.max_bytes:
            return Reading("unknown", refused="limit")
        key = hashlib.sha256(declared.encode("utf-8", "replace") + b"\0" + data).digest()
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        if self._waiting >= _WAITING:
            return Reading("unknown", refused="busy")
        self._waiting += 1
        try:
            async with self._turns.setdefault(owner, asyncio.Lock()), self._slots:
                reading = await self._process(self._task(data, declared))
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._turns.clear()
        if reading.refused not in ("time", "busy"):
            self._keep(key, reading)
        return reading

    def _task(self, data: bytes, declared: str) -> Task:
        settings = self.settings
        return Task(
            data=data,
            declared=declared,
            accept=settings.accept,
            limits=settings.limits,
            memory=settings.memory_mb * 1_048_576,
            seconds=int(settings.seconds) + 1,
            engine=(engine() or "") if settings.ocr == "tesseract" else "",
            languages="+".join(settings.ocr_languages),
        )

    async def _process(self, task: Task) -> Reading:
        """A child that dies, hangs, or answers nonsense has read nothing."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", _WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        most = 4 * task.limits.chars + 4 * task.limits.pixels + 1_000_000
        try:
            async with asyncio.timeout(self.settings.seconds):
                answer = await _exchange(process, msgspec.msgpack.encode(task), most)
        except TimeoutError:
            return Reading("unknown", refused="time")
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        try:
            return msgspec.msgpack.decode(answer, type=Reading)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return Reading("unknown", refused="crashed")

    def _keep(self, key: bytes, reading: Reading) -> None:
        self._known[key] = reading
        self._size += _weight(reading)
        while self._size > _KEPT and self._known:
            _, oldest = self._known.popitem(last=False)
            self._size -= _weight(oldest)


def _weight(reading: Reading) -> int:
    return 1000 + len(reading.picture) + sum(200 + 4 * len(section.text) for section in reading.sections)


async def _exchange(process: asyncio.subprocess.Process, task: bytes, most: int) -> bytes:
    """The child's answer; empty when it is longer than ``most`` bytes."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(ConnectionError):
        process.stdin.write(task)
        await process.stdin.drain()
    process.stdin.close()
    answer = bytearray()
    while piece := await process.stdout.read(_CHUNK):
        answer += piece
        if len(answer) > most:
            return b""
    return bytes(answer)


def _environment() -> dict[str, str]:
    """Nothing of the gateway's own: keys are often there."""
    kept = {name: os.environ[name] for name in ("TESSDATA_PREFIX", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "OMP_THREAD_LIMIT": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **kept,
    }
