"""Tokens: they open under the key alone, keep their format, don't collide, and die with their key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.sensitive.spans import inspect_text
from ringwall.boundaries.data.sensitive.tokens import TokenKeys, Tokens, names, read_opaque
from ringwall.core import DataError
from ringwall.detect.checkdigits import luhn
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey
from ringwall.storage.database import Database

TOKENS = Tokens("shop", 1, bytes(range(64)), bytes(range(32)))
DIGITS = st.text("0123456789", min_size=6, max_size=30)
DRESSED = st.lists(
    st.one_of(st.sampled_from(list("0123456789")), st.sampled_from(list(" -+()/.x"))), max_size=40
)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[TokenKeys]:
    envelope = Envelope(tmp_path, MasterKey(bytes(32)))
    db = Database(tmp_path / "state.db")
    yield TokenKeys(db, envelope)
    db.close()
    envelope.close()


@settings(deadline=None)
@given(st.text(max_size=300), st.booleans())
def test_opaque_round_trip(value: str, random: bool) -> None:
    token = TOKENS.opaque(value, "pii.email", random=random)
    assert TOKENS.open(token, "pii.email") == value
    assert (TOKENS.opaque(value, "pii.email", random=random) == token) is not random
    assert value not in token or len(value) < 4
    read = read_opaque(token, names(["pii.email", "pii.card"]))
    assert read is not None
    assert (read.cls, read.generation) == ("pii.email", 1)


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), unique=True, max_size=20))
def test_different_values_have_different_tokens(values: list[str]) -> None:
    assert len({TOKENS.opaque(value, "pii.name") for value in values}) == len(values)


@settings(deadline=None)
@given(st.text(max_size=50), st.data())
def test_a_changed_token_does_not_open(value: str, data: st.DataObject) -> None:
    token = TOKENS.opaque(value, "pii.name")
    at = data.draw(st.integers(token.index("d_") + 2, len(token) - 5))
    changed = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
    with pytest.raises(DataError):
        TOKENS.open(changed, "pii.name")
    with pytest.raises(DataError):
        TOKENS.open(token, "pii.email")
    with pytest.raises(DataError):
        Tokens("other", 1, bytes(range(64)), bytes(32)).open(token, "pii.name")


@settings(deadline=None)
@given(DRESSED, st.integers(0, 4), st.booleans())
def test_format_is_kept(value: list[str], keep: int, check: bool) -> None:
    text = "".join(value)
    token = TOKENS.alike(text, "pii.card", keep_last=keep, luhn=check)
    digits = [char for char in text if char.isdigit()]
    if len(digits) - keep < 6:
        assert token is None
        return
    assert token is not None
    assert [char.isdigit() for char in token] == [char.isdigit() for char in text]
    assert [c for c in token if not c.isdigit()] == [c for c in text if not c.isdigit()]
    made = "".join(char for char in token if char.isdigit())
    assert not keep or made[-keep:] == "".join(digits[-keep:])
    assert not check or luhn(made) == luhn("".join(digits))
    assert TOKENS.unlike(token, "pii.card", keep_last=keep, luhn=check) == text


def test_classes_and_collections_have_their_own_format_tokens() -> None:
    other = Tokens("other", 1, bytes(range(64)), bytes(range(32)))
    made = {
        TOKENS.alike("4111 1111 1111 1111", "pii.card"),
        TOKENS.alike("4111 1111 1111 1111", "pii.phone"),
        other.alike("4111 1111 1111 1111", "pii.card"),
    }
    assert len(made) == 3


def test_no_two_numbers_share_a_format_token() -> None:
    made = {TOKENS.alike(f"{number:06d}", "pii.phone") for number in range(3000)}
    assert len(made) == 3000


def test_opaque_tokens_are_not_taken_for_sensitive_data() -> None:
    for cls in ("pii.email", "secret", "pii.national-id"):
        token = TOKENS.opaque("casey.doe@brightlamp.example", cls)
        assert inspect_text(f"Write to {token} today") == []


def test_rotation_and_erasure(keys: TokenKeys) -> None:
    first = keys.current("shop").opaque("casey@brightlamp.example", "pii.email")
    assert keys.current("shop").opaque("casey@brightlamp.example", "pii.email") == first
    assert keys.rotate("shop") == 2
    second = keys.current("shop").opaque("casey@brightlamp.example", "pii.email")
    assert second != first
    assert keys.tokens("shop", 1).open(first, "pii.email") == "casey@brightlamp.example"
    keys.erase("shop", 1)
    with pytest.raises(DataError, match="erased"):
        keys.tokens("shop", 1)
    assert keys.tokens("shop", 2).open(second, "pii.email") == "casey@brightlamp.example"
    keys.erase("shop", 2)
    assert keys.generations("shop") == [1, 2, 3]
    assert keys.current("shop").generation == 3
    with pytest.raises(DataError, match="no token keys"):
        keys.tokens("shop", 9)


def test_what_is_too_long_is_no_token() -> None:
    with pytest.raises(DataError, match="characters"):
        TOKENS.opaque("x" * 5000, "pii.name")
