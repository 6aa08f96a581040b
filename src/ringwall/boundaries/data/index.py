"""The search index: BM25 over keyed hashes, with the access list enforced inside the query.

A full-text index of plain words would undo the encryption of the vault, so this one is blind: each word is
stemmed and replaced by a truncated HMAC under the collection's secret, the hashes of a passage are sorted
(word order is gone), and FTS5 ranks those. Passages themselves are sealed under their document's key and
opened only for the few rows that a query returns. What a thief of the file still sees is in ADR 0005.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError, Integrity, Label, Principal
from ringwall.storage.database import Database, Row

from .document import Access, Document, canonical, cite
from .keys import CollectionKeys, Sealer
from .passages import passages
from .settings import CollectionSettings
from .words import words

_QUERY_CHARS = 4000
_QUERY_WORDS = 48
_MOST = 50

_STEPS = [
    """
    CREATE TABLE data_collection (name TEXT PRIMARY KEY, isolated INTEGER NOT NULL) STRICT;
    CREATE TABLE data_collection_reader (
        collection TEXT NOT NULL REFERENCES data_collection ON DELETE CASCADE,
        role TEXT NOT NULL,
        PRIMARY KEY (collection, role)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE data_document (
        id INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        document TEXT NOT NULL,
        revision INTEGER NOT NULL,
        owner TEXT NOT NULL,
        tenant TEXT NOT NULL,
        listed INTEGER NOT NULL,
        UNIQUE (collection, document)
    ) STRICT;
    CREATE TABLE data_document_reader (
        document INTEGER NOT NULL REFERENCES data_document ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('role', 'subject')),
        name TEXT NOT NULL,
        PRIMARY KEY (document, kind, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE data_passage (
        id INTEGER PRIMARY KEY,
        document INTEGER NOT NULL REFERENCES data_document ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX data_passage_document ON data_passage (document);
    CREATE VIRTUAL TABLE data_words USING fts5 (title, body, tokenize = 'ascii', detail = 'column');
    """
]

# ?1 words, ?2 collections, ?3 roles, ?4 tenant, ?5 subject ('' when not authenticated), ?6 how many
_SEARCH = """
SELECT p.ordinal, p.sealed, d.collection, d.document, d.revision, d.owner,
       bm25(data_words, 3.0, 1.0) AS rank
FROM data_words
JOIN data_passage p ON p.id = data_words.rowid
JOIN data_document d ON d.id = p.document
JOIN data_collection c ON c.name = d.collection
WHERE data_words MATCH ?1
  AND c.name IN (SELECT value FROM json_each(?2))
  AND EXISTS (SELECT 1 FROM data_collection_reader r
              WHERE r.collection = c.name AND r.role IN (SELECT value FROM json_each(?3)))
  AND (c.isolated = 0 OR d.tenant IN ('', ?4))
  AND (d.listed = 0 OR EXISTS (
        SELECT 1 FROM data_document_reader r WHERE r.document = d.id AND (
            (r.kind = 'role' AND r.name IN (SELECT value FROM json_each(?3)))
            OR (r.kind = 'subject' AND r.name = ?5 AND ?5 <> '' AND d.tenant IN ('', ?4)))))
ORDER BY rank, p.id
LIMIT ?6
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that a principal may read, with what is known of it."""

    collection: str
    document: str
    version: int
    """Revision of the document."""
    ordinal: int
    title: str
    text: str
    score: float
    """BM25, higher is better; comparable within one search only."""
    label: Label
    access: Access
    """The document's list as sealed with the passage: not what the query was filtered by."""
    contributor: str = ""
    """Subject of whoever contributed the document; empty for one indexed before this was kept."""

    @property
    def name(self) -> str:
        """``document:COLLECTION/ID@REVISION``, as the ledger cites it."""
        return cite(self.collection, self.document, self.version)


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A document hashed and sealed, ready to be written in one short transaction."""

    document: Document
    owner: str
    rows: tuple[tuple[str, str, bytes], ...]
    """Title hashes, body hashes, sealed passage."""


class Index:
    """Lives in ``state.db``, so that a commit and its index are one transaction. Thread-safe."""

    def __init__(self, db: Database, envelope: Sealer, keys: CollectionKeys) -> None:
        self._db = db
        self._envelope = envelope
        self._keys = keys
        self._settings: dict[str, CollectionSettings] = {}
        db.migrate("data_index", _STEPS)

    def configure(self, collections: Mapping[str, CollectionSettings]) -> None:
        """Make the access tables say what the workload file says. A collection that it no longer names can't
        be read by anybody."""
        with self._db.transaction():
            self._db.write("DELETE FROM data_collection_reader")
            self._db.write("DELETE FROM data_collection")
            for name, settings in collections.items():
                if settings.kind != "index":
                    continue
                self._db.write(
                    "INSERT INTO data_collection VALUES (?, ?)", name, int(settings.isolate_tenants)
                )
                for role in set(settings.readers):
                    self._db.write("INSERT INTO data_collection_reader VALUES (?, ?)", name, role)
        self._settings = {name: one for name, one in collections.items() if one.kind == "index"}

    def prepare(self, document: Document, owner: str) -> Prepared:
        """The slow part of adding a document, to be done outside the transaction."""
        settings = self._settings.get(document.collection, CollectionSettings())
        rows = []
        for ordinal, passage in enumerate(passages(document.text, settings.chunk_chars)):
            payload = {
                "title": document.title,
                "text": passage.text,
                "tenant": document.access.tenant,
                "roles": sorted(document.access.roles),
                "subjects": sorted(document.access.subjects),
                "sensitivity": sorted(document.sensitivity),
                "contributor": document.contributor,
            }
            place = _place(document.collection, document.id, document.revision, ordinal)
            sealed = self._envelope.seal(owner, canonical(payload), place)
            title = self._hashes(document.collection, f"{document.title} {passage.heading}")
            rows.append((title, self._hashes(document.collection, passage.text), sealed))
        return Prepared(document, owner, tuple(rows))

    def apply(self, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> None:
        """Replace and remove documents. Call inside a transaction."""
        for document in removed:
            self._remove(collection, document)
        for prepared in put:
            self._remove(collection, prepared.document.id)
            self._put(prepared)

    def search(
        self, principal: Principal, collections: Sequence[str], query: str, top_k: int = 4
    ) -> list[Chunk]:
        """The best passages that the principal may read, best first.

        ``query`` is any text: only its words count. DataError when a returned row was tampered with.
        """
        asked = self._query(collections, query)
        who = _speakable(principal)
        if not asked or who is None:
            return []
        roles, tenant, subject = who
        names = orjson.dumps([name for name in collections if name in self._settings]).decode()
        limit = max(1, min(top_k, _MOST))
        rows = self._db.all(_SEARCH, asked, names, roles, tenant, subject, limit)
        return [self._chunk(row) for row in rows]

    def holds(self, collection: str, document: str) -> bool:
        """Whether passages of the document can be found now."""
        found = self._db.one(
            "SELECT 1 FROM data_document WHERE collection = ? AND document = ?", collection, document
        )
        return found is not None

    def missing(self, current: Mapping[tuple[str, str], int]) -> list[str]:
        """Where the index and the vault's current revisions differ: ``collection/id`` of each."""
        rows = self._db.all("SELECT collection, document, revision FROM data_document")
        have = {(row["collection"], row["document"]): row["revision"] for row in rows}
        wrong = {key for key in {*have, *current} if have.get(key) != current.get(key)}
        return sorted("/".join(key) for key in wrong)

    def _put(self, prepared: Prepared) -> None:
        document = prepared.document
        row = self._db.one(
            "INSERT INTO data_document (collection, document, revision, owner, tenant, listed) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            *(document.collection, document.id, document.revision, prepared.owner),
            *(document.access.tenant, int(not document.access.open)),
        )
        key = row["id"] if row else 0
        readers = [("role", name) for name in document.access.roles]
        readers += [("subject", name) for name in document.access.subjects]
        for kind, name in readers:
            self._db.write("INSERT INTO data_document_reader VALUES (?, ?, ?)", key, kind, name)
        for ordinal, (title, body, sealed) in enumerate(prepared.rows):
            added = self._db.one(
                "INSERT INTO data_passage (document, ordinal, sealed) VALUES (?, ?, ?) RETURNING id",
                *(key, ordinal, sealed),
            )
            rowid = added["id"] if added else 0
            self._db.write("INSERT INTO data_words (rowid, title, body) VALUES (?, ?, ?)", rowid, title, body)

    def _remove(self, collection: str, document: str) -> None:
        where = (collection, document)
        self._db.write(
            "DELETE FROM data_words WHERE rowid IN (SELECT p.id FROM data_passage p JOIN data_document d "
            "ON d.id = p.document WHERE d.collection = ? AND d.document = ?)",
            *where,
        )
        self._db.write("DELETE FROM data_document WHERE collection = ? AND document = ?", *where)

    def _chunk(self, row: Row) -> Chunk:
        collection, document, revision = row["collection"], row["document"], row["revision"]
        place = _place(collection, document, revision, row["ordinal"])
        try:
            payload: dict[str, Any] = orjson.loads(self._envelope.open(row["owner"], row["sealed"], place))
        except DataError as error:
            raise DataError(f"Passage {place.decode()} of the index is damaged or erased: {error}") from error
        name = cite(collection, document, revision)
        return Chunk(
            collection=collection,
            document=document,
            version=revision,
            ordinal=row["ordinal"],
            title=payload["title"],
            text=payload["text"],
            score=-row["rank"],
            label=Label(Integrity.UNTRUSTED, frozenset(payload["sensitivity"]), frozenset({name})),
            access=Access(payload["tenant"], frozenset(payload["roles"]), frozenset(payload["subjects"])),
            contributor=payload.get("contributor", ""),
        )

    def _hashes(self, collection: str, text: str) -> str:
        return " ".join(sorted(self._hash(collection, word) for word in words(text)))

    def _hash(self, collection: str, word: str) -> str:
        return self._keys.digest(collection, "word", word.encode("utf-8", "replace"))[:8].hex()

    def _query(self, collections: Sequence[str], query: str) -> str:
        """An FTS5 expression of hexadecimal hashes only: no character of the query gets into it."""
        asked = list(dict.fromkeys(words(query[:_QUERY_CHARS])))[:_QUERY_WORDS]
        known = [name for name in dict.fromkeys(collections) if name in self._settings]
        return " OR ".join(f'"{self._hash(name, word)}"' for name in known for word in asked)


def _place(collection: str, document: str, revision: int, ordinal: int) -> bytes:
    return f"{cite(collection, document, revision)}#{ordinal}".encode()


def _speakable(principal: Principal) -> tuple[str, str, str] | None:
    """Roles (JSON), tenant and subject as SQLite compares them exactly. A name with a control character or
    a lone surrogate could be cut or changed on the way and then equal another: it counts for nothing."""
    if not _exact(principal.tenant) or not _exact(principal.subject):
        return None
    roles = orjson.dumps(sorted(role for role in principal.roles if _exact(role))).decode()
    return roles, principal.tenant, principal.subject if principal.authenticated else ""


def _exact(name: str) -> bool:
    return bool(name) and len(name) <= 512 and name.isprintable()
