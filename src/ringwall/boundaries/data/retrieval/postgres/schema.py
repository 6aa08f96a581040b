"""Tables, the one rule of who may read what, and the policies that the database applies to every query.

A session variable can be set by whoever runs SQL in it, so it proves nothing by itself. The policies
believe only a claim that carries a MAC under a key which the reading role can't see, and that was made for
this very transaction of this very backend: it can't be forged, kept for later, or taken to another session.
"""

from string import Template

from ..rarity import EVERY

TABLES = """
CREATE SCHEMA IF NOT EXISTS ringwall;
CREATE TABLE IF NOT EXISTS ringwall.claim_key (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), inner_pad bytea NOT NULL, outer_pad bytea
    NOT NULL
);
CREATE TABLE IF NOT EXISTS ringwall.collection (name text PRIMARY KEY, isolated boolean NOT NULL);
CREATE TABLE IF NOT EXISTS ringwall.collection_reader (
    collection text NOT NULL REFERENCES ringwall.collection ON DELETE CASCADE,
    role text NOT NULL,
    PRIMARY KEY (collection, role)
);
CREATE TABLE IF NOT EXISTS ringwall.access_class (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection text NOT NULL, tenant text NOT NULL, listed boolean NOT NULL,
    list text NOT NULL, UNIQUE (collection, tenant, list)
);
CREATE TABLE IF NOT EXISTS ringwall.class_reader (
    kind text NOT NULL CHECK (kind IN ('role', 'subject')),
    name text NOT NULL,
    class integer NOT NULL REFERENCES ringwall.access_class ON DELETE CASCADE,
    PRIMARY KEY (kind, name, class)
);
CREATE INDEX IF NOT EXISTS class_reader_class ON ringwall.class_reader (class);
CREATE TABLE IF NOT EXISTS ringwall.document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    class integer NOT NULL REFERENCES ringwall.access_class,
    collection text NOT NULL, document text NOT NULL, revision integer NOT NULL, owner text NOT NULL,
    UNIQUE (collection, document)
);
CREATE INDEX IF NOT EXISTS document_class ON ringwall.document (class);
CREATE TABLE IF NOT EXISTS ringwall.passage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document bigint NOT NULL REFERENCES ringwall.document ON DELETE CASCADE,
    class integer NOT NULL, ordinal integer NOT NULL, sealed bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS passage_document ON ringwall.passage (document);
CREATE TABLE IF NOT EXISTS ringwall.words (
    passage bigint PRIMARY KEY REFERENCES ringwall.passage ON DELETE CASCADE,
    class integer NOT NULL, words tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS words_words ON ringwall.words USING gin (words);
CREATE INDEX IF NOT EXISTS words_sample ON ringwall.words USING gin (words) WHERE passage % $sample = 0;
CREATE TABLE IF NOT EXISTS ringwall.code (
    passage bigint PRIMARY KEY REFERENCES ringwall.passage ON DELETE CASCADE,
    class integer NOT NULL, code bit($dimensions) NOT NULL
);
DROP INDEX IF EXISTS ringwall.code_class;
CREATE INDEX IF NOT EXISTS code_cover ON ringwall.code (class) INCLUDE (passage, code);
CREATE TABLE IF NOT EXISTS ringwall.vector (
    passage bigint PRIMARY KEY REFERENCES ringwall.passage ON DELETE CASCADE,
    class integer NOT NULL, vector halfvec($dimensions) NOT NULL
);
CREATE TABLE IF NOT EXISTS ringwall.mark (
    passage bigint PRIMARY KEY REFERENCES ringwall.passage ON DELETE CASCADE, mark bytea NOT NULL
);
"""
"""``list``: hash of the whole list, which may be longer than an index takes. Signs of vectors (``code``),
vectors and words lie apart, so that a scan of one reads no other. ``code_cover`` holds the signs of each
class side by side: a principal who may read little is answered from a little of it. ``words_sample`` tells
how common a word is without reading all that hold it."""

