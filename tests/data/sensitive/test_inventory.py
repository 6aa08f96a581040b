"""The inventory counts what is there, keeps no value, adds up, and stays small."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.document import Document
from ringwall.boundaries.data.records import Record, Source, record_of
from ringwall.boundaries.data.sensitive.inventory import MOST_PLACES, OTHERS, Inventory, inspect_batch
from ringwall.detect.personal import CLASSES, find

VALUES = {
    "pii.email": "casey.doe@brightlamp.example",
    "pii.card": "4111 1111 1111 1111",
    "pii.national-id": "536-90-4399",
    "pii.iban": "DE89 3704 0044 0532 0130 00",
}


def counted(records: list[Record]) -> Inventory:
    inventory = Inventory()
    for _ in inventory.add_records(records):
        pass
    return inventory


def row(fields: dict[str, object], contributor: str = "eddy") -> Record:
    return record_of(fields, Source(contributor=contributor))


def test_by_class_place_and_contributor() -> None:
    messages = [{"role": "user", "content": f"I am {value}"} for value in VALUES.values()]
    rows = [row({"messages": messages}), row({"notes": VALUES["pii.email"]}, "avery"), row({"text": "none"})]
    report = counted(rows).report()
    found = {one["class"]: one for one in report["classes"]}
    assert (report["records"], report["records_with_findings"]) == (3, 2)
    assert found["pii.email"]["places"] == {"messages[].content": 1, "notes": 1}
    assert found["pii.email"]["contributors"] == {"eddy": 1, "avery": 1}
    assert found["pii.card"]["count"] == 1
    assert found["pii.card"]["sensitivity"] == "high"
    assert not any(value in json.dumps(report) for value in VALUES.values())


def test_the_name_of_a_column_tells_what_a_number_is() -> None:
    rows = [row({"customer": {"ssn": 536904399}, "phoneNumber": "0301234567"}), row({"count": 536904399})]
    found = {one["class"]: one for one in counted(rows).report()["classes"]}
    assert found["pii.national-id"]["places"] == {"customer.ssn": 1}
    assert found["pii.phone"]["places"] == {"phoneNumber": 1}
    assert found["pii.national-id"]["examples"][0]["masked"] == "#########"


def test_documents() -> None:
    document = Document(
        "shop", "a", "Casey", f"pay {VALUES['pii.iban']}", "x", "eddy", 1, hidden="casey@b.example"
    )
    inventory = Inventory()
    assert list(inventory.add_documents([document])) == [1]
    found = {one["class"]: one["places"] for one in inventory.report()["classes"]}
    assert found["pii.iban"] == {"text": 1}
    assert found["pii.email"] == {"hidden": 1}


def test_halves_add_up() -> None:
    rows = [row({"text": f"{value} {at}"}) for at in range(5) for value in VALUES.values()]
    whole, half = counted(rows), counted(rows[:7])
    half.merge(counted(rows[7:]))
    assert half.report()["classes"] == whole.report()["classes"]
    assert half.records == whole.records


def test_memory_does_not_grow_with_places() -> None:
    rows = [row({f"column{at}": VALUES["pii.email"]}, f"person{at}") for at in range(MOST_PLACES + 50)]
    one = counted(rows).classes["pii.email"]
    assert len(one.places) <= MOST_PLACES + 1
    assert one.places[OTHERS] == 50
    assert sum(one.contributors.values()) == MOST_PLACES + 50


PIECES = [
    *VALUES.values(),
    "call 030 901820",
    "plain words",
    "é ß 漢字",
    "\u200bx",
    "4111 1111",
    "phone",
    "\n",
    "１２３",
]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join), max_size=12))
def test_rows_together_are_read_as_each_alone(texts: list[str]) -> None:
    alone = [
        [(one.start, one.end, one.cls) for one in find(text) if one.cls in CLASSES and not one.view]
        for text in texts
    ]
    together = [
        [(one.start, one.end, one.cls) for one in found if one.cls != "secret"]
        for found in inspect_batch(texts)
    ]
    for seen, wanted in zip(together, alone, strict=True):
        assert set(wanted) <= set(seen)


@pytest.mark.parametrize("text", ["", "\ud800\udfff", "\x00" * 50, "1" * 5000, "@" * 5000, "\u202e4111"])
def test_hostile_rows(text: str) -> None:
    chance = random.Random(5)
    rows = [text, VALUES["pii.email"], text * chance.randint(1, 3)]
    assert [one.cls for one in inspect_batch(rows)[1]] == ["pii.email"]
