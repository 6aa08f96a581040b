"""What the ledger costs: appends, latency, proofs, verification, and the price of ``fsync``.

    python benchmarks/ledger.py [--records 20000] [--json]

The limit in the same run is bare SQLite: the same bytes, already encoded, inserted in batches of 64 into a
table without any index, by one thread, with nothing canonical, hashed, encrypted or signed.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from ringwall.ledger import Ledger, verify, verify_proof
from ringwall.ledger.canonical import canonical

CONCURRENCY = 64
BODY = {
    "parts": [{"kind": "text", "role": "user", "text": "Where is my order 4711? " * 42, "integrity": "user"}],
    "reasons": [],
    "verdicts": {
        "interface.pii": {"findings": [{"rule": "pii.email", "start": 5, "end": 25, "score": 0.93}]}
    },
}


def event(number: int) -> dict[str, Any]:
    """A decision over 15 controls: 3.3 KB in canonical form."""
    line = {"boundary": "interface", "status": "evaluated", "mode": "enforce", "action": "allow", "rules": []}
    more = {"counted": "allow", "reason": "", "treatment": "", "elapsed_us": 41}
    return {
        "id": f"dec_{number:026d}",
        "type": "decision",
        "at": 1_700_000_000_000_000 + number,
        "boundary": "interface",
        "kind": "request",
        "application": "assistant",
        "subject": f"customer-{number % 200}",
        "tenant": "brightlamp",
        "session": f"ses_{number % 1000}",
        "endpoint": "chat.completions",
        "turn": f"trn_{number // 4}",
        "policy": "5f0c1a7e9d3b2468",
        "mode": "enforce",
        "action": "allow",
        "would": "allow",
        "elapsed_us": 640,
        "lines": [{"control": f"interface.control{i}", **line, **more} for i in range(15)],
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(cuts[49] * 1e3, 3), "p99_ms": round(cuts[98] * 1e3, 3)}


async def appending(ledger: Ledger, first: int, count: int, concurrency: int) -> dict[str, float]:
    waits: list[float] = []

    async def worker(offset: int) -> None:
        for number in range(first + offset, first + count, concurrency):
            item = event(number)
            start = time.perf_counter()
            await ledger.append(item, BODY)
            waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(worker(i) for i in range(concurrency)))
    return {"per_second": round(count / (time.perf_counter() - start)), **quantiles(waits)}


def mode(records: int, *, fsync: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with closing(Ledger.open(path, fsync=fsync)) as ledger:
            asyncio.run(appending(ledger, 0, 400, CONCURRENCY))  # keys and statements are made
            found: dict[str, Any] = {
                "concurrency_64": asyncio.run(appending(ledger, 1000, records, CONCURRENCY)),
                "concurrency_1": asyncio.run(appending(ledger, 10**9, max(200, records // 20), 1)),
            }
            size = ledger.size()
            step = max(1, size // 200)
            ledger.checkpoint()
            found["proof"] = timed(ledger.prove, range(0, size, step))
            proofs = [ledger.prove(i) for i in range(0, size, step)]
            vkey = ledger.vkey
            found["proof_verification"] = timed(lambda i: verify_proof(proofs[i], vkey), range(len(proofs)))
        start = time.perf_counter()
        report = verify(path, vkey)
        elapsed = time.perf_counter() - start
        if not report.ok:
            raise SystemExit("the ledger does not verify: " + str(report.damages[0]))
        found["verification"] = {"records": report.size, "records_per_second": round(report.size / elapsed)}
        found["bytes_per_record"] = round((path / "ledger.db").stat().st_size / report.size)
        return found


def timed(work: Callable[[int], object], items: range) -> dict[str, float]:
    taken = []
    for item in items:
        start = time.perf_counter()
        work(item)
        taken.append(time.perf_counter() - start)
    return quantiles(taken)


def bare(records: int, *, fsync: bool) -> int:
    """Inserts a second of bare SQLite."""
    body = os.urandom(len(json.dumps(BODY)) + 61)
    rows = [(canonical(event(number)), body) for number in range(records)]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)) as database,
    ):
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
        database.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY, event BLOB, body BLOB)")
        start = time.perf_counter()
        for at in range(0, records, CONCURRENCY):
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO entries (event, body) VALUES (?, ?)", rows[at : at + CONCURRENCY]
            )
            database.execute("COMMIT")
        return round(records / (time.perf_counter() - start))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {"event_bytes": len(canonical(event(1))), "body_bytes": len(json.dumps(BODY))}
    for name, fsync in (("default", False), ("fsync", True)):
        limit = bare(options.records, fsync=fsync)
        result[name] = mode(options.records, fsync=fsync)
        result[name]["bare_sqlite_per_second"] = limit
        result[name]["share_of_bare_sqlite"] = round(result[name]["concurrency_64"]["per_second"] / limit, 3)
    rates = [result[name]["concurrency_64"]["per_second"] for name in ("default", "fsync")]
    singles = [result[name]["concurrency_1"]["p50_ms"] for name in ("default", "fsync")]
    result["fsync_cost"] = {
        "throughput": round(rates[0] / rates[1], 2),
        "single_latency": round(singles[1] / singles[0], 2),
    }
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
