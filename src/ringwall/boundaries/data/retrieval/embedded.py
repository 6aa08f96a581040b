"""The embedded store: BM25 over keyed hashes and vectors in memory, the access list in the query.

A full-text index of plain words would undo the encryption of the vault, so this one is blind: each word is
stemmed and replaced by a truncated HMAC under the collection's secret, the hashes of a passage are sorted
(word order is gone), and FTS5 ranks those. Passages and vectors are sealed under their document's key;
passages are opened only for the few rows that a query returns. What a thief of the file still sees is in
ADR 5 and 21.
"""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from ringwall.core import DataError, Principal
from ringwall.storage.database import Database

from ..document import Access, Document
from ..keys import CollectionKeys, Sealer
from ..settings import CollectionSettings
from .asker import Asker
from .chunk import Chunk, Prepared, open_chunk
from .examine import examine
from .fusion import fused
from .installed import check_installed
from .narrowed import narrowed
from .prepare import Preparer
from .schema import ROWS, STEPS
from .settings import RetrievalSettings
from .store import Progress
from .vector_search import VectorSearch, sealed_vectors
from .within import Within
from .word_search import WordSearch

_MOST = 50
_DEPTH = 5
"""Times as many candidates from each ranking as are wanted."""


class Index:
    """Lives in ``state.db``, so that a commit and its index are one transaction. Thread-safe."""

    def __init__(self, db: Database, envelope: Sealer, keys: CollectionKeys) -> None:
        self._db = db
        self._envelope = envelope
        self._preparer = Preparer(envelope, keys)
        self._settings: dict[str, CollectionSettings] = {}
        db.migrate("data_index", STEPS)
        self._words = WordSearch(db, self._preparer.words)
        self._retrieval = RetrievalSettings()
        self._vectors = VectorSearch(db, envelope, self._preparer.embedding, lambda: self._retrieval)

    def configure(
        self, collections: Mapping[str, CollectionSettings], retrieval: RetrievalSettings | None = None
    ) -> None:
        """Make the access tables say what the workload file says. A collection that it no longer names can't
        be read by anybody. ConfigError when a collection asks for what is not installed."""
        collections = {name: one for name, one in collections.items() if one.kind == "index"}
        check_installed(collections)
        with self._db.transaction():
            self._db.write("DELETE FROM data_collection_reader")
            self._db.write("DELETE FROM data_collection")
            for name, settings in collections.items():
                self._db.write(
                    "INSERT INTO data_collection VALUES (?, ?)", name, int(settings.isolate_tenants)
                )
                for role in set(settings.readers):
                    self._db.write("INSERT INTO data_collection_reader VALUES (?, ?)", name, role)
        self._settings = dict(collections)
        self._retrieval = retrieval or RetrievalSettings()

    def prepare(self, document: Document, owner: str) -> Prepared:
        """The slow part of adding a document, to be done outside the transaction. DataError when its vectors
        have no room."""
        settings = self._settings.get(document.collection, CollectionSettings())
        prepared = self._preparer.prepare(document, owner, settings)
        if prepared.vectors is not None:
            self._vectors.check_room(len(prepared.vectors))
        return prepared

    def apply(self, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> None:
        """Replace and remove documents. Call inside a transaction."""
        for document in removed:
            self._remove(collection, document)
        for prepared in put:
            self._remove(collection, prepared.document.id)
            self._put(prepared)

    def search(
        self,
        principal: Principal,
        collections: Sequence[str],
        query: str,
        top_k: int = 4,
        within: Within | None = None,
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first; ``within``: only of these.

        ``query`` is any text: only its words, and in hybrid collections its meaning, count. DataError when a
        returned row was tampered with.
        """
        asker = Asker.of(principal)
        known = [name for name in dict.fromkeys(collections) if name in self._settings]
        if asker is None or not known:
            return []
        only = None if within is None else narrowed(self._db, known, within)
        limit = max(1, min(top_k, _MOST))
        hybrid = [name for name in known if self._settings[name].search == "hybrid"]
        if not hybrid:
            scores = self._words.search(asker, known, query, limit, only)
        else:
            depth = limit * _DEPTH
            near = [one for one, _ in self._vectors.search(asker, hybrid, query, depth, only)]
            worded = self._words.search(asker, known, query, depth, only, near if hybrid == known else ())
            scores = fused(([one for one, _ in worded], near))[:limit]
        return self._opened(asker, known, scores)

    def indexed(self, collection: str) -> list[str]:
        """Ids of the documents that it holds of a collection."""
        rows = self._db.all("SELECT document FROM data_document WHERE collection = ?", collection)
        return [row["document"] for row in rows]

    def missing(self, current: Mapping[tuple[str, str], int]) -> list[str]:
        """Where the index and the vault's current revisions differ, or a hybrid collection lacks vectors:
        ``collection/id`` of each."""
        rows = self._db.all("SELECT collection, document, revision FROM data_document")
        have = {(row["collection"], row["document"]): row["revision"] for row in rows}
        wrong = {key for key in {*have, *current} if have.get(key) != current.get(key)}
        hybrid = {name for name, settings in self._settings.items() if settings.search == "hybrid"}
        if hybrid:
            lacking = self._db.all(
                "SELECT collection, document FROM data_document d WHERE NOT EXISTS "
                "(SELECT 1 FROM data_vector v WHERE v.document = d.id) AND EXISTS "
                "(SELECT 1 FROM data_passage p WHERE p.document = d.id)"
            )
            wrong |= {(row["collection"], row["document"]) for row in lacking if row["collection"] in hybrid}
        return sorted("/".join(key) for key in wrong)

    def examine(self, documents: Sequence[Document]) -> list[str]:
        """See ``RetrievalStore``."""
        words = self._preparer.words
        return [
            examine(self._db, self._envelope, words, one) or self._vectors.examine(one) for one in documents
        ]

    def warm(self, progress: Progress | None = None) -> None:
        """Load the model and open the vectors, where a collection is searched by them. A search in the
        meantime waits for them; ``close`` ends it."""
        for name, settings in self._settings.items():
            if settings.search == "hybrid":
                self._preparer.embedding.of_query(name, "warm")
                self._vectors.refresh(progress)

    def close(self) -> None:
        """Let go of the vectors in memory. The database is its owner's to close."""
        self._vectors.close()

    @property
    def vector_memory(self) -> int:
        """Bytes that the vectors take in this process."""
        return self._vectors.memory

    def _opened(
        self, asker: Asker, collections: Sequence[str], scores: Sequence[tuple[int, float]]
    ) -> list[Chunk]:
        wanted = orjson.dumps([passage for passage, _ in scores]).decode()
        names = orjson.dumps(collections).decode()
        rows = self._db.all(ROWS, names, asker.roles_json, asker.tenant, asker.subject, wanted)
        by_id = {row["id"]: row for row in rows}
        return [
            open_chunk(self._envelope, dict(by_id[passage]), score)
            for passage, score in scores
            if passage in by_id
        ]

    def _put(self, prepared: Prepared) -> None:
        document = prepared.document
        access = self._class(document.collection, document.access)
        key = self._added(
            "INSERT INTO data_document (collection, document, revision, owner, class) VALUES (?, ?, ?, ?, ?)",
            *(document.collection, document.id, document.revision, prepared.owner, access),
        )
        for ordinal, passage in enumerate(prepared.passages):
            rowid = self._added(
                "INSERT INTO data_passage (document, ordinal, sealed) VALUES (?, ?, ?)",
                *(key, ordinal, passage.sealed),
            )
            self._db.write(
                "INSERT INTO data_words (rowid, title, body, class) VALUES (?, ?, ?, ?)",
                *(rowid, " ".join(passage.title), " ".join(passage.body), f"k{access}"),
            )
        if prepared.vectors is not None:
            sealed = sealed_vectors(self._envelope, prepared)
            self._db.write("INSERT INTO data_vector VALUES (?, ?)", key, sealed)

    def _class(self, collection: str, access: Access) -> int:
        """The access class of a list, made when it is the first of its kind."""
        readers = sorted(
            [("role", name) for name in access.roles] + [("subject", name) for name in access.subjects]
        )
        place = (collection, access.tenant, orjson.dumps(readers).decode())
        row = self._db.one(
            "SELECT id FROM data_class WHERE collection = ? AND tenant = ? AND list = ?", *place
        )
        if row is not None:
            return int(row["id"])
        made = self._added(
            "INSERT INTO data_class (collection, tenant, list, listed) VALUES (?, ?, ?, ?)",
            *(*place, int(not access.open)),
        )
        for kind, name in readers:
            self._db.write("INSERT INTO data_class_reader VALUES (?, ?, ?)", kind, name, made)
        return made

    def _remove(self, collection: str, document: str) -> None:
        row = self._db.one(
            "SELECT id, class FROM data_document WHERE collection = ? AND document = ?", collection, document
        )
        if row is None:
            return
        self._db.write(
            "DELETE FROM data_words WHERE rowid IN (SELECT id FROM data_passage WHERE document = ?)",
            row["id"],
        )
        self._db.write("DELETE FROM data_vector WHERE document = ?", row["id"])
        self._db.write("DELETE FROM data_document WHERE id = ?", row["id"])
        self._db.write(
            "DELETE FROM data_class WHERE id = ? AND NOT EXISTS "
            "(SELECT 1 FROM data_document WHERE class = ?)",
            *(row["class"], row["class"]),
        )

    def _added(self, insert: str, *values: object) -> int:
        row = self._db.one(f"{insert} RETURNING id", *values)
        if row is None:
            raise DataError("The index did not take a row.")
        return int(row["id"])
