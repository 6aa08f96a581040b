"""Reports of extraction tests say what was found, whoever writes to the database."""

import pytest

from ringwall.boundaries.data.extraction.book import ExtractionBook
from ringwall.boundaries.data.extraction.report import ExtractionReport, Thresholds
from ringwall.ledger.envelope import Envelope
from ringwall.storage.database import Database

THRESHOLDS = Thresholds(1.0, 0, 0.6, 1)
OF = {"route": "default", "model": "m", "collection": "notes"}


@pytest.fixture
def book(db: Database, envelope: Envelope) -> ExtractionBook:
    return ExtractionBook(db, envelope)


def test_a_failed_test_is_no_passed_one(book: ExtractionBook, db: Database) -> None:
    failed = ExtractionReport(1, THRESHOLDS)  # nothing was tested
    entry = book.keep(failed, **OF, version=2, by="kim")
    assert book.report(entry)["passed"] is False
    assert "did not pass" in book.missing(**OF, version=2)
    db.write("UPDATE data_extraction SET passed = 1")
    assert "was changed in the database" in book.missing(**OF, version=2)


def test_it_is_of_no_other_model(book: ExtractionBook, db: Database) -> None:
    book.keep(ExtractionReport(1, THRESHOLDS), **OF, version=2, by="kim")
    db.write("UPDATE data_extraction SET model = 'other'")
    assert "was changed" in book.missing("default", "other", "notes", 2)
