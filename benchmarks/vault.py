"""What the vault costs: records and documents in, verified out, beside the limits of the machine.

    python -P benchmarks/vault.py [--mb 60] [--documents 2000] [--json]

The limits in the same run: SHA-256 of the same bytes, and the same bytes written to plain files with fsync.
Beside it Parquet and Delta: what they take, and whether they notice a tampered row.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltalake
import deltalake.exceptions
import orjson
import pyarrow

from ringwall.boundaries.data import CollectionSettings, DataSection, DataStores, Document
from ringwall.boundaries.data.records import Record, Source, record_of
from ringwall.boundaries.data.training.export import write_parquet
from ringwall.core import DataError
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

WORDS = [
    f"{a}{b}{c}" for a in "bcdfglmnprst" for b in ("a", "ei", "o", "u") for c in ("n", "r", "st", "l", "")
]


def text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def rows(count: int, words: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(7)
    for number in range(count):
        yield {"id": f"q{number}", "prompt": text(rng, words // 4), "response": text(rng, words)}


def records(given: list[dict[str, Any]]) -> Iterator[Record]:
    for number, row in enumerate(given, 1):
        source = Source("bench.jsonl", str(number), "ann", "bench", "con_1", 1, "MIT", "none needed")
        yield record_of(row, source)


@contextmanager
def stores(folder: Path) -> Iterator[DataStores]:
    section = DataSection(
        collections={"set": CollectionSettings(kind="training"), "index": CollectionSettings()}
    )
    db, envelope = Database(folder / "state.db"), Envelope(folder, MasterKey.load(folder))
    opened = DataStores.open(section, db, folder, envelope)
    yield opened
    opened.close()
    db.close()
    envelope.close()


def timed(work: Any) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def training(folder: Path, megabytes: float, words: int) -> dict[str, float]:
    one = len(orjson.dumps(next(rows(1, words))))
    given = list(rows(int(megabytes * 1e6 / one), words))
    bodies = [orjson.dumps(row) for row in given]
    size = sum(map(len, bodies)) / 1e6
    read = list(records(given))  # reading rows is not the vault's work
    joined = [b"".join(bodies[start : start + 1000]) for start in range(0, len(bodies), 1000)]

    def plain() -> None:
        for number, piece in enumerate(joined):
            with (folder / f"plain{number}").open("wb") as file:
                file.write(piece)
                file.flush()
                os.fsync(file.fileno())

    hashed, _ = timed(lambda: [hashlib.sha256(piece).digest() for piece in joined])
    written, _ = timed(plain)
    with stores(folder) as opened:
        sets = opened.training
        put, put_cpu = timed(lambda: sets.add("set", iter(read), author="ann"))
        got, got_cpu = timed(lambda: sum(1 for _ in sets.records("set")))
        one_more, _ = timed(lambda: sets.add("set", [Record("more", {"text": "one"})], author="ann"))
        found, _ = timed(lambda: sets.find("set", "q77"))
        checked, _ = timed(opened.verify)
    parquet, _ = timed(lambda: write_parquet(iter(read), folder / "plain.parquet"))
    return {
        "records": len(given),
        "bytes_a_record": round(size * 1e6 / len(given)),
        "sha256_mb_s": size / hashed,
        "plain_files_fsync_mb_s": size / written,
        "write_mb_s": size / put,
        "write_mb_per_cpu_s": size / put_cpu,
        "write_records_s": len(given) / put,
        "verified_read_mb_s": size / got,
        "verified_read_mb_per_cpu_s": size / got_cpu,
        "verify_mb_s": size / checked,
        "parquet_write_mb_s": size / parquet,
        "one_more_record_ms": one_more * 1000,
        "find_a_record_ms": found * 1000,
        "disk_ratio": disk(folder) / (size * 1e6),
    }


def disk(folder: Path) -> int:
    names = [*folder.glob("blobs/??/??/*"), *folder.glob("record*.db")]
    return sum(path.stat().st_size for path in names)


def documents(folder: Path, count: int) -> dict[str, float]:
    rng = random.Random(3)
    made = [Document("index", f"d{n}", f"Document {n}", text(rng, 120), "", "ann", 1) for n in range(count)]
    with stores(folder) as opened:
        prepared, _ = timed(lambda: [opened.index.prepare(one, "owner") for one in made[:500]])

        def commit() -> None:
            for start in range(0, count, 1000):
                opened.vault.commit("index", add=made[start : start + 1000], author="ann")

        took, took_cpu = timed(commit)
        one = Document("index", "more", "more", "one", "", "ann", 1)
        one_more, _ = timed(lambda: opened.vault.commit("index", add=[one], author="ann"))
    return {
        "documents": count,
        "documents_s": count / took,
        "documents_per_cpu_s": count / took_cpu,
        "of_which_index_ms_each": prepared / min(count, 500) * 1000,
        "one_more_document_ms": one_more * 1000,
    }


def tampered(folder: Path) -> dict[str, bool]:
    """Whether each store notices one changed row."""
    place = str(folder / "delta")
    table = pyarrow.Table.from_pylist([{"id": n, "text": f"row {n}"} for n in range(100)])
    plain = deltalake.WriterProperties(compression="UNCOMPRESSED")
    deltalake.write_deltalake(place, table, writer_properties=plain)
    file = next((folder / "delta").glob("*.parquet"))
    file.write_bytes(file.read_bytes().replace(b"row 50", b"bad 50"))
    noticed = {}
    try:
        read = deltalake.DeltaTable(place).to_pyarrow_table().to_pylist()
        noticed["delta"] = not any(row["text"] == "bad 50" for row in read)
    except (OSError, ValueError, deltalake.exceptions.DeltaError):
        noticed["delta"] = True
    with stores(folder) as opened:
        opened.training.add("set", (Record(f"r{n}", {"text": f"row {n}"}) for n in range(100)), author="ann")
        entry = next(opened.training.ever("set"))
        path = folder / "blobs" / entry.blob[:2] / entry.blob[2:4] / entry.blob
        data = bytearray(path.read_bytes())
        data[-500] ^= 1
        path.chmod(0o600)
        path.write_bytes(data)
        opened.training.forget()
        try:
            list(opened.training.records("set"))
            noticed["ringwall"] = False
        except DataError:
            noticed["ringwall"] = True
    return noticed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=float, default=60)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    told: dict[str, Any] = {}
    for name, words in (("short rows", 100), ("long rows", 900)):
        with tempfile.TemporaryDirectory() as folder:
            told[name] = training(Path(folder), asked.mb, words)
    with tempfile.TemporaryDirectory() as folder:
        told["documents"] = documents(Path(folder), asked.documents)
    with tempfile.TemporaryDirectory() as folder:
        told["notices a tampered row"] = tampered(Path(folder))
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if asked.json:
        print(json.dumps(told, indent=2))
        return
    for name, value in told.items():
        print(name if isinstance(value, dict) else f"{name}: {value:.0f}")
        for key, one in value.items() if isinstance(value, dict) else ():
            print(f"  {key:28} {one if isinstance(one, bool) else format(one, ',.1f')}")


if __name__ == "__main__":
    main()
