"""The process that reads a file: what it may not do, and what becomes of it when it does not come back."""

import asyncio
import io
import os
import subprocess
import sys
from typing import Any

import made_files as made
import pytest
from PIL import Image

from ringwall.boundaries.interface.file_reader import reader as module
from ringwall.boundaries.interface.file_reader.reader import FileReader
from ringwall.boundaries.interface.file_settings import FileSettings
from ringwall.detect.files import Reading

_CONFINED = """
import os, socket, subprocess, sys
from ringwall.boundaries.interface.file_reader.confine import forbid, leave_network, limit
limit(1 << 30, 20)
leave_network()
forbid({engine!r})
tries = [
    lambda: socket.socket(),
    lambda: open("made.txt", "w"),
    lambda: os.open("made.txt", os.O_CREAT | os.O_WRONLY),
    lambda: subprocess.run([sys.executable, "-c", ""]),
    lambda: os.system("true"),
    lambda: os.execv(sys.executable, [sys.executable]),
    lambda: os.remove("made.txt"),
]
stopped = 0
for one in tries:
    try:
        one()
    except PermissionError:
        stopped += 1
print(stopped, len(tries))
"""


def read(data: bytes, declared: str = "", **settings: Any) -> Reading:
    given = FileSettings(**{"seconds": 100, "ocr": "none", **settings})
    return asyncio.run(FileReader(given).read(data, declared, "casey"))


@pytest.mark.parametrize("engine", ["", "/usr/bin/tesseract"])
def test_it_reaches_nothing(tmp_path: Any, engine: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CONFINED.format(engine=engine)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    stopped, tries = done.stdout.split()
    assert stopped == tries, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_is_given_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER_KEY", "sk-1")
    assert not any("sk-1" in value for value in module._environment().values())


def test_it_reads() -> None:
    reading = read(made.docx(), "application/octet-stream")
    assert (reading.kind, reading.refused) == ("docx", "")
    assert [section.text for section in reading.sections] == [made.SHOWN]


def test_one_that_eats_memory_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    limits = {"max_pixels": 200_000_000, "max_inflated": 1_000_000_000, "memory_mb": 512}
    assert read(out.getvalue(), **limits).refused in ("limit", "crashed")


def test_one_that_takes_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    plain = asyncio.create_subprocess_exec

    async def start(*arguments: Any, **more: Any) -> Any:
        started.append(await plain(*arguments, **more))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    assert read(made.docx(), seconds=0.001).refused == "time"
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


@pytest.mark.parametrize("worker", ["this", "no.such.module"])
def test_one_that_answers_nonsense_has_read_nothing(monkeypatch: pytest.MonkeyPatch, worker: str) -> None:
    monkeypatch.setattr(module, "_WORKER", worker)
    assert read(made.docx()) == Reading("unknown", refused="crashed")


def test_a_history_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FileReader(FileSettings(seconds=100, ocr="none"))

    async def twice() -> None:
        first = await reader.read(b"plain words", "text/plain", "casey")
        monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
        assert await reader.read(b"plain words", "text/plain", "robin") is first
        reader._waiting = 32
        assert (await reader.read(b"other words", "text/plain", "casey")).refused == "busy"

    asyncio.run(twice())


def test_what_is_too_large_is_not_even_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
    assert read(bytes(2000), max_bytes=1000).refused == "limit"
