"""Rows in quarantine: sealed packs that belong to one held contribution."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ringwall.core import DataError
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database

from ..canonical import canonical
from ..keys import Sealer
from ..records import Record
from .row_form import from_form, to_form

_PACK = 1_000
"""Rows sealed together."""
STEPS = [
    """
    CREATE TABLE data_held_rows (
        held TEXT NOT NULL,
        number INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        blob TEXT NOT NULL,
        PRIMARY KEY (held, number)
    ) STRICT, WITHOUT ROWID;
    """
]


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row as it would be stored, and what the controls said of it."""

    row: Record
    reasons: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    """As in ``Judged``; empty for a row that waits only because everything waits for a second person."""
    original: Record | None = None
    """As it came, when the controls changed it."""


class HeldRows:
    """Packs under the key of their hold: erasing that erases them."""

    def __init__(self, db: Database, blobs: BlobStore, envelope: Sealer) -> None:
        self._db = db
        self._blobs = blobs
        self._envelope = envelope
        db.migrate("data_held_rows", STEPS)

    def seal(self, held: str, rows: Iterable[HeldRow]) -> list[tuple[str, int]]:
        """Store packs; blob and number of rows of each. They belong to nothing until ``place``."""
        packs: list[tuple[str, int]] = []
        kept: list[dict[str, Any]] = []
        for row in rows:
            kept.append(_to_form(row))
            if len(kept) >= _PACK:
                packs.append(self._pack(held, len(packs), kept))
                kept = []
        if kept:
            packs.append(self._pack(held, len(packs), kept))
        return packs

    def place(self, held: str, packs: Iterable[tuple[str, int]]) -> None:
        """Inside the transaction that makes the hold."""
        for number, (blob, rows) in enumerate(packs):
            self._db.write("INSERT INTO data_held_rows VALUES (?, ?, ?, ?)", held, number, rows, blob)

    def read(self, held: str, start: int = 0) -> Iterator[HeldRow]:
        """From the row with this number (counted from 0) on. DataError when a pack is missing or damaged."""
        at = 0
        for pack in self._db.all("SELECT * FROM data_held_rows WHERE held = ? ORDER BY number", held):
            if at + pack["rows"] > start:
                place = _place(held, pack["number"])
                raw = self._envelope.open(f"held:{held}", self._blobs.get(pack["blob"]), place)
                kept = orjson.loads(raw)
                if len(kept) != pack["rows"]:
                    raise DataError(f"A pack of {held} holds another number of rows than was noted.")
                for given in kept[max(0, start - at) :]:
                    yield _from_form(given)
            at += pack["rows"]

    def drop(self, held: str) -> None:
        self._db.write("DELETE FROM data_held_rows WHERE held = ?", held)

    def _pack(self, held: str, number: int, rows: list[dict[str, Any]]) -> tuple[str, int]:
        sealed = self._envelope.seal(f"held:{held}", canonical(rows), _place(held, number))
        return self._blobs.put(sealed), len(rows)


def _place(held: str, number: int) -> bytes:
    return f"{held}/{number}".encode()


def _to_form(held: HeldRow) -> dict[str, Any]:
    return {
        "row": to_form(held.row),
        "reasons": list(held.reasons),
        "findings": [dict(one) for one in held.findings],
        "original": to_form(held.original) if held.original else None,
    }


def _from_form(given: Mapping[str, Any]) -> HeldRow:
    return HeldRow(
        from_form(given["row"]),
        tuple(given["reasons"]),
        tuple(given["findings"]),
        from_form(given["original"]) if given["original"] else None,
    )
