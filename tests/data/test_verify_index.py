"""Rows of the search index that somebody changed in the database: ``verify`` names the document."""

from collections.abc import Callable

import pytest

from ringwall.boundaries.data import Access, DataStores, Document, verify
from ringwall.storage.database import Database

LONG = "\n\n".join(f"Paragraph {number} tells of lamps and pumps. " * 12 for number in range(6))


@pytest.fixture
def filled(stores: DataStores, document: Callable[..., Document]) -> DataStores:
    stores.vault.commit(
        "handbook",
        add=[
            document("open", f"# Lamps\n\n{LONG}\n\n## Pumps\n\n{LONG}"),
            document(
                "narrow", "Margins are low.", access=Access("north", frozenset({"chief"}), frozenset({"ann"}))
            ),
            document("empty", "  \n "),
        ],
        author="ed",
    )
    return stores


def told(stores: DataStores) -> list[str]:
    return [f"{one.document}: {one.message}" for one in verify(stores.vault, stores.index)]


def test_untouched_rows_are_sound(filled: DataStores) -> None:
    assert told(filled) == []
    filled.vault.erase("handbook", "narrow", author="ed")
    assert told(filled) == []


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ("DELETE FROM data_passage WHERE ordinal = 0", "open", "missing"),
        ("DELETE FROM data_passage WHERE ordinal = (SELECT max(ordinal) FROM data_passage)",
         "open", "missing"),
        ("DELETE FROM data_passage WHERE document = (SELECT id FROM data_document WHERE document = 'narrow')",
         "narrow", "missing"),
        ("UPDATE data_passage SET sealed = zeroblob(99) WHERE ordinal = 1", "open", "damaged"),
        ("UPDATE data_words SET body = body || ' 0123456789abcdef' WHERE rowid = 1", "open", "not its own"),
        ("UPDATE data_words SET body = '' WHERE rowid = 2", "open", "not its own"),
        ("UPDATE data_words SET title = title || ' 0123456789abcdef' WHERE rowid = 1", "open", "not its own"),
        ("UPDATE data_words SET class = 'k99' WHERE rowid = 1", "open", "not its own"),
        ("DELETE FROM data_words WHERE rowid = 1", "open", "not its own"),
        ("UPDATE data_document SET class = (SELECT class FROM data_document WHERE document = 'open') "
         "WHERE document = 'narrow'", "narrow", "readers"),
        ("UPDATE data_class SET listed = 0", "narrow", "readers"),
        ("UPDATE data_class SET tenant = 'south' WHERE tenant = 'north'", "narrow", "readers"),
        ("INSERT INTO data_class_reader SELECT 'role', 'customer', id FROM data_class WHERE listed = 1",
         "narrow", "readers"),
    ],
)  # fmt: skip
def test_each_change_is_found_and_located(
    filled: DataStores, db: Database, change: str, where: str, what: str
) -> None:
    db.write(change)
    found = told(filled)
    assert any(one.startswith(f"document:handbook/{where}@") and what in one for one in found), found
    filled.vault.reindex("handbook")
    assert told(filled) == []
