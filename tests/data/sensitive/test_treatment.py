"""Treatment as it is asked for: nothing of what is treated stays in what is stored."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ringwall.boundaries.data.sensitive.tokens import TokenKeys
from ringwall.boundaries.data.sensitive.treat import Treatment
from ringwall.boundaries.data.sensitive_settings import SensitiveSettings
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.data.treatment import CONTROL
from ringwall.core import (
    Action,
    ConfigError,
    Crossing,
    CrossingKind,
    Decision,
    Gate,
    NoSettings,
    Part,
    PartKind,
    Post,
    Principal,
    Services,
    apply_edits,
    untrusted,
)
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey
from ringwall.storage.database import Database

CARD, MAIL, SSN = "4111 1111 1111 1111", "casey.doe@brightlamp.example", "536-90-4399"
TEXT = f"Card {CARD}, mail {MAIL}, SSN {SSN}."


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenKeys]:
    folder: Path = tmp_path_factory.mktemp("keys")
    envelope, db = Envelope(folder, MasterKey(bytes(32))), Database(folder / "state.db")
    yield TokenKeys(db, envelope)
    db.close()
    envelope.close()


def treated(keys: TokenKeys, text: str, **given_settings: Any) -> str:
    treatment = Treatment("shop", SensitiveSettings.model_validate(given_settings), keys)
    return treatment.treat([text])[0].apply(text)


def test_each_class_as_it_is_named(keys: TokenKeys) -> None:
    card = {"action": "tokenize", "format": "same", "keep_last": 4, "luhn": True}
    out = treated(keys, TEXT, classes={"pii.card": card, "pii.email": "redact"}, otherwise="tokenize")
    assert CARD not in out
    assert "1111, mail [email], SSN <<NATIONAL-ID_1d_" in out
    assert SSN not in out
    assert treated(keys, TEXT, classes={"pii.card": card}, otherwise="keep").count(MAIL) == 1


@settings(deadline=None)
@given(st.lists(st.sampled_from([CARD, MAIL, SSN, "plain words", "\u200b", "é", "\ud800", "\n"]), max_size=8))
def test_nothing_of_it_stays(keys: TokenKeys, pieces: list[str]) -> None:
    text = " and ".join(pieces)
    for otherwise in ("redact", "tokenize", {"action": "tokenize", "format": "same"}):
        out = treated(keys, text, otherwise=otherwise)
        assert not any(value in out for value in (CARD, MAIL, SSN) if value in text)


def decided(keys: TokenKeys, texts: list[str], sensitive: dict[str, Any], **data: Any) -> Decision:
    section = DataSection.model_validate({"collections": {"shop": {"sensitive": sensitive}}})
    control = CONTROL.build(NoSettings(), Services(section, keys))
    parts = tuple(
        Part(
            PartKind.DOCUMENT,
            text,
            untrusted("x"),
            name=data.get("title", ""),
            data={"collection": "shop", **data},
        )
        for text in texts
    )
    crossing = Crossing(CrossingKind.CONTRIBUTION, Principal("eddy", credential="key"), parts)
    return asyncio.run(Gate([Post(control)]).decide(crossing))


def test_edits_are_of_the_part(keys: TokenKeys) -> None:
    decision = decided(keys, ["nothing", TEXT], {"otherwise": "redact"})
    assert decision.action is Action.TRANSFORM
    assert {edit.part for edit in decision.joined.edits} == {1}
    assert apply_edits(TEXT, decision.joined.edits) == "Card [card], mail [email], SSN [national-id]."
    assert not any(value in repr(decision.joined.findings) for value in (CARD, MAIL, SSN))


def test_a_person_decides_or_it_stays_outside(keys: TokenKeys) -> None:
    assert decided(keys, [TEXT], {"classes": {"pii.card": "hold"}}).held
    assert decided(keys, [TEXT], {"classes": {"pii.card": "drop"}}).blocked
    row = decided(keys, [TEXT], {"classes": {"pii.card": "drop"}}, record="r1")
    assert not row.blocked
    assert any(edit.drop for edit in row.joined.edits)
    assert decided(keys, ["x"], {"otherwise": "redact"}, title=f"Mail of {MAIL}").held
    assert decided(keys, [TEXT], {}).action is Action.ALLOW


@pytest.mark.parametrize(
    "given",
    [
        {"classes": {"pii.nothing": "redact"}},
        {"classes": {"pii.card": "burn"}},
        {"classes": {"pii.card": {"action": "redact", "format": "same"}}},
        {"otherwise": {"action": "tokenize", "format": "same", "random": True}},
        {"otherwise": {"action": "tokenize", "luhn": True}},
    ],
)
def test_settings_that_contradict_themselves(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SensitiveSettings.model_validate(given)


def test_a_region_that_is_none_refuses_to_start(keys: TokenKeys) -> None:
    sensitive = {"otherwise": "redact", "regions": ["XX"]}
    section = DataSection.model_validate({"collections": {"shop": {"sensitive": sensitive}}})
    with pytest.raises(ConfigError, match="XX"):
        CONTROL.build(NoSettings(), Services(section, keys))
