"""What a search of the embedded store is narrowed to, as keys of its own tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from ringwall.storage.database import Database

from .within import Piece, Within

_KEYS = """
SELECT d.id, d.document FROM data_document d
WHERE d.collection = ? AND d.document IN (SELECT value FROM json_each(?))
"""
_ORDINALS = """
SELECT p.id, p.document, p.ordinal FROM data_passage p
WHERE p.document IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class Narrowed:
    documents: str
    """Keys of documents that count whole, as JSON."""
    passages: str
    """Ids of single passages beside them, as JSON."""
    spans: Sequence[tuple[int, int, int]]
    """Keys of all documents, each with the numbers of a first and a last passage."""


def narrowed(db: Database, collections: Sequence[str], within: Within) -> Narrowed:
    spans: list[tuple[int, int, int]] = []
    whole: list[int] = []
    parts: dict[int, list[Piece]] = {}
    for name in collections:
        pieces = within.get(name, ())
        ids = orjson.dumps([piece.document for piece in pieces]).decode()
        keys = {row["document"]: int(row["id"]) for row in db.all(_KEYS, name, ids)}
        for piece in pieces:
            key = keys.get(piece.document)
            if key is None:
                continue
            spans.append((key, max(0, piece.first), piece.last))
            if piece.whole:
                whole.append(key)
            else:
                parts.setdefault(key, []).append(piece)
    rows = db.all(_ORDINALS, orjson.dumps(list(parts)).decode()) if parts else []
    passages = [
        row["id"]
        for row in rows
        if any(piece.first <= row["ordinal"] <= piece.last for piece in parts[row["document"]])
    ]
    return Narrowed(orjson.dumps(whole).decode(), orjson.dumps(passages).decode(), spans)
