"""A rotation at any moment of which the process may die; another source; another root."""

import base64
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import keyring.backend
import keyring.errors
import pytest

from ringwall.core import DataError
from ringwall.ledger import Ledger, verify
from ringwall.ledger.envelope import Envelope
from ringwall.ledger.master import MasterKey
from ringwall.ledger.rotation import rotate


class Memory(keyring.backend.KeyringBackend):
    """A keyring as the system's own is, but in memory."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("the secret is hunter2")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def memory() -> Iterator[Memory]:
    before = keyring.get_keyring()
    backend = Memory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def filled(data_dir: Path, owners: int = 20) -> dict[str, bytes]:
    """A ledger with a record, and values of owners."""
    with closing(Ledger.open(data_dir)) as ledger:
        ledger.append_now({"type": "test", "subject": "casey"}, {"text": "hello"})
        sealed = {}
        for number in range(owners):
            owner = f"owner-{number}"
            sealed[owner] = ledger.envelope.seal(owner, owner.encode(), b"x")
        return sealed


def check(data_dir: Path, sealed: dict[str, bytes]) -> None:
    """All is readable and sound, and new values can be made."""
    with closing(Ledger.open(data_dir)) as ledger:
        for owner, value in sealed.items():
            assert ledger.envelope.open(owner, value, b"x") == owner.encode()
        ledger.envelope.seal("new", b"new")
        ledger.append_now({"type": "test", "subject": "casey"}, {"text": "again"})
        assert ledger.latest(1)[0].event["type"] == "test"
    assert verify(data_dir).ok


def test_what_was_sealed_stays_readable_and_what_is_derived_stays_the_same(data_dir: Path) -> None:
    sealed = filled(data_dir)
    first, derived = (data_dir / "master.key").read_bytes(), MasterKey.load(data_dir).derive("canary x")
    stolen = MasterKey.load(data_dir)
    for generation in (1, 2, 3):
        done = rotate(data_dir)
        assert (done.generation, done.moved, done.source) == (generation, False, "file")
        assert done.keys >= 20
        check(data_dir, sealed)
    assert (data_dir / "master.key").read_bytes() != first
    assert (data_dir / "master.key").stat().st_mode & 0o777 == 0o600
    assert not (data_dir / "master.key.next").exists()
    assert not (data_dir / "checkpoint.key.next").exists()
    assert MasterKey.load(data_dir).derive("canary x") == derived
    thief = Envelope(data_dir, MasterKey(base64.b64decode(first)))
    with closing(thief), pytest.raises(DataError, match="another master key"):
        thief.open("owner-1", sealed["owner-1"], b"x")
    assert stolen.wrapper("checkpoint key") != MasterKey.load(data_dir).wrapper("checkpoint key")


def test_the_old_wrapped_keys_are_gone_from_the_files(data_dir: Path) -> None:
    filled(data_dir)
    with closing(sqlite3.connect(data_dir / "keys.db")) as database:
        old = [row[0] for row in database.execute("SELECT wrapped FROM data_keys")]
    assert rotate(data_dir).clean
    content = b"".join(path.read_bytes() for path in data_dir.glob("keys.db*"))
    assert not any(wrapped in content for wrapped in old)


def test_a_new_root_replaces_what_is_derived(data_dir: Path) -> None:
    sealed = filled(data_dir)
    derived = MasterKey.load(data_dir).derive("canary x")
    rotate(data_dir, new_root=True)
    assert MasterKey.load(data_dir).derive("canary x") != derived
    check(data_dir, sealed)


def test_a_process_that_has_it_open_goes_over_by_itself(data_dir: Path) -> None:
    sealed = filled(data_dir)
    with closing(Ledger.open(data_dir)) as server:
        assert server.envelope.open("owner-1", sealed["owner-1"], b"x") == b"owner-1"
        rotate(data_dir)
        made = server.envelope.seal("made-after", b"made after")
        assert server.envelope.open("owner-2", sealed["owner-2"], b"x") == b"owner-2"
        server.append_now({"type": "test", "subject": "casey"}, {"text": "after"})
        rotate(data_dir)
        assert server.envelope.open("owner-1", sealed["owner-1"], b"x") == b"owner-1"
        again = server.envelope.seal("owner-1", b"again")
    with closing(Ledger.open(data_dir)) as ledger:
        assert ledger.envelope.open("made-after", made) == b"made after"
        assert ledger.envelope.open("owner-1", again) == b"again"
    check(data_dir, sealed)


# Each is killed when it has done its work.
MOMENTS = ("stage", "checkpoint", "middle", "record", "commit", "promote", "signer")
_KILLED = """
import os, signal, sys
from pathlib import Path
from ringwall.ledger import rotation
from ringwall.ledger.checkpoint import Signer
from ringwall.ledger.key_record import KeyRecord
from ringwall.ledger.key_source import FileSource

moment = sys.argv[2]

