"""Time of adding documents and of a search with the access list in the query.

    python benchmarks/retrieval.py [passages]

Prints one JSON line: passages, seconds to add, bytes of the index, p50/p95/p99 of a search in milliseconds.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from ringwall.boundaries.data import Access, CollectionSettings, DataSection, DataStores, Document
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

WORDS_PER_PASSAGE = 80
PASSAGES_PER_DOCUMENT = 10
SEARCHES = 300


def main(wanted: int) -> None:
    chance = random.Random(7)
    vocabulary = [
        "".join(chance.choices("bcdfgklmnprstvaeiou", k=chance.randint(4, 9))) for _ in range(20_000)
    ]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]  # Zipf, as in prose

    def passage() -> str:
        return " ".join(chance.choices(vocabulary, weights, k=WORDS_PER_PASSAGE))

    def access() -> Access:
        roles = frozenset(chance.choice([[], ["customer"], ["manager"]]))
        return Access(chance.choice(["", "north", "south"]), roles)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        section = DataSection(collections={"handbook": CollectionSettings(readers=("customer",))})
        db = Database(path / "state.db")
        stores = DataStores.open(section, db, path, Envelope(path, MasterKey.load(path)))
        documents = [
            Document(
                "handbook",
                f"d{number}",
                f"Document {number}",
                "\n\n".join("# h\n" + passage() for _ in range(PASSAGES_PER_DOCUMENT)),
                "",
                "ed",
                1,
                access(),
            )
            for number in range(wanted // PASSAGES_PER_DOCUMENT)
        ]
        begun = time.perf_counter()
        stores.vault.commit("handbook", add=documents, author="ed")
        adding = time.perf_counter() - begun
        casey = Principal("casey", "north", frozenset({"customer"}), credential="k")
        times = []
        for _ in range(SEARCHES):
            query = " ".join(chance.choices(vocabulary[50:], weights[50:], k=6))
            begun = time.perf_counter()
            stores.retriever.search(casey, ["handbook"], query)
            times.append((time.perf_counter() - begun) * 1000)
        cuts = statistics.quantiles(times, n=100)
        row = db.one("SELECT count(*) AS n FROM data_passage")
        result = {
            "passages": row["n"] if row else 0,
            "add_s": round(adding, 2),
            "index_bytes": (path / "state.db").stat().st_size,
            "p50_ms": round(cuts[49], 2),
            "p95_ms": round(cuts[94], 2),
            "p99_ms": round(cuts[98], 2),
        }
        print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("passages", type=int, nargs="?", default=5_000)
    main(parser.parse_args().passages)
