"""Sealing, opening, erasing: also across handles and down to the bytes of the file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.core import DataError
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey


@pytest.fixture
def master(data_dir: Path) -> MasterKey:
    return MasterKey.load(data_dir)


@pytest.fixture
def envelope(data_dir: Path, master: MasterKey) -> Iterator[Envelope]:
    with closing(Envelope(data_dir, master)) as opened:
        yield opened


@given(st.text(max_size=20), st.binary(max_size=200), st.binary(max_size=20))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(envelope: Envelope, owner: str, plaintext: bytes, aad: bytes) -> None:
    sealed = envelope.seal(owner, plaintext, aad)
    assert envelope.open(owner, sealed, aad) == plaintext
    assert envelope.owner_of(sealed) == owner
    with pytest.raises(DataError, match="another place"):
        envelope.open(owner, sealed, aad + b"x")
    with pytest.raises(DataError, match="another place"):
        envelope.open(owner + "x", sealed, aad)


def test_a_derived_key_is_the_owners_and_goes_with_it(
    envelope: Envelope, data_dir: Path, master: MasterKey
) -> None:
    made = envelope.derived("ann", "tokens")
    with closing(Envelope(data_dir, master)) as other:
        assert other.derived("ann", "tokens") == made
    assert len({made, envelope.derived("ann", "more"), envelope.derived("bob", "tokens")}) == 3
    envelope.erase("ann")
    assert envelope.derived("ann", "tokens") != made


def test_every_flipped_byte_is_noticed(envelope: Envelope) -> None:
    sealed = envelope.seal("ann", b"text", b"aad")
    for at in range(len(sealed)):
        with pytest.raises(DataError):
            envelope.open("ann", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], b"aad")
    for length in range(len(sealed)):
        with pytest.raises(DataError):
            envelope.open("ann", sealed[:length], b"aad")


def test_erasure_reaches_other_handles_and_new_seals_work(data_dir: Path, master: MasterKey) -> None:
    with closing(Envelope(data_dir, master)) as one, closing(Envelope(data_dir, master)) as two:
        sealed, kept = one.seal("ann", b"text"), one.seal("bob", b"text")
        assert two.open("ann", sealed) == b"text"
        assert one.erase("ann") == 1
        for handle in (one, two):
            with pytest.raises(DataError, match="erased"):
                handle.open("ann", sealed)
            assert handle.owner_of(sealed) is None
            assert handle.open("bob", kept) == b"text"
        again = two.seal("ann", b"new")
        assert one.open("ann", again) == b"new"
        assert one.erase("ann") == 1 and one.erase("ann") == 0 and one.erase("nobody") == 0


def test_a_stale_handle_seals_under_the_new_key(data_dir: Path, master: MasterKey) -> None:
    with closing(Envelope(data_dir, master)) as one, closing(Envelope(data_dir, master)) as two:
        two.seal("ann", b"cached")
        one.erase("ann")
        assert one.open("ann", two.seal("ann", b"readable")) == b"readable"


def test_the_wrapped_key_is_gone_from_the_files(data_dir: Path, envelope: Envelope) -> None:
    for owner in ("ann", "bob", "cyd"):
        envelope.seal(owner, b"x")
    wrapped = dict(envelope._database.execute("SELECT owner, wrapped FROM data_keys"))
    raw = lambda: b"".join(path.read_bytes() for path in data_dir.glob("keys.db*"))  # noqa: E731
    held = envelope._database.execute("SELECT hex(wrapped) FROM data_keys WHERE owner = 'ann'").fetchone()[0]
    assert bytes.fromhex(held) == wrapped["ann"]
    envelope.erase("ann")
    envelope._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    content = raw()
    assert wrapped["ann"] not in content and wrapped["ann"][12:44] not in content
    assert wrapped["bob"] in content


def test_another_master_key_opens_nothing(data_dir: Path, envelope: Envelope) -> None:
    sealed = envelope.seal("ann", b"text")
    with closing(Envelope(data_dir, MasterKey(b"x" * 32))) as stranger:
        with pytest.raises(DataError, match="another master key"):
            stranger.open("ann", sealed)
        with pytest.raises(DataError, match="another master key"):
            stranger.seal("ann", b"text")


def test_master_key_file(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = MasterKey.load(data_dir)
    path = data_dir / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.load(data_dir).derive("a") == key.derive("a") != key.derive("b")
    assert key.derive("a").hex() not in repr(key)
    path.chmod(0o644)
    with pytest.raises(DataError, match="chmod 600"):
        MasterKey.load(data_dir)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(DataError, match="no master key"):
        MasterKey.load(data_dir)
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "ab" * 32)
    assert MasterKey.load(data_dir).derive("a") == MasterKey(b"\xab" * 32).derive("a")
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "short")
    with pytest.raises(DataError, match="no master key"):
        MasterKey.load(data_dir)


def test_a_file_that_is_no_key_store(data_dir: Path, master: MasterKey) -> None:
    (data_dir / "keys.db").write_bytes(b"not a database at all" * 50)
    with pytest.raises(DataError, match=r"keys\.db can't be used"):
        Envelope(data_dir, master)
