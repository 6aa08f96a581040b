"""Reviews keep what was found, sealed, and say what could not be looked at."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.data.finding import DataFinding, Severity
from ringwall.boundaries.data.records import Record, record_of
from ringwall.boundaries.data.review import Compared, Records, Reviews
from ringwall.core import DataError
from ringwall.ledger.envelope import Envelope
from ringwall.storage.database import Database

OF = Compared("faq", 2, 5, "c" * 64)


def _records(*texts: str) -> Records:
    def read() -> Iterator[Record]:
        return (record_of({"text": text}) for text in texts)

    return read


def _new(approved: Records, candidate: Records) -> Iterable[DataFinding]:
    known = {record.id for record in approved()}
    for record in candidate():
        if record.id not in known:
            yield DataFinding("test.new", record.response, "It is new.", 0.5, records=(record.id,))


def _broken(approved: Records, candidate: Records) -> Iterable[DataFinding]:
    raise DataError("The extra is not there.")


@pytest.fixture
def reviews(db: Database, envelope: Envelope) -> Reviews:
    return Reviews(db, envelope)


def test_what_was_found_is_kept(reviews: Reviews, db: Database) -> None:
    told: list[str] = []
    made = reviews.run(
        OF, _records("a"), _records("a", "secret words"), {"new": _new}, by="kim", told=told.append
    )
    assert told == ["new"]
    assert [one.title for one in made.findings] == ["secret words"]
    assert reviews.latest("faq") == made == reviews.find(made.id) == reviews.latest("faq", 5)
    assert reviews.latest("faq", 4) is None
    row = db.one("SELECT sealed FROM data_review")
    assert row is not None
    assert b"secret words" not in row["sealed"]
    assert "secret words" not in str(made.event())


@pytest.mark.parametrize("column", ["candidate = 6", "chain = 'd'", "approved = 4", "by = 'lee'"])
def test_a_review_is_of_nothing_else(reviews: Reviews, db: Database, column: str) -> None:
    """Whoever can only write to the database can't pass a clean review off as one of another version."""
    made = reviews.run(OF, _records("a"), _records("a"), {"new": _new}, by="kim")
    db.write(f"UPDATE data_review SET {column}")
    with pytest.raises(DataError):
        reviews.find(made.id)


def test_an_analysis_that_cannot_run_stops_the_approval(reviews: Reviews) -> None:
    made = reviews.run(OF, _records(), _records("a"), {"broken": _broken, "new": _new}, by="kim")
    assert made.stops
    assert made.failed == {"broken": "The extra is not there."}
    assert [one.detector for one in made.findings] == ["test.new"]


@pytest.mark.parametrize(
    ("severity", "asks", "stops"),
    [(Severity.NOTE, False, False), (Severity.REVIEW, True, False), (Severity.STOP, True, True)],
)
def test_severity_says_what_is_asked(reviews: Reviews, severity: Severity, asks: bool, stops: bool) -> None:
    found = DataFinding("test.one", "t", "m", 0.9, severity)
    made = reviews.run(OF, _records(), _records(), {"one": lambda _old, _new: [found]}, by="kim")
    assert (made.asks, made.stops) == (asks, stops)


@given(scores=st.lists(st.tuples(st.sampled_from(list(Severity)), st.floats(0, 1)), max_size=8))
def test_the_gravest_comes_first(
    scores: list[tuple[Severity, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from ringwall.ledger.master import MasterKey

    folder = tmp_path_factory.mktemp("r")
    reviews = Reviews(Database(folder / "d.db"), Envelope(folder / "k.db", MasterKey(b"k" * 32)))
    found = [DataFinding("d", str(at), "m", score, level) for at, (level, score) in enumerate(scores)]
    made = reviews.run(OF, _records(), _records(), {"all": lambda _old, _new: found}, by="kim")
    order = [Severity.STOP, Severity.REVIEW, Severity.NOTE]
    keys = [(order.index(one.severity), -one.score) for one in made.findings]
    assert keys == sorted(keys)
    assert reviews.find(made.id) == made


def test_a_damaged_review_is_told(reviews: Reviews, db: Database) -> None:
    made = reviews.run(OF, _records(), _records("a"), {"new": _new}, by="kim")
    db.write("UPDATE data_review SET sealed = ?", b"\x01" + b"0" * 80)
    with pytest.raises(DataError):
        reviews.find(made.id)


def test_what_is_quoted_of_records_goes_with_them(reviews: Reviews, db: Database, envelope: Envelope) -> None:
    def found(_old: Records, _new: Records) -> Iterable[DataFinding]:
        facts = {"share": 0.5, "phrase": "call casey"}
        yield DataFinding(
            "d.rows", "“call casey”", "casey…", 0.5, records=("r1", "r2"), examples=("casey",), facts=facts
        )
        yield DataFinding("d.passages", "casey", "casey…", 0.4, records=("note#3",), examples=("casey",))
        yield DataFinding("d.others", "lamps", "lamps…", 0.3, records=("r3",), examples=("lamps",))

    made = reviews.run(OF, _records(), _records(), {"all": found}, by="kim")
    assert reviews.forget("faq", ["r9"]) == 0
    assert reviews.find(made.id) == made
    assert reviews.forget("other", ["r1", "note"]) == 0
    assert reviews.forget("faq", ["r2", "note"]) == 1
    left = reviews.find(made.id)
    assert "casey" not in str(left)
    assert [one.score for one in left.findings] == [0.5, 0.4, 0.3]
    assert left.findings[0].facts == {"share": 0.5}
    assert left.findings[2] == made.findings[2]
    assert left.event()["digest"] == made.event()["digest"], "as the ledger has it"
    assert reviews.forget("faq", ["r2", "note"]) == 0
    db.write("UPDATE data_review SET sealed = ?", b"\x01" + b"0" * 80)
    assert reviews.forget("faq", ["r3"]) == 0, "a damaged one is no reason not to erase"
