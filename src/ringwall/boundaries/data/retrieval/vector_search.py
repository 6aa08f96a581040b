"""Nearest passages of the embedded store: vectors sealed in the database, opened into memory once.

Each document's vectors are one sealed value. A search first takes in what was committed since the last one,
by this process or another, so that nothing is loaded twice.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence

import orjson

from ringwall.core import DataError
from ringwall.storage.database import Database, Row

from ..document import Document, cite
from ..keys import Sealer
from .asker import Asker
from .chunk import Prepared
from .embedding import Embedding
from .narrowed import Narrowed
from .schema import CLASSES
from .settings import RetrievalSettings
from .store import Progress
from .vectors import BYTES, Quantised, Rows, Vectors

_BATCH = 2_000
_RECOUNT_S = 5.0
_OTHERS = "Its vectors in the index are not those of its passages."
_NEWS = """
SELECT (SELECT max(document) FROM data_vector) AS newest,
       (SELECT max(number) FROM data_vector_gone) AS gone
"""
_LOAD = """
SELECT v.document, v.sealed, d.collection, d.document AS name, d.revision, d.owner, d.class,
       (SELECT json_group_array(id) FROM (SELECT id FROM data_passage WHERE document = d.id ORDER BY ordinal))
           AS passages
FROM data_vector v JOIN data_document d ON d.id = v.document
WHERE v.document > ? ORDER BY v.document LIMIT ?
"""


class VectorSearch:
    """Thread-safe; several processes may share the database, each with its own memory."""

    def __init__(
        self, db: Database, envelope: Sealer, embedding: Embedding, settings: Callable[[], RetrievalSettings]
    ) -> None:
        self._db = db
        self._envelope = envelope
        self._embedding = embedding
        self._settings = settings
        self._lock = threading.RLock()
        self._sets: dict[str, Vectors] = {}
        self._newest = 0
        self._gone = 0
        self._counted = 0
        self._counted_at = -math.inf
        self._closed = False

    def search(
        self,
        asker: Asker,
        collections: Sequence[str],
        query: str,
        count: int,
        only: Narrowed | None = None,
    ) -> list[tuple[int, float]]:
        """Passages and their cosine, nearest first, of the access classes that the asker may read; ``only``:
        none but these."""
        names = orjson.dumps(collections).decode()
        rows = self._db.all(CLASSES, names, asker.roles_json, asker.tenant, asker.subject)
        classes = [row["id"] for row in rows]
        if not classes or not query.strip():
            return []
        self.refresh()
        found: list[tuple[int, float]] = []
        for name in collections:
            vectors = self._sets.get(name)
            if vectors is not None:
                asked = self._embedding.of_query(name, query)
                found += vectors.nearest(
                    asked, classes, count, self._settings().similarity, only.spans if only else None
                )
        return sorted(found, key=lambda item: -item[1])[:count]

    def refresh(self, progress: Progress | None = None) -> None:
        """Take in what was added and removed since last time. DataError when a vector was tampered with."""
        with self._lock:
            row = self._db.one(_NEWS)
            newest, gone = (row["newest"] or 0, row["gone"] or 0) if row else (0, 0)
            if gone > self._gone:
                for dead in self._db.all(
                    "SELECT document FROM data_vector_gone WHERE number > ?", self._gone
                ):
                    for vectors in self._sets.values():
                        vectors.remove(dead["document"])
                self._gone = gone
            if newest > self._newest:
                self._load(newest, progress)

    def examine(self, document: Document) -> str:
        """What is wrong with the vectors that the database has of a document; empty when nothing is."""
        row = self._db.one(
            "SELECT v.sealed, d.owner, (SELECT count(*) FROM data_passage WHERE document = d.id) AS count "
            "FROM data_vector v JOIN data_document d ON d.id = v.document "
            "WHERE d.collection = ? AND d.document = ? AND d.revision = ?",
            *(document.collection, document.id, document.revision),
        )
        try:
            return (
                ""
                if row is None or len(_opened(self._envelope, document.name, row).scale) == row["count"]
                else _OTHERS
            )
        except (DataError, ValueError) as error:
            return f"Its vectors in the index are damaged: {error}"

    def check_room(self, count: int) -> None:
        """DataError when so many more vectors pass the limit on memory."""
        held = self._held()
        if (held + count) * BYTES > self._settings().memory_mb * 1_000_000:
            raise DataError(
                f"The vectors of {held + count} passages take more than data.retrieval.memory_mb "
                f"({self._settings().memory_mb}): raise it, or keep the index in PostgreSQL."
            )

    @property
    def memory(self) -> int:
        """Bytes."""
        return sum(vectors.memory for vectors in self._sets.values())

    def _held(self) -> int:
        """Passages in the database, counted at most every few seconds."""
        now = time.monotonic()
        if now - self._counted_at > _RECOUNT_S:
            row = self._db.one("SELECT count(*) AS n FROM data_passage")
            self._counted, self._counted_at = int(row["n"]) if row else 0, now
        return self._counted

    def close(self) -> None:
        """Forget them; whatever is loading ends."""
        self._closed = True
        with self._lock:
            self._sets.clear()
            self._newest = self._gone = 0

    def _load(self, newest: int, progress: Progress | None) -> None:
        row = self._db.one("SELECT count(*) AS n FROM data_vector WHERE document > ?", self._newest)
        total, done = int(row["n"]) if row else 0, 0
        while newest > self._newest and not self._closed:
            rows = self._db.all(_LOAD, self._newest, _BATCH)
            if not rows:
                break
            self._take(rows)
            self._newest = rows[-1]["document"]
            done += len(rows)
            if progress:
                progress(done, max(done, total))

    def _take(self, rows: Sequence[Row]) -> None:
        by_collection: dict[str, list[Rows]] = {}
        for row in rows:
            name = cite(row["collection"], row["name"], row["revision"])
            passages = orjson.loads(row["passages"])
            try:
                vectors = _opened(self._envelope, name, row)
            except (DataError, ValueError) as error:
                raise DataError(f"The vectors of {name} are damaged or erased: {error}") from error
            if len(passages) != len(vectors.scale):
                raise DataError(f"The vectors of {name} are not those of its passages: rebuild the index.")
            taken = Rows(row["document"], row["class"], passages, vectors)
            by_collection.setdefault(row["collection"], []).append(taken)
        for collection, taken_rows in by_collection.items():
            self._sets.setdefault(collection, Vectors()).add(taken_rows)


def sealed_vectors(envelope: Sealer, prepared: Prepared) -> bytes:
    """The vectors of a document, bound to its name and revision. ValueError when it has none."""
    if prepared.vectors is None:
        raise ValueError("no vectors")
    return envelope.seal(
        prepared.owner, Quantised.of(prepared.vectors).to_bytes(), _place(prepared.document.name)
    )


def _opened(envelope: Sealer, name: str, row: Row) -> Quantised:
    """ValueError for what can't be vectors."""
    return Quantised.from_bytes(envelope.open(row["owner"], row["sealed"], _place(name)))


def _place(name: str) -> bytes:
    return f"vectors of {name}".encode()
