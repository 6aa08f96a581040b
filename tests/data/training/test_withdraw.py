"""Rows are taken out by those who may, and destroyed for good."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ringwall.boundaries.data import CollectionSettings, DataSection, DataStores
from ringwall.boundaries.data.records import Record, Source, record_of
from ringwall.boundaries.data.training.withdraw import Withdrawals
from ringwall.core import DataError, DeniedError, Principal

SECTION = DataSection(
    collections={
        "tickets": CollectionSettings(kind="training", contributors=("editor",), approvers=("curator",)),
        "locked": CollectionSettings(kind="training", contributors=("editor",), lock_days=30),
    }
)


@pytest.fixture
def section() -> DataSection:
    return SECTION


def _rows(*texts: str) -> list[Record]:
    return [replace(record_of({"text": text}), id=text, source=Source(contributor="kim")) for text in texts]


async def test_rows_are_removed_and_erased(stores: DataStores, person: Callable[..., Principal]) -> None:
    events: list[Mapping[str, Any]] = []

    async def note(event: Mapping[str, Any]) -> None:
        events.append(event)

    stores.training.add("tickets", _rows("a", "b", "c"), author="kim")
    door = Withdrawals(SECTION, stores.training, note)
    for who in (person("kim", "editor"), person("out", "customer")):
        for act in (door.remove, door.erase):
            with pytest.raises(DeniedError):
                await act("tickets", ["a"], who)
    assert events == []
    curator = person("cy", "curator")
    await door.remove("tickets", ["a"], curator)
    assert [one.id for one in stores.training.records("tickets")] == ["b", "c"]
    assert stores.training.find("tickets", "a", 1).response == "a"
    await door.erase("tickets", ["a", "b"], curator)
    assert [one.id for one in stores.training.records("tickets", 1)] == ["c"]
    with pytest.raises(DataError):
        stores.training.find("tickets", "a", 1)
    assert [event["type"] for event in events] == ["data.version", "data.version", "data.erased"]
    assert not stores.verify()
    with pytest.raises(DataError, match="no training set"):
        await door.erase("nowhere", ["a"], curator)


async def test_what_is_locked_is_not_erased(stores: DataStores, person: Callable[..., Principal]) -> None:
    async def note(event: Mapping[str, Any]) -> None:
        raise AssertionError

    stores.training.add("locked", _rows("a"), author="kim")
    with pytest.raises(DataError, match="locked"):
        await Withdrawals(SECTION, stores.training, note).erase("locked", ["a"], person("kim", "editor"))
    assert stores.training.count("locked") == 1
