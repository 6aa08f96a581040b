"""``ringwall master-key`` as an operator runs it."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from ringwall.ledger import Ledger, verify


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RINGWALL_MASTER_KEY", raising=False)
    folder = tmp_path / "data"
    ledger = Ledger.open(folder)
    ledger.append_now({"type": "test", "subject": "casey"}, {"text": "hello"})
    ledger.close()
    return folder


def test_status_and_rotation(command: Any, data_dir: Path) -> None:
    done = command("master-key", "status", "--data-dir", data_dir, "--json")
    assert done.json == {"source": "file", "rotations": 0, "rotated": None}
    done = command("master-key", "rotate", "--data-dir", data_dir, "--json")
    assert (done.code, done.json["keys"], done.json["rotations"], done.json["clean"]) == (0, 1, 1, True)
    done = command("master-key", "rotate", "--new-root", "--data-dir", data_dir)
    assert "Restart every process" in done.out
    assert "never" not in command("master-key", "status", "--data-dir", data_dir).out
    assert verify(data_dir).ok
    ledger = Ledger.open(data_dir)
    events = [record.event for record in ledger.latest(5, type="master_key.rotated")]
    ledger.close()
    assert [event["rotations"] for event in events] == [2, 1]


def test_from_the_environment(command: Any, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("RINGWALL_MASTER_KEY", base64.b64encode(os.urandom(32)).decode())
    done = command("master-key", "status", "--data-dir", data_dir)
    assert done.code == 2
    assert "another master key" in done.err
    monkeypatch.delenv("RINGWALL_MASTER_KEY")
    monkeypatch.setenv("RINGWALL_MASTER_KEY_NEXT", secret)
    done = command("master-key", "rotate", "--data-dir", data_dir)
    assert done.code == 0
    assert secret not in done.out + done.err


def test_where_there_is_nothing(command: Any, tmp_path: Path, data_dir: Path) -> None:
    for what in ("status", "rotate", "rewrap"):
        done = command("master-key", what, "--data-dir", tmp_path / "other")
        assert done.code == 2
        assert "give the server's --data-dir" in done.err
        assert not (tmp_path / "other").exists()
    done = command("master-key", "rewrap", "--data-dir", data_dir)
    assert "not in KMS" in done.err
