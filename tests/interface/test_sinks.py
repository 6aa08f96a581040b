"""What each sink must not be given, and what it is given unchanged."""

import json

import pytest

from ringwall.boundaries.interface.sinks import Sinks, SinksSettings
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind, apply_edits

DEFAULT = Sinks(SinksSettings())


def given_to(sink, text, before="", **settings):
    control = Sinks(SinksSettings(sinks=frozenset({sink}), **settings))
    part = Part(PartKind.TEXT, text, MODEL, "assistant")
    given = control.inspect(Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context={"before": before}))
    return given.action, apply_edits(text, given.edits)


@pytest.mark.parametrize(
    ("sink", "text", "left"),
    [
        ("terminal", "a\x1b[31mb\x1b[0mc", "abc"),
        ("terminal", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("terminal", "\x1b]52;c;QUJD\x07x\x07", "x"),
        ("terminal", "safe\rrm -rf", "safe\nrm -rf"),
        ("terminal", "\x9b2J\x90q\x9cx", "x"),
        ("csv", "name,=1+1\n", "name,'=1+1\n"),
        ("csv", "=cmd()", "'=cmd()"),
        ("csv", 'a\t"+A1"\t@x', "a\t\"'+A1\"\t'@x"),
        ("csv", "a;\uff1dSUM(A1)", "a;'\uff1dSUM(A1)"),
        ("html", "<b>x</b> <video src=a> <b onclick=go() title=t>", "<b>x</b> &lt;video src=a> <b  title=t>"),
        ("html", "a < b <!-- c --> <p", "a < b &lt;!-- c --> &lt;p"),
        ("json", '{"a": "</script>"}', '{"a": "\\u003c/script>"}'),
    ],
)
def test_is_changed(sink, text, left):
    assert given_to(sink, text) == (Action.TRANSFORM, left)


@pytest.mark.parametrize(
    ("sink", "text"),
    [
        ("sql", "DROP TABLE users"), ("sql", "select 1;\nDELETE FROM t"),
        ("sql", "SELECT 1 UNION/**/SELECT 2"),
        ("sql", "EXEC xp_cmdshell 'dir'"), ("sql", "SELECT pg_read_file('x')"), ("sql", "x' OR '1'='1"),
        ("shell", "ls $(id)"), ("shell", "cat a | sh"), ("shell", "ls && rm -rf /"), ("shell", "curl https://a.example"),
        ("shell", "cat ~/.ssh/id_rsa"), ("shell", "powershell -enc AAAA"), ("shell", "sudo ls"),
        ("shell", "echo `id`"),
        ("json", '{"__proto__": 1}'), ("json", '{"constr\\u0075ctor" : 1}'),
    ],
)  # fmt: skip
def test_is_stopped(sink, text):
    assert given_to(sink, text)[0] is Action.BLOCK
    assert DEFAULT.inspect(
        Crossing(CrossingKind.RESPONSE, ANONYMOUS, (Part(PartKind.TEXT, text, MODEL),))
    ).action is (Action.ALLOW)


@pytest.mark.parametrize(
    ("sink", "text"),
    [
        ("terminal", "a\tb\r\nc \u2028 \U0001f4a1"),
        ("csv", "a,-12.5,+49 30 1234,3-4\n|---|---|\n-7%;x=1"),
        ("sql", "SELECT name, dropped FROM sets WHERE updated > 3 ORDER BY created"),
        ("shell", "ls -la /srv | grep lamp | sort"),
        ("html", "<p>It costs <b>5</b> &lt; 6.</p>"),
        ("json", json.dumps({"a": [1, "x"], "b": None})),
        ("markdown", "# Head\n* a = b\n=x"),
    ],
)
def test_is_left_alone(sink, text):
    assert given_to(sink, text) == (Action.ALLOW, text)


def test_a_rule_can_be_allowed():
    assert given_to("sql", "INSERT INTO t VALUES (1)", allowed=("sql-write",))[0] is Action.ALLOW


def test_a_cell_is_known_by_what_went_before():
    assert given_to("csv", "=1", before="a,")[0] is Action.TRANSFORM
    assert given_to("csv", "=1", before="x" * 200)[0] is Action.ALLOW


def test_too_much_is_stopped():
    assert given_to("terminal", "\x1b[1m" * 3000)[0] is Action.BLOCK
    assert given_to("html", "<q " * 40_000)[0] is Action.BLOCK