SAMPLE = 64
"""One passage in so many is in the sample of words."""
READ = ("document", "passage", "code", "vector")
"""Tables that the reading role may query: each has its own policy."""

_PERMITTED = """
CREATE OR REPLACE FUNCTION ringwall.permitted() RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$$$
DECLARE
    claim text := current_setting('ringwall.claim', true);
    body bytea;
    key ringwall.claim_key;
    mac bytea;
    given bytea;
    said jsonb;
    roles text[];
BEGIN
    IF claim IS NULL OR length(claim) NOT BETWEEN 66 AND 262144 OR claim !~ '^[0-9a-f]{64}[.]' THEN
        RETURN '{}';
    END IF;
    SELECT * INTO key FROM ringwall.claim_key;
    body := convert_to(substr(claim, 66), 'UTF8');
    mac := sha256(key.outer_pad || sha256(key.inner_pad || body));
    -- Hashed once more with the key, so that how long a comparison takes says nothing of the MAC.
    given := sha256(key.outer_pad || decode(substr(claim, 1, 64), 'hex'));
    IF (sha256(key.outer_pad || mac) = given) IS NOT TRUE THEN
        RETURN '{}';
    END IF;
    said := substr(claim, 66)::jsonb;
    IF (said ->> 'pid')::bigint IS DISTINCT FROM pg_backend_pid()
        OR (said ->> 'begun')::bigint IS DISTINCT FROM $begun
        OR (said ->> 'until')::bigint < extract(epoch FROM clock_timestamp())
    THEN
        RETURN '{}';
    END IF;
    roles := ARRAY(SELECT jsonb_array_elements_text(said -> 'roles'));
    RETURN ARRAY(
        SELECT k.id FROM ringwall.access_class k JOIN ringwall.collection c ON c.name = k.collection
        WHERE c.name IN (SELECT jsonb_array_elements_text(said -> 'collections'))
          AND EXISTS (SELECT 1 FROM ringwall.collection_reader r
                      WHERE r.collection = c.name AND r.role = ANY (roles))
          AND (NOT c.isolated OR k.tenant IN ('', said ->> 'tenant'))
          AND (NOT k.listed
            OR k.id IN (SELECT r.class FROM ringwall.class_reader r
                        WHERE r.kind = 'role' AND r.name = ANY (roles))
            OR (said ->> 'subject' <> '' AND k.tenant IN ('', said ->> 'tenant') AND k.id IN (
                SELECT r.class FROM ringwall.class_reader r
                WHERE r.kind = 'subject' AND r.name = said ->> 'subject'))));
END $$$$;
CREATE OR REPLACE FUNCTION ringwall.admitted() RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$$$
    SELECT string_agg(set_byte('\\x00'::bytea, 0, coalesce(held.bits, 0)), '' ORDER BY at)
    FROM generate_series(0, (SELECT coalesce(max(id), 0) / 8 FROM ringwall.access_class)) at
    LEFT JOIN (SELECT id / 8 AS at, bit_or(1 << (id % 8)) AS bits
               FROM unnest(ringwall.permitted()) AS id GROUP BY 1) AS held USING (at)
$$$$;
REVOKE ALL ON FUNCTION ringwall.permitted(), ringwall.admitted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringwall.permitted(), ringwall.admitted() TO $reader;
"""

