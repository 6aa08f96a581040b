"""Whether the embedded store's rows of a document are what the document says.

Passages are sealed, and bound to their place; what ranks them (hashes of words) and what decides who is given
them (the access class) are not. Whoever can write to the database could push a passage up or out of sight,
drop the end of a document, or move it to another class. ``verify`` finds that.
"""

from collections import Counter

import orjson

from ringwall.core import DataError
from ringwall.storage.database import Database, Row

from ..document import Access, Document
from ..keys import Sealer
from ..passages import passages
from .blind import BlindWords
from .chunk import open_chunk

_ROWS = """
SELECT p.id, p.ordinal, p.sealed, d.collection, d.document, d.revision, d.owner, k.tenant, k.listed, k.list,
    (SELECT json_group_array(json_array(r.kind, r.name)) FROM
        (SELECT kind, name FROM data_class_reader WHERE class = k.id ORDER BY kind, name) r) AS readers,
    k.collection AS held, w.title, w.body, w.class, 'k' || k.id AS named
FROM data_document d LEFT JOIN data_class k ON k.id = d.class LEFT JOIN data_passage p ON p.document = d.id
LEFT JOIN data_words w ON w.rowid = p.id
WHERE d.collection = ? AND d.document = ? ORDER BY p.ordinal
"""


def examine(db: Database, envelope: Sealer, words: BlindWords, document: Document) -> str:
    """See ``RetrievalStore.examine``. Passages may be cut by other settings than those of now."""
    rows = db.all(_ROWS, document.collection, document.id)
    if not rows:
        return ""  # told as missing
    if not _same_access(rows[0], document):
        return "Its access class in the index is not its list of readers."
    held = [row for row in rows if row["id"] is not None]
    if [row["ordinal"] for row in held] != list(range(len(held))):
        return "Passages of it are missing from the index."
    try:
        texts = [open_chunk(envelope, dict(row), 0.0).text for row in held]
    except DataError as error:
        return str(error)
    if _solid("".join(texts)) != _solid(document.text):
        return "Passages of it are missing from the index."
    if not all(_same_words(words, document, row, text) for row, text in zip(held, texts, strict=True)):
        return "Words by which it is found in the index are not its own."
    return ""


def _same_access(row: Row, document: Document) -> bool:
    access: Access = document.access
    readers = sorted(
        [("role", name) for name in access.roles] + [("subject", name) for name in access.subjects]
    )
    return (
        (row["held"], row["tenant"], row["listed"])
        == (document.collection, access.tenant, int(not access.open))
        and [tuple(one) for one in orjson.loads(row["list"])] == readers
        and sorted(tuple(one) for one in orjson.loads(row["readers"])) == readers
    )


def _same_words(words: BlindWords, document: Document, row: Row, text: str) -> bool:
    """Of the title row: the document's title, and at most its headings beside it."""
    if row["class"] != row["named"] or (row["body"] or "").split() != list(
        words.of_text(document.collection, text)
    ):
        return False
    title = Counter(words.of_text(document.collection, document.title))
    headings = {one.heading for one in passages(document.text, len(document.text) + 1)}
    most = title + Counter(words.of_text(document.collection, " ".join(sorted(headings))))
    held = Counter((row["title"] or "").split())
    return title <= held <= most


def _solid(text: str) -> str:
    return "".join(text.split())
