"""A gateway in a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    """A running ``ringwall up`` and the line that it printed."""

    process: "subprocess.Popen[str]"
    line: dict[str, Any]
    errors: Path

    def stop(self, how: int = signal.SIGTERM, seconds: float = 60) -> int:
        self.process.send_signal(how)
        return self.process.wait(seconds)

    def rest(self) -> str:
        """What it printed after its line; after it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """``up(workload, data_dir, …)`` starts it and waits until it serves."""
    made: list[subprocess.Popen[str]] = []

    def begin(workload: Path, data_dir: Path, *more: str) -> Process:
        errors = tmp_path / f"up{len(made)}.err"
        where = ["--workload", str(workload), "--data-dir", str(data_dir)]
        with errors.open("w") as sink:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ringwall", "up", *where),
                    *("--host", "127.0.0.1", "--port", "0", "--print-key", *more),
                ],
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        made.append(process)
        assert process.stdout is not None
        killer = threading.Timer(200, process.kill)
        killer.start()
        line = process.stdout.readline()
        killer.cancel()
        assert line, errors.read_text()
        return Process(process, json.loads(line), errors)

    yield begin
    for process in made:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def sample() -> Path:
    return ROOT / "examples/support-assistant/ringwall.yaml"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "ringwall.yaml"
    path.write_text(
        "workload: small\n"
        "applications:\n"
        "  assistant:\n"
        "    roles: [user]\n"
        "principals:\n"
        "  roles: {user: {}}\n"
        "  starter_keys: [{subject: first, roles: [user]}]\n"
    )
    return path
