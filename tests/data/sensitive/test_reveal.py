"""Who may open tokens, what the ledger keeps of it, and rows that single people out."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data.records import record_of
from ringwall.boundaries.data.sensitive import consent, keepers, reveal
from ringwall.boundaries.data.sensitive.compare import compared
from ringwall.boundaries.data.sensitive.consent import Consents
from ringwall.boundaries.data.sensitive.keepers import Keepers
from ringwall.boundaries.data.sensitive.reveal import Revealer
from ringwall.boundaries.data.sensitive.tokens import TokenKeys
from ringwall.boundaries.data.sensitive.uniqueness import Uniqueness, quasi_identifiers
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import DataError, DeniedError, Grant, Principal
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey
from ringwall.storage.database import Database

CARD = {"action": "tokenize", "format": "same", "keep_last": 4}
SECTION = DataSection.model_validate(
    {
        "collections": {
            "shop": {"sensitive": {"classes": {"pii.card": CARD}, "revealers": ["privacy"]}},
            "closed": {"sensitive": {"otherwise": "tokenize"}},
            "both": {
                "sensitive": {"revealers": ["privacy"], "token_keepers": ["security"], "two_person": True}
            },
            "strict": {"two_person": True, "sensitive": {"token_keepers": ["security"]}},
            "loose": {"sensitive": {"token_keepers": ["security"]}},
        }
    }
)


def person(name: str, role: str = "privacy", *scopes: str) -> Principal:
    grant = Grant(frozenset(scopes)) if scopes else Grant()
    return Principal(name, roles=frozenset({role}), credential=f"key_{name}", grant=grant)


PRIVACY = person("avery")
Events = list[Mapping[str, Any]]


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[TokenKeys]:
    envelope, db = Envelope(tmp_path, MasterKey(bytes(32))), Database(tmp_path / "state.db")
    yield TokenKeys(db, envelope)
    db.close()
    envelope.close()


def door(kind: Any, keys: TokenKeys, events: Events) -> Any:
    async def record(event: Mapping[str, Any]) -> None:
        events.append(event)

    return kind(SECTION, keys, Consents(keys._db), record)


def revealed(keys: TokenKeys, events: Events, *given: Any, **more: Any) -> Any:
    return asyncio.run(door(Revealer, keys, events).reveal(*given, **more))


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
        ("shop", person("avery", "privacy", "chat", "token-keys")),
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


def test_what_credentials_have_to_be_good_for() -> None:
    assert (reveal.SCOPE, keepers.SCOPE) == (Scope.REVEAL, Scope.KEY_KEEPING)


def test_a_second_person_lets_the_first_one_see_it_once(
    keys: TokenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: Events = []
    token = keys.current("both").opaque("casey@brightlamp.example", "pii.email")
    other = keys.current("both").opaque("robin@brightlamp.example", "pii.email")
    desk, second = door(Revealer, keys, events), person("robin", "privacy", "reveal")
    with pytest.raises(DataError):
        asyncio.run(desk.allow("both", token, second))
    assert revealed(keys, events, "both", token, PRIVACY) is None
    for denied in (person("casey", "customer"), person("robin", "privacy", "chat")):
        with pytest.raises(DeniedError):
            asyncio.run(desk.allow("both", token, denied))
    with pytest.raises(DataError):  # one's own request
        asyncio.run(desk.allow("both", token, PRIVACY))
    assert asyncio.run(desk.allow("both", token, second)) == "avery"
    assert revealed(keys, events, "both", token, second) is None
    assert revealed(keys, events, "both", other, PRIVACY) is None
    assert revealed(keys, events, "both", token, PRIVACY) == "casey@brightlamp.example"
    assert revealed(keys, events, "both", token, PRIVACY) is None
    assert [one["second"] for one in events if one["type"] == "data.revealed"] == ["robin"]
    asyncio.run(desk.allow("both", token, second))
    now = consent._now() + consent.TERM + 1
    monkeypatch.setattr(consent, "_now", lambda: now)
    assert revealed(keys, events, "both", token, PRIVACY) is None


@pytest.mark.parametrize(
    ("collection", "by"),
    [
        ("loose", person("casey", "privacy")),
        ("loose", Principal("casey", roles=frozenset({"security"}))),
        ("loose", person("casey", "security", "chat", "reveal")),
        ("shop", person("casey", "security")),
    ],
)
def test_keys_are_for_their_keepers(keys: TokenKeys, collection: str, by: Principal) -> None:
    events: Events = []
    token = keys.current(collection).opaque("casey@brightlamp.example", "pii.email")
    desk = door(Keepers, keys, events)
    for deed in (desk.erase(collection, 1, by), desk.rotate(collection, by)):
        with pytest.raises(DeniedError):
            asyncio.run(deed)
    assert keys.states(collection) == [(1, True)]
    assert keys.current(collection).open(token, "pii.email")
    assert [event["type"] for event in events] == ["data.token-key-denied"] * 2


def test_an_erasure_and_a_rotation_have_a_name(keys: TokenKeys) -> None:
    events: Events = []
    keys.current("loose")
    desk, keeper = door(Keepers, keys, events), person("casey", "security", "token-keys")
    assert asyncio.run(desk.rotate("loose", keeper)) == 2
    assert asyncio.run(desk.erase("loose", 1, keeper))
    assert keys.states("loose") == [(1, False), (2, True)]
    assert [(one["type"], one["subject"]) for one in events] == [
        ("data.token-key-rotated", "casey"),
        ("data.token-key-erased", "casey"),
    ]
    with pytest.raises(DataError):
        asyncio.run(desk.erase("loose", 1, keeper))


@pytest.mark.parametrize("collection", ["both", "strict"])
def test_it_takes_two_to_erase_where_the_collection_asks_so(keys: TokenKeys, collection: str) -> None:
    events: Events = []
    keys.current(collection)
    keys.rotate(collection)
    desk, first, second = (
        door(Keepers, keys, events),
        person("casey", "security"),
        person("robin", "security"),
    )
    assert not asyncio.run(desk.erase(collection, 1, first))
    assert not asyncio.run(desk.erase(collection, 1, first))  # asking again is no second person
    assert not asyncio.run(desk.erase(collection, 2, second))  # nor is another generation
    assert keys.states(collection) == [(1, True), (2, True)]
    assert asyncio.run(desk.erase(collection, 1, second))
    assert keys.states(collection) == [(1, False), (2, True)]
    assert (events[-1]["type"], events[-1]["subject"], events[-1]["asked"]) == (
        "data.token-key-erased",
        "robin",
        "casey",
    )


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


def test_the_second_person_is_of_the_askers_tenant(keys: TokenKeys, tmp_path: Path) -> None:
    """Where tenants are apart: also when the other tenant has somebody of the asker's name."""
    given = SECTION.model_dump(exclude_unset=True)
    given["collections"]["shop"]["sensitive"]["two_person"] = True
    database = Database(tmp_path / "consents.db")

    async def record(event: Mapping[str, Any]) -> None:
        return

    revealer = Revealer(DataSection.model_validate(given), keys, Consents(database), record)
    token = keys.current("shop", PRIVACY.tenant).opaque("casey@brightlamp.example", "pii.email")
    theirs = keys.current("shop", "south").opaque("drew@brightlamp.example", "pii.email")

    def person(subject: str, tenant: str = PRIVACY.tenant) -> Principal:
        return Principal(subject, tenant, frozenset({"privacy"}), credential=f"key_{subject}")

    assert asyncio.run(revealer.reveal("shop", token, PRIVACY)) is None
    with pytest.raises(DataError, match="Nobody else asked"):
        asyncio.run(revealer.allow("shop", token, person("rex", "south")))
    assert asyncio.run(revealer.allow("shop", token, person("rex"))) == "avery"
    assert asyncio.run(revealer.reveal("shop", theirs, person("avery", "south"))) is None
    assert asyncio.run(revealer.reveal("shop", token, PRIVACY)) == "casey@brightlamp.example"
    database.close()


def test_two_persons_are_two_names_and_two_credentials(keys: TokenKeys) -> None:
    consents = Consents(keys._db)
    asker, same_key = person("avery"), Principal("robin", credential="key_avery")
    elsewhere = Principal("avery", "south", credential="key_south")
    consents.ask("m", asker)
    for nobody_else in (asker, same_key, elsewhere):
        with pytest.raises(DataError, match="Nobody else"):
            consents.allow("m", nobody_else)
    assert consents.allow("m", person("rex")) == "avery"
    assert consents.take("m", elsewhere) == "", "said to somebody of the same name"
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: Consents(keys._db).take("m", asker), range(16)))
    assert sorted(taken) == [*[""] * 15, "rex"], "used once, whoever is quicker"
