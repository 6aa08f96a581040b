"""A ledger in a directory of its own, and events as the gateway records them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringwall.ledger import Ledger


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RINGWALL_MASTER_KEY", raising=False)
    return tmp_path / "data"


@pytest.fixture
def ledger(data_dir: Path) -> Iterator[Ledger]:
    opened = Ledger.open(data_dir)
    yield opened
    opened.close()


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    def make(number: int, **fields: Any) -> dict[str, Any]:
        return {
            "id": f"dec_{number:04d}",
            "type": "decision",
            "at": 1_700_000_000_000_000 + number,
            "boundary": "interface",
            "kind": "request",
            "application": "assistant",
            "subject": f"person-{number % 3}",
            "session": f"ses_{number % 5}",
            "turn": f"trn_{number // 2}",
            "action": "block" if number % 4 == 0 else "allow",
            "lines": [],
            **fields,
        }

    return make