_WORDED = """
DROP FUNCTION IF EXISTS ringwall.worded(tsquery, tsquery[], real[], integer);
DROP FUNCTION IF EXISTS ringwall.worded(tsquery, tsquery[], real[], integer, bigint[]);
CREATE OR REPLACE FUNCTION ringwall.worded(asked tsquery, alone tsquery[], most integer, among bigint[])
RETURNS TABLE (passage bigint, score real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$$$
DECLARE
    bits bytea := ringwall.admitted();
BEGIN
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT w.passage AS one, t.at, ts_rank('{0.33,0.33,0.33,1.0}', w.words, t.word, 1) AS often
        FROM ringwall.words w, unnest(alone) WITH ORDINALITY AS t (word, at)
        WHERE w.words @@ asked AND get_bit(bits, w.class) = 1 AND (among IS NULL OR w.passage = ANY (among))
    ), rare AS (
        SELECT h.at, ln(1 + $every / (count(*) + 0.5)) AS weight FROM held h WHERE h.often > 0 GROUP BY h.at
    )
    SELECT h.one, sum(r.weight * h.often)::real FROM held h JOIN rare r USING (at)
    GROUP BY h.one ORDER BY 2 DESC, 1 LIMIT most;
END $$$$;
REVOKE ALL ON FUNCTION ringwall.worded(tsquery, tsquery[], integer, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringwall.worded(tsquery, tsquery[], integer, bigint[]) TO $reader;
ALTER TABLE ringwall.words ENABLE ROW LEVEL SECURITY;
ALTER TABLE ringwall.words FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS reads ON ringwall.words;
DROP POLICY IF EXISTS writes ON ringwall.words;
CREATE POLICY writes ON ringwall.words FOR ALL TO $owner USING (true) WITH CHECK (true);
REVOKE ALL ON ringwall.words FROM PUBLIC, $reader;
"""
# Under a policy PostgreSQL uses no full-text index: the operator is not marked as leaking nothing. So words
# are searched by a function that applies the same bitmap, and the reading role has no right to the table.

# The policies ask for a bitmap of classes, once per query: to look for each row's class in an array of
# thousands would take longer than the search itself.
BEGUN = "(extract(epoch FROM transaction_timestamp()) * 1000000)::bigint"
"""When the transaction began, in microseconds: what a claim is bound to."""

_GUARDED = """
ALTER TABLE ringwall.$table ENABLE ROW LEVEL SECURITY;
ALTER TABLE ringwall.$table FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS reads ON ringwall.$table;
CREATE POLICY reads ON ringwall.$table FOR SELECT TO $reader
    USING (get_bit((SELECT ringwall.admitted()), class) = 1);
DROP POLICY IF EXISTS writes ON ringwall.$table;
CREATE POLICY writes ON ringwall.$table FOR ALL TO $owner USING (true) WITH CHECK (true);
REVOKE ALL ON ringwall.$table FROM PUBLIC;
GRANT SELECT ON ringwall.$table TO $reader;
"""

_UNTOLD = """
ALTER TABLE ringwall.document ALTER collection SET STATISTICS 0, ALTER document SET STATISTICS 0,
    ALTER revision SET STATISTICS 0, ALTER owner SET STATISTICS 0;
ALTER TABLE ringwall.passage ALTER sealed SET STATISTICS 0, ALTER ordinal SET STATISTICS 0;
ALTER TABLE ringwall.words ALTER words SET STATISTICS 0;
ALTER TABLE ringwall.code ALTER code SET STATISTICS 0;
ALTER TABLE ringwall.vector ALTER vector SET STATISTICS 0;
"""
"""No statistics of contents: an estimate in a plan would tell something of rows that one may not read."""


def functions(statements: str) -> dict[str, str]:
    """The body of each function that ``schema`` makes, as the database keeps it."""
    made = statements.split("CREATE OR REPLACE FUNCTION ringwall.")[1:]
    return {one.partition("(")[0]: one.split("$$")[1] for one in made}


def schema(owner: str, reader: str, dimensions: int) -> str:
    """Everything, to be run by the owner; may be run again. ``owner`` and ``reader``: quoted role names."""
    parts = [TABLES, _PERMITTED, _WORDED, _UNTOLD, "GRANT USAGE ON SCHEMA ringwall TO $reader;"]
    values = {
        "owner": owner,
        "reader": reader,
        "dimensions": dimensions,
        "begun": BEGUN,
        "sample": SAMPLE,
        "every": EVERY,
    }
    made = [Template(part).substitute(values) for part in parts]
    made += [Template(_GUARDED).substitute(values, table=table) for table in READ]
    return "\n".join(made)
