"""``kill -9`` at any moment loses no acknowledged append and tears no tree."""

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ringwall.ledger import Ledger, verify

APPENDER = """
import asyncio, sys
from pathlib import Path
from ringwall.ledger import Ledger

async def main():
    ledger = Ledger.open(Path(sys.argv[1]), fsync=sys.argv[3] == "fsync")
    async def work(task):
        number = 0
        while True:
            name = f"{sys.argv[2]}-{task}-{number}"
            await ledger.append({"id": name, "type": "t"}, {"text": name * 20}, subject=f"s{task}")
            sys.stdout.write(name + "\\n")
            sys.stdout.flush()
            number += 1
    await asyncio.gather(*(work(task) for task in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["default", "fsync"])
def test_killed_at_random_moments(data_dir: Path, mode: str) -> None:
    chance = random.Random(7)
    acknowledged: list[str] = []
    for round_number in range(3):
        # Two processes append to one file; both are killed after a random number of answers.
        running = [
            subprocess.Popen(
                [sys.executable, "-c", APPENDER, str(data_dir), f"{round_number}{who}", mode],
                stdout=subprocess.PIPE,
                text=True,
            )
            for who in "ab"
        ]
        readers = [
            threading.Thread(target=_read_then_kill, args=(process, chance.randint(1, 300), acknowledged))
            for process in running
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        report = verify(data_dir)
        assert report.ok, [str(damage) for damage in report.damages]
        assert report.size >= len(acknowledged)
    assert len(acknowledged) > 10
    with closing(Ledger.open(data_dir)) as ledger:
        for name in acknowledged:
            record = ledger.find(name)
            assert record and record.body == {"text": name * 20}, name
    assert verify(data_dir).ok


def _read_then_kill(process: "subprocess.Popen[str]", answers: int, acknowledged: list[str]) -> None:
    with process:
        assert process.stdout
        for _ in range(answers):
            line = process.stdout.readline()
            if line:
                acknowledged.append(line.strip())
        os.kill(process.pid, signal.SIGKILL)
        # Written before the kill, read after it: acknowledged as well (a last cut-off line is not).
        acknowledged.extend(line.strip() for line in process.stdout if line.endswith("\n"))
    assert process.returncode == -signal.SIGKILL
