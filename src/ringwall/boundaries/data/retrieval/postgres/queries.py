"""What the reading role asks. None of it holds an access rule: the policies of the tables do."""

from ..embedding import DIMENSIONS
from .schema import BEGUN, SAMPLE

BEGUN_AND_PID = f"SELECT pg_backend_pid() AS pid, {BEGUN} AS begun"

CLAIM = "SELECT set_config('ringwall.claim', $1, true)"
"""For this transaction only."""

CLASSES = "SELECT ringwall.permitted()"

NEAR = f"""
WITH near AS MATERIALIZED (
    SELECT passage FROM ringwall.code
    WHERE ($5::integer[] IS NULL OR class = ANY ($5)) AND ($6::bigint[] IS NULL OR passage = ANY ($6))
    ORDER BY code <~> $1::text::bit({DIMENSIONS}) LIMIT $2
)
SELECT v.passage, -(v.vector <#> $3::text::halfvec) AS score
FROM near JOIN ringwall.vector v USING (passage)
ORDER BY v.vector <#> $3::text::halfvec LIMIT $4
"""  # noqa: S608 -- a number
"""$1 signs of the query, $2 how many to pick by them, $3 the query, $4 how many; $5 the classes that may be
read, so that their rows are found by an index (the policies hold all the same), $6 passages, or null."""

AMONG = """
SELECT coalesce(array_agg(p.id), '{}')
FROM unnest($1::text[], $2::integer[], $3::integer[]) AS w (document, first, last)
JOIN ringwall.document d USING (document)
JOIN ringwall.passage p ON p.document = d.id AND p.ordinal BETWEEN w.first AND w.last
"""
"""Passages of pieces of documents. The claim names one collection, so the policy leaves no other's."""

ROWS = """
SELECT p.id, p.ordinal, p.sealed, d.collection, d.document, d.revision, d.owner
FROM ringwall.passage p JOIN ringwall.document d ON d.id = p.document WHERE p.id = ANY ($1::bigint[])
"""

WORDED = """
SELECT passage, score FROM ringwall.worded($1::text::tsquery, $2::text[]::tsquery[], $3, $4)
"""
"""$1 the whole query, $2 each word alone, $3 how many, $4 of which passages, or null.

BM25 is not to be had here; the sum of each word's saturated frequency (``ts_rank``, titles three times the
text, less in a long passage), weighed by its rarity among what the asker may read, comes near."""

_COUNTED = """
SELECT asked.word, (SELECT count(*) FROM (
    SELECT 1 FROM ringwall.words w WHERE w.words @@ asked.word::tsquery {sampled} LIMIT $2) held) AS passages
FROM unnest($1::text[]) AS asked (word)
"""
COUNTED = _COUNTED.format(sampled="")
"""How many passages hold each word, counted up to a limit. Asked by the writing role: how common a word is
must not depend on who asks, nor be told to the reader."""

SAMPLED = _COUNTED.format(sampled=f"AND w.passage % {SAMPLE} = 0")
"""The same of a sample of the passages."""

FEW = """
SELECT count(*) <= $2 FROM (
    SELECT 1 FROM ringwall.code WHERE class = ANY ($1::integer[]) LIMIT $2 + 1) held
"""
"""Whether so many passages, or fewer, are in these access classes."""