def dies(owner, name, static=False):
    real = getattr(owner, name)
    def wrapper(*given, **named):
        real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, staticmethod(wrapper) if static else wrapper)

if moment == "stage": dies(FileSource, "stage")
elif moment == "checkpoint": dies(Signer, "stage", True)
elif moment == "middle": dies(rotation, "_anew")
elif moment == "record": dies(KeyRecord, "write")
elif moment == "commit": dies(rotation, "_rewrapped")
elif moment == "promote": dies(FileSource, "promote")
elif moment == "signer": dies(Signer, "promote", True)
rotation.rotate(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_it_leaves_one_that_opens_everything(data_dir: Path, moment: str) -> None:
    sealed = filled(data_dir)
    derived = MasterKey.load(data_dir).derive("canary x")
    command = [sys.executable, "-c", _KILLED, str(data_dir), moment]
    died = subprocess.run(command, capture_output=True, check=False, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    check(data_dir, sealed)
    assert MasterKey.load(data_dir).derive("canary x") == derived
    rotate(data_dir)
    check(data_dir, sealed)


def test_a_damaged_key_store_is_not_rotated(data_dir: Path) -> None:
    filled(data_dir)
    with closing(sqlite3.connect(data_dir / "keys.db")) as database, database:
        database.execute("UPDATE data_keys SET wrapped = ? WHERE number = 3", (os.urandom(60),))
    before = (data_dir / "master.key").read_bytes()
    with pytest.raises(DataError, match="Nothing was rotated"):
        rotate(data_dir)
    assert (data_dir / "master.key").read_bytes() == before
    with closing(Ledger.open(data_dir)) as ledger:
        ledger.envelope.seal("owner-0", b"works")


def test_there_has_to_be_something_to_rotate(data_dir: Path) -> None:
    with pytest.raises(DataError, match="nothing to rotate"):
        rotate(data_dir)


def test_a_lost_master_key_is_not_replaced(data_dir: Path) -> None:
    filled(data_dir)
    (data_dir / "master.key").unlink()
    with pytest.raises(DataError, match="not in its place"):
        Ledger.open(data_dir)
    assert not (data_dir / "master.key").exists()


def test_from_the_environment(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    monkeypatch.setenv("RINGWALL_MASTER_KEY", old)
    sealed = filled(data_dir)
    with pytest.raises(DataError, match="RINGWALL_MASTER_KEY_NEXT") as told:
        rotate(data_dir)
    assert old not in str(told.value)
    monkeypatch.setenv("RINGWALL_MASTER_KEY_NEXT", new)
    check(data_dir, sealed)
    rotate(data_dir)
    check(data_dir, sealed)
    monkeypatch.setenv("RINGWALL_MASTER_KEY", new)
    monkeypatch.delenv("RINGWALL_MASTER_KEY_NEXT")
    check(data_dir, sealed)
    monkeypatch.setenv("RINGWALL_MASTER_KEY", old)
    with pytest.raises(DataError, match="rotated"):
        Ledger.open(data_dir)


def test_from_a_file_to_the_keyring_and_back(
    data_dir: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = filled(data_dir)
    done = rotate(data_dir, "keyring:ringwall/shop")
    assert done.moved
    assert not (data_dir / "master.key").exists()
    with pytest.raises(DataError, match="not in its place"):
        Ledger.open(data_dir)
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "keyring:ringwall/shop")
    check(data_dir, sealed)
    rotate(data_dir)
    assert list(memory.held) == [("ringwall", "shop")]
    check(data_dir, sealed)
    rotate(data_dir, "file")
    assert not memory.held
    monkeypatch.delenv("RINGWALL_MASTER_KEY")
    check(data_dir, sealed)


def test_a_new_directory_with_the_keyring(
    data_dir: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "keyring:ringwall/shop")
    check(data_dir, filled(data_dir))
    assert not (data_dir / "master.key").exists()
    memory.locked = True
    with pytest.raises(DataError, match=r"keyring:ringwall/shop can't be used \(KeyringLocked\)") as told:
        MasterKey.load(data_dir)
    assert "hunter2" not in str(told.value)


def test_a_keyring_that_keeps_nothing_safe_is_refused(
    data_dir: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "keyring:ringwall/shop")
    monkeypatch.setattr(Memory, "priority", 0.5)
    with pytest.raises(DataError, match="no keyring here that can be trusted"):
        MasterKey.load(data_dir)
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "keyring:ringwall")
    with pytest.raises(DataError, match="keyring:SERVICE/NAME"):
        MasterKey.load(data_dir)


def test_a_moved_key_is_told_where_it_is(
    data_dir: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(data_dir)
    kept = (data_dir / "master.key").read_bytes()
    rotate(data_dir, "keyring:ringwall/shop")
    (data_dir / "master.key").write_bytes(kept)
    (data_dir / "master.key").chmod(0o600)
    with pytest.raises(DataError, match="set RINGWALL_MASTER_KEY to keyring:ringwall/shop"):
        Ledger.open(data_dir)
