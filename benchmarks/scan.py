"""Scan of a large data set: rows a second, memory, Ray against the local engine, killed and resumed.

    python benchmarks/scan.py [--rows 1000000] [--source FILE.jsonl.gz] [--engines local,ray]

Rows are those of the source file (fields ``input`` and ``output``), drawn again and again with another number
in each, so that no cache knows one; without a source they are made of common words. The limit beside it is
reading and parsing the same files, on one core.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from ringwall.boundaries.data.records import row_files, rows_of

_FILES = 8
_WORDS = ["order", "parcel", "invoice", "street", "window", "answer", "yellow", "river", "please", "carry"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--engines", default="local,ray")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scan-bench-") as name:
        work = Path(name)
        data = work / "rows"
        data.mkdir()
        size = _make(data, options.rows, options.source)
        print(f"{options.rows:,} rows, {size / 1e6:,.0f} MB, {len(os.sched_getaffinity(0))} cores")
        limit = _parse(data)
        print(f"read and parse alone: {options.rows / limit:,.0f} rows/s on one core")
        took, digests = {}, {}
        for engine in options.engines.split(","):
            out = work / engine
            seconds, peak = _run(data, out, engine)
            took[engine], digests[engine] = seconds, _digest(out)
            rate = options.rows / seconds
            print(
                f"{engine}: {seconds:,.0f} s, {rate:,.0f} rows/s, {size / seconds / 1e6:.2f} MB/s, "
                f"peak {peak:,.0f} MB"
            )
        if len(took) == 2:
            print(
                f"ray / local: {took['ray'] / took['local']:.2f} times the time; "
                f"same bytes: {len(set(digests.values())) == 1}"
            )
        out = work / "killed"
        at = _killed(data, out, took["local"] * 0.4)
        seconds, _ = _run(data, out, "local")
        same = _digest(out) == digests["local"]
        print(f"killed after {at:,} rows were on record, resumed in {seconds:,.0f} s: same bytes {same}")


def _make(folder: Path, rows: int, source: Path | None) -> int:
    draw = random.Random(7)
    known = _known(source) if source else []
    for number in range(_FILES):
        with (folder / f"part-{number}.jsonl").open("wb") as file:
            for at in range(rows * number // _FILES, rows * (number + 1) // _FILES):
                asked, told = draw.choice(known) if known else (" ".join(draw.choices(_WORDS, k=30)), "Yes.")
                row = {"id": f"n{at}", "prompt": f"{asked} ({at})", "completion": f"{told} {at * 7919}"}
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return sum(path.stat().st_size for path in folder.iterdir())


def _known(source: Path) -> list[tuple[str, str]]:
    with gzip.open(source) as file:
        rows = (json.loads(line) for line in file)
        return [(row["input"], row["output"]) for row in rows]


def _parse(data: Path) -> float:
    began = time.perf_counter()
    for file in row_files(data):
        for chunk in file.chunks():
            for _ in rows_of(chunk):
                pass
    return time.perf_counter() - began


def _command(data: Path, out: Path, engine: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "ringwall",
        "data",
        "scan",
        str(data),
        "--out",
        str(out),
        "--engine",
        engine,
        "--json",
    ]


def _run(data: Path, out: Path, engine: str) -> tuple[float, float]:
    """Seconds, and the highest sum of the resident memory of all its processes, in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(_command(data, out, engine), stdout=subprocess.DEVNULL, start_new_session=True)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    code = process.wait()
    watcher.join()
    if code not in (0, 1):
        raise SystemExit(f"the scan ended with code {code}")
    return time.perf_counter() - began, peak[0]


def _watch(process: "subprocess.Popen[bytes]", peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_memory(pid) for pid in _session(process.pid)))
        time.sleep(0.5)


def _session(leader: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    yield int(entry.name)
            except ProcessLookupError:
                continue


def _memory(pid: int) -> float:
    """Proportional: what processes share counts once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def _killed(data: Path, out: Path, after: float) -> int:
    process = subprocess.Popen(
        _command(data, out, "local"), stdout=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return int(json.loads((out / "checkpoint.json").read_bytes())["rows"])


def _digest(out: Path) -> str:
    with (out / "findings.jsonl").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
