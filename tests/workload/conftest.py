"""A workload file of one's own, as text."""

from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = """\
workload: small
applications:
  assistant:
    roles: [user]
principals:
  roles: {user: {}}
"""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """``file(text)`` writes a workload file and gives its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "ringwall.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
