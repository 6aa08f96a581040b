"""The index of citations says what the ledger says, however it got there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.lineage.citations import Citations
from ringwall.ledger import Ledger
from ringwall.storage.database import Database

NAMES = ("document:faq/a@1", "document:faq/a@2", "document:faq/b@1")


def _event(number: int, kind: str, passages: list[str]) -> dict[str, Any]:
    return {
        "id": f"dec_{number:026d}",
        "type": "decision",
        "kind": kind,
        "at": number,
        "turn": f"t{number}",
        "session": "s",
        "tenant": "north",
        "subject": "kim",
        "passages": passages,
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path)
    yield opened
    opened.close()


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["retrieval", "request", "response"]),
            st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3)), max_size=4),
            st.booleans(),
        ),
        max_size=20,
    )
)
@settings(max_examples=20, deadline=None)
def test_it_follows_the_ledger(
    events: list[tuple[str, list[tuple[str, int]], bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("c")
    ledger, db = Ledger.open(folder), Database(folder / "state.db")
    try:
        citations = Citations(db, ledger)
        expected: dict[str, list[str]] = {name: [] for name in NAMES}
        for number, (kind, passages, follow) in enumerate(events):
            refs = [f"{name}#{ordinal}" for name, ordinal in passages]
            ledger.append_now(_event(number, kind, refs))
            if kind == "retrieval":
                for name in {name for name, _ in passages}:
                    expected[name].insert(0, f"t{number}")
            if follow:
                citations.follow()
        citations.follow()
        for name in NAMES:
            assert [one.turn for one in citations.of(name)] == expected[name]
            assert citations.count(name) == len(expected[name])
        assert citations.follow() == 0
    finally:
        ledger.close()
        db.close()


def test_more_than_a_page_is_taken_up(ledger: Ledger, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringwall.boundaries.data.lineage.citations._PAGE", 3)
    for number in range(10):
        ledger.append_now(_event(number, "retrieval", ["document:faq/a@1#0"]))
    citations = Citations(db, ledger)
    assert citations.follow() == 10
    assert citations.count("document:faq/a@1") == 10
    assert len(citations.of("document:faq/a@1", 4)) == 4


def test_two_processes_take_it_up_once(ledger: Ledger, db: Database) -> None:
    ledger.append_now(_event(1, "retrieval", ["document:faq/a@1#0"]))
    other = Database(db.path)
    one, two = Citations(db, ledger), Citations(other, ledger)
    assert one.follow() + two.follow() == 1
    assert two.count("document:faq/a@1") == 1
    other.close()
