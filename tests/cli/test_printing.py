"""What others wrote is printed, and obeyed by no terminal."""

import pytest

from ringwall.cli.options import plain, show_table

HOSTILE = "\x1b]0;owned\x07 \x9b31m \u202eexe.txt \x00\r"


def test_control_characters_are_replaced() -> None:
    assert not set("\x1b\x07\x9b\u202e\x00\r") & set(plain(HOSTILE))
    assert plain("two\nlines\tand é 漢") == "two\nlines\tand é 漢"


def test_a_table_stays_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([(HOSTILE, "a\nb")], ("one", "two"))
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2 and "\x1b" not in out
