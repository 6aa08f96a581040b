"""Tables of the embedded store, and the one rule of who may read what, as SQL.

Documents with the same list, tenant and collection share an *access class*: whoever may read one may read
all. So who may read is decided a few times per query instead of once per passage, and vectors in memory
need only a number.
"""

STEPS = [
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
    """,
    """
    CREATE TABLE data_class (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        tenant TEXT NOT NULL,
        listed INTEGER NOT NULL,
        list TEXT NOT NULL,
        UNIQUE (collection, tenant, list)
    ) STRICT;
    CREATE TABLE data_class_reader (
        kind TEXT NOT NULL CHECK (kind IN ('role', 'subject')),
        name TEXT NOT NULL,
        class INTEGER NOT NULL REFERENCES data_class ON DELETE CASCADE,
        PRIMARY KEY (kind, name, class)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX data_class_reader_class ON data_class_reader (class);
    CREATE TEMP TABLE data_listed AS
        SELECT d.id, d.collection, d.document, d.revision, d.owner, d.tenant, d.listed, coalesce(
            (SELECT json_group_array(json_array(kind, name)) FROM
                (SELECT kind, name FROM data_document_reader r WHERE r.document = d.id ORDER BY kind, name)),
            '[]') AS list
        FROM data_document d;
    INSERT INTO data_class (collection, tenant, listed, list)
        SELECT DISTINCT collection, tenant, listed, list FROM data_listed;
    INSERT INTO data_class_reader (kind, name, class)
        SELECT value ->> 0, value ->> 1, data_class.id FROM data_class, json_each(data_class.list);
    CREATE TABLE data_indexed (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        document TEXT NOT NULL,
        revision INTEGER NOT NULL,
        owner TEXT NOT NULL,
        class INTEGER NOT NULL REFERENCES data_class,
        UNIQUE (collection, document)
    ) STRICT;
    CREATE INDEX data_indexed_class ON data_indexed (class);
    INSERT INTO data_indexed SELECT l.id, l.collection, l.document, l.revision, l.owner, c.id
        FROM data_listed l JOIN data_class c USING (collection, tenant, list);
    CREATE TABLE data_piece (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL REFERENCES data_indexed ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX data_piece_document ON data_piece (document);
    INSERT INTO data_piece SELECT id, document, ordinal, sealed FROM data_passage;
    CREATE VIRTUAL TABLE data_blind USING fts5 (title, body, class, tokenize = 'ascii', detail = 'column');
    INSERT INTO data_blind (rowid, title, body, class)
        SELECT w.rowid, w.title, w.body, 'k' || d.class FROM data_words w
        JOIN data_piece p ON p.id = w.rowid JOIN data_indexed d ON d.id = p.document;
    CREATE TABLE data_vector (
        document INTEGER PRIMARY KEY REFERENCES data_indexed ON DELETE CASCADE,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE data_vector_gone (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER data_vector_goes AFTER DELETE ON data_vector BEGIN
        INSERT INTO data_vector_gone (document) VALUES (old.document);
    END;
    DROP TABLE data_words;
    DROP TABLE data_passage;
    DROP TABLE data_document_reader;
    DROP TABLE data_document;
    DROP TABLE data_listed;
    ALTER TABLE data_indexed RENAME TO data_document;
    ALTER TABLE data_piece RENAME TO data_passage;
    ALTER TABLE data_blind RENAME TO data_words;
    CREATE VIRTUAL TABLE data_words_count USING fts5vocab (data_words, row);
    """,
]

PERMITTED = """
permitted (id) AS MATERIALIZED (
    SELECT k.id FROM data_class k JOIN data_collection c ON c.name = k.collection
    WHERE c.name IN (SELECT value FROM json_each(?1))
      AND EXISTS (SELECT 1 FROM data_collection_reader r
                  WHERE r.collection = c.name AND r.role IN (SELECT value FROM json_each(?2)))
      AND (c.isolated = 0 OR k.tenant IN ('', ?3))
      AND (k.listed = 0
        OR k.id IN (SELECT r.class FROM data_class_reader r
                    WHERE r.kind = 'role' AND r.name IN (SELECT value FROM json_each(?2)))
        OR (?4 <> '' AND k.tenant IN ('', ?3) AND k.id IN (
            SELECT r.class FROM data_class_reader r WHERE r.kind = 'subject' AND r.name = ?4)))
)
"""
"""Access classes that a principal may read. ?1 collections, ?2 roles (JSON), ?3 tenant, ?4 subject (empty
for one that is not authenticated)."""

CLASSES = f"WITH {PERMITTED} SELECT id FROM permitted"  # noqa: S608 -- constants

_WORDS = """
WITH {permitted}
SELECT p.id, bm25(data_words, 3.0, 1.0, 0.0) AS rank
FROM data_words
JOIN data_passage p ON p.id = data_words.rowid
JOIN data_document d ON d.id = p.document
WHERE data_words MATCH ?5 AND d.class IN (SELECT id FROM permitted){more}
ORDER BY rank, p.id
LIMIT ?6
"""

WORDS = _WORDS.format(permitted=PERMITTED, more="")

WORDS_WITHIN = _WORDS.format(
    permitted=PERMITTED,
    more=" AND (d.id IN (SELECT value FROM json_each(?7)) OR p.id IN (SELECT value FROM json_each(?8)))",
)
"""?7 keys of whole documents, ?8 ids of passages."""

ROWS = f"""
WITH {PERMITTED}
SELECT p.id, p.ordinal, p.sealed, d.collection, d.document, d.revision, d.owner
FROM data_passage p JOIN data_document d ON d.id = p.document
WHERE p.id IN (SELECT value FROM json_each(?5)) AND d.class IN (SELECT id FROM permitted)
"""  # noqa: S608 -- constants
"""What leaves the store, by whatever way it was found: the list is applied once more, in this statement."""
