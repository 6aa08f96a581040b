"""Who may open tokens, what the ledger keeps of it, and rows that single people out."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data.records import record_of
from ringwall.boundaries.data.sensitive.compare import compared
from ringwall.boundaries.data.sensitive.reveal import Revealer
from ringwall.boundaries.data.sensitive.tokens import TokenKeys
from ringwall.boundaries.data.sensitive.uniqueness import Uniqueness, quasi_identifiers
from ringwall.boundaries.data.settings import DataSection
from ringwall.core import DataError, DeniedError, Principal
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey
from ringwall.storage.database import Database

CARD = {"action": "tokenize", "format": "same", "keep_last": 4}
SECTION = DataSection.model_validate(
    {
        "collections": {
            "shop": {"sensitive": {"classes": {"pii.card": CARD}, "revealers": ["privacy"]}},
            "closed": {"sensitive": {"otherwise": "tokenize"}},
        }
    }
)
PRIVACY = Principal("avery", roles=frozenset({"privacy"}), credential="key")


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[TokenKeys]:
    envelope, db = Envelope(tmp_path, MasterKey(bytes(32))), Database(tmp_path / "state.db")
    yield TokenKeys(db, envelope)
    db.close()
    envelope.close()


def revealed(keys: TokenKeys, events: list[Mapping[str, Any]], *given: Any, **more: Any) -> str:
    async def record(event: Mapping[str, Any]) -> None:
        events.append(event)

    return asyncio.run(Revealer(SECTION, keys, record).reveal(*given, **more))


def test_a_role_opens_tokens_and_the_ledger_has_no_value(keys: TokenKeys) -> None:
    events: list[Mapping[str, Any]] = []
    token = keys.current("shop").opaque("casey@brightlamp.example", "pii.email")
    assert revealed(keys, events, "shop", token, PRIVACY) == "casey@brightlamp.example"
    own = keys.current("shop", PRIVACY.tenant)
    card = own.alike("4111 1111 1111 1111", "pii.card", keep_last=4) or ""
    assert revealed(keys, events, "shop", card, PRIVACY, cls="pii.card") == "4111 1111 1111 1111"
    assert [event["type"] for event in events] == ["data.revealed"] * 2
    assert not any(value in repr(events) for value in ("casey@", "4111", token, card))


def test_tokens_of_another_tenant_stay_closed(keys: TokenKeys) -> None:
    events: list[Mapping[str, Any]] = []
    other = Principal("avery", "south", frozenset({"privacy"}), credential="key")
    theirs, common = keys.current("shop", PRIVACY.tenant), keys.current("shop")
    mail = theirs.opaque("casey@brightlamp.example", "pii.email")
    assert revealed(keys, events, "shop", mail, PRIVACY) == "casey@brightlamp.example"
    with pytest.raises(DataError, match="tenant"):
        revealed(keys, events, "shop", mail, other)
    card = theirs.alike("4111 1111 1111 1111", "pii.card", keep_last=4) or ""
    for more in ({}, {"common": True}):
        assert revealed(keys, events, "shop", card, other, cls="pii.card", **more) != "4111 1111 1111 1111"
    seed = common.alike("4111 1111 1111 1111", "pii.card", keep_last=4) or ""
    assert revealed(keys, events, "shop", seed, other, cls="pii.card", common=True) == "4111 1111 1111 1111"
    assert common.opaque("x", "pii.email") != theirs.opaque("x", "pii.email"), "nor do they join"


@pytest.mark.parametrize(
    ("collection", "by"),
    [
        ("shop", Principal("casey", roles=frozenset({"customer"}), credential="key")),
        ("shop", Principal("casey", roles=frozenset({"privacy"}))),
        ("closed", PRIVACY),
    ],
)
def test_nobody_else_does_and_the_try_is_on_the_ledger(
    keys: TokenKeys, collection: str, by: Principal
) -> None:
    events: list[Mapping[str, Any]] = []
    token = keys.current(collection).opaque("casey@brightlamp.example", "pii.email")
    with pytest.raises(DeniedError):
        revealed(keys, events, collection, token, by)
    assert [event["type"] for event in events] == ["data.reveal-denied"]


@pytest.mark.parametrize(
    ("token", "cls"),
    [("4111", ""), ("4111111111111111", "pii.phone"), ("12", "pii.card"), ("<<EMAIL_1d_x>>", "")],
)
def test_what_is_no_token(keys: TokenKeys, token: str, cls: str) -> None:
    keys.current("shop")
    with pytest.raises(DataError):
        revealed(keys, [], "shop", token, PRIVACY, cls=cls)


ROWS = [
    record_of(
        {"id": str(at), "zip": f"10{at % 4}0", "sex": "fm"[at % 2], "age": 20 + at % 5, "illness": "flu"}
    )
    for at in range(200)
]


def test_combinations_that_expose_rows() -> None:
    odd = record_of({"id": "odd", "zip": "1010", "sex": "f", "age": 24, "illness": "cold"})
    assert set(quasi_identifiers(ROWS)) == {"zip", "sex", "age"}
    table = Uniqueness(["zip", "sex", "age"], ["illness"], smallest=5)
    assert list(table.add([*ROWS, odd]))[-1] == 201
    told = {tuple(one["columns"]): one for one in table.report()["combinations"]}
    assert told["zip",]["k"] == 50
    assert told["zip", "sex"]["k"] == 1
    assert told["zip", "sex"]["unique"] == 1
    assert told["zip",]["l"] == {"illness": 1}
    titles = [one.title for one in table.findings()]
    assert "zip + sex" in titles
    assert "zip" not in titles


def test_new_classes_are_told_against_the_approved_version() -> None:
    clean = [record_of({"text": f"row {at} of words"}) for at in range(20)]
    dirty = [*clean, record_of({"text": "Card 4111 1111 1111 1111"})]
    found = compared(lambda: iter(clean), lambda: iter(dirty))
    assert [(one.detector, one.title) for one in found] == [("sensitive.class", "pii.card")]
    assert "4111" not in repr(found)
    assert compared(lambda: iter(dirty), lambda: iter(dirty)) == []
