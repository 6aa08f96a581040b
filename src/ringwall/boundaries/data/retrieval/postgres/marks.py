"""Whether the rows of a document are those that were written: a keyed mark of each passage, compared later.

What is sealed can't be changed unseen; but words and vectors, by which a passage is found, and the access
class, by which it is given out, lie there to be computed with. So each passage has a mark (HMAC-SHA256 under
the collection's secret) over all of its rows and its place. ``verify`` computes it again: a row that was
changed, moved, dropped or put there by somebody else is found and located, whoever did it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import orjson

from ...document import Access, Document
from ...keys import CollectionKeys
from .write import list_of, readers_of

_ROWS = """
SELECT d.document, d.revision, d.owner, d.class, p.id, p.ordinal, m.mark,
    encode(sha256(p.sealed), 'hex') AS sealed, w.words::text, c.code::text, v.vector::text,
    p.class = d.class AND coalesce(w.class, d.class) = d.class
        AND coalesce(c.class, d.class) = d.class AND coalesce(v.class, d.class) = d.class AS placed
FROM ringwall.document d
LEFT JOIN ringwall.passage p ON p.document = d.id
LEFT JOIN ringwall.words w ON w.passage = p.id
LEFT JOIN ringwall.code c ON c.passage = p.id
LEFT JOIN ringwall.vector v ON v.passage = p.id
LEFT JOIN ringwall.mark m ON m.passage = p.id
WHERE d.collection = $1 AND d.document = ANY ($2::text[])
ORDER BY d.document, p.ordinal, p.id
"""
_CLASSES = """
SELECT k.id, k.collection, k.tenant, k.listed, k.list,
    ARRAY(SELECT r.kind || ' ' || r.name FROM ringwall.class_reader r WHERE r.class = k.id) AS readers
FROM ringwall.access_class k WHERE k.id = ANY ($1::integer[])
"""
_WRITTEN = """
SELECT p.id, p.ordinal, encode(sha256(p.sealed), 'hex') AS sealed, w.words::text, c.code::text, v.vector::text
FROM ringwall.passage p
LEFT JOIN ringwall.words w ON w.passage = p.id
LEFT JOIN ringwall.code c ON c.passage = p.id
LEFT JOIN ringwall.vector v ON v.passage = p.id
WHERE p.document = $1 ORDER BY p.ordinal
"""


async def mark(owner: Any, keys: CollectionKeys, key: int, document: Document, sealed_for: str) -> None:
    """Mark what was just written for a document, in the same transaction. ``key``: of its row."""
    rows = await owner.fetch(_WRITTEN, key)
    marks = [_mark(keys, document, sealed_for, row, last=at == len(rows)) for at, row in enumerate(rows, 1)]
    await owner.execute(
        "INSERT INTO ringwall.mark SELECT * FROM unnest($1::bigint[], $2::bytea[])",
        *([row["id"] for row in rows], marks),
    )


async def examine(owner: Any, keys: CollectionKeys, documents: Sequence[Document]) -> list[str]:
    """What is wrong with the rows of each document; empty where nothing is. All are of one collection."""
    if not documents:
        return []
    rows = await owner.fetch(_ROWS, documents[0].collection, [one.id for one in documents])
    classes = await owner.fetch(_CLASSES, list({row["class"] for row in rows}))
    by_class = {row["id"]: row for row in classes}
    held = {name: list(some) for name, some in groupby(rows, lambda row: row["document"])}
    return [_wrong(keys, one, held.get(one.id, ()), by_class) for one in documents]


def _wrong(keys: CollectionKeys, document: Document, rows: Sequence[Any], classes: Mapping[int, Any]) -> str:
    if not rows or rows[0]["revision"] != document.revision:
        return ""  # told as missing
    if not _same_access(classes.get(rows[0]["class"]), document):
        return "Its access class in the index is not its list of readers."
    held = [row for row in rows if row["id"] is not None]
    if not held and document.text.strip():
        return "Passages of it are missing from the index."
    return next(_damages(keys, document, held), "")


def _damages(keys: CollectionKeys, document: Document, rows: Sequence[Any]) -> Iterator[str]:
    for at, row in enumerate(rows):
        last = at == len(rows) - 1
        if row["ordinal"] != at:
            yield f"Passage {min(at, row['ordinal'])} of it is missing from the index, or is there twice."
        elif not row["placed"]:
            yield f"Passage {at} of it is in another access class than its document."
        elif row["mark"] != _mark(keys, document, row["owner"], row, last=last):
            cut = last and row["mark"] == _mark(keys, document, row["owner"], row, last=False)
            yield (
                f"Passages of it after {at} are missing from the index."
                if cut
                else f"Rows of its passage {at} in the index are not those that were written."
            )


def _mark(keys: CollectionKeys, document: Document, owner: str, row: Any, *, last: bool) -> bytes:
    """Over all that the database has of a passage, as it writes it, and its place."""
    place = [document.id, document.revision, owner, row["ordinal"], last]
    content = [row["sealed"], row["words"], row["code"], row["vector"]]
    return keys.digest(document.collection, "index mark", orjson.dumps([*place, *content]))


def _same_access(held: Any, document: Document) -> bool:
    access: Access = document.access
    readers: Iterable[tuple[str, str]] = readers_of(access)
    return held is not None and (
        (held["collection"], held["tenant"], held["listed"], held["list"], sorted(held["readers"]))
        == (
            *(document.collection, access.tenant, not access.open, list_of(access)),
            sorted(f"{kind} {name}" for kind, name in readers),
        )
    )
