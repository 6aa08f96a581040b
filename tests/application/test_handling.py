"""``application.handling`` at the gate and in the gateway: one form for policies, holds and the tool."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.handling import CONTROL
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.settings import ToolSettings
from ringwall.boundaries.application.strict_json import read_arguments
from ringwall.boundaries.application.unhandled import unhandled
from ringwall.core import (
    MODEL,
    Action,
    ConfigError,
    Crossing,
    CrossingKind,
    Decision,
    Finding,
    Gate,
    Mode,
    NoSettings,
    Part,
    PartKind,
    Post,
    Principal,
    Services,
    WorkloadFolder,
)

CASEY = Principal("casey", credential="key")
HANDLING: dict[str, Any] = {
    "query": {"sql": {"dialect": "sqlite", "tables": ["orders"], "limit": 50}},
    "body": {"html": {}},
    "file": {"path": {"roots": ["data"]}},
    "command": {"command": {"programs": {"git": ["status", "log"], "ls": None}}},
}


def tool(handling: dict[str, Any] = HANDLING, **more: Any) -> ToolSettings:
    properties = {name: {} for name in HANDLING} | {"other": {}}
    parameters = {"type": "object", "properties": properties}
    return ToolSettings.model_validate({"parameters": parameters, "handling": handling, **more})


def gate(folder: Path, mode: Mode = Mode.ENFORCE, **tools: ToolSettings) -> Gate:
    services = Services(ToolRegistry.of(tools or {"desk": tool()}), WorkloadFolder(folder))
    return Gate([Post(CONTROL.build(NoSettings(), services), mode)])


def call(arguments: dict[str, Any], name: str = "desk") -> Part:
    read = read_arguments(json.dumps(arguments))
    return Part(PartKind.TOOL_CALL, read.text, MODEL, "assistant", name, dict(read.data), "c1")


async def handled(at: Gate, arguments: dict[str, Any], name: str = "desk") -> tuple[Part, Decision]:
    """As the gateway does it."""
    rewriting = await at.rewritten(CrossingKind.TOOL_CALL, call(arguments, name))
    context = {"rewritten": {"c1": rewriting.findings}}
    crossing = Crossing(CrossingKind.TOOL_CALL, CASEY, (rewriting.part,), context=context)
    return rewriting.part, await at.decide(crossing)


async def test_each_kind_is_rewritten_and_let_through(tmp_path: Path) -> None:
    part, decision = await handled(
        gate(tmp_path),
        {
            "query": "select id from orders -- all",
            "body": "<b>Hello</b><script>x()</script>",
            "file": "./a/../b.txt",
            "command": "git  log  --oneline",
            "other": "<script>",
        },
    )
    assert dict(part.data) == {
        "query": "SELECT id FROM orders LIMIT 50",
        "body": "<b>Hello</b>",
        "file": "b.txt",
        "command": "git log --oneline",
        "other": "<script>",
    }
    assert json.loads(part.text) == dict(part.data)
    assert decision.action is Action.ANNOTATE
    assert [one.message for one in decision.joined.findings] == ["Taken out of body: script."]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"query": "DROP TABLE orders"}, "statement"),
        ({"query": "SELECT * FROM users"}, "table"),
        ({"query": ["SELECT 1"]}, "type"),
        ({"query": {"sql": "SELECT 1"}}, "type"),
        ({"body": 5}, "type"),
        ({"body": "<b>" * 6000}, "nesting"),
        ({"file": "../x"}, "outside"),
        ({"file": ["a.txt", "/etc/passwd"]}, "outside"),
        ({"file": ["a.txt", 5]}, "type"),
        ({"command": "git status; id"}, "shell"),
        ({"command": ["git", "log", "--output=x"]}, "option"),
        ({"command": True}, "type"),
    ],
)
async def test_what_is_unsafe_is_blocked_and_says_what_to_change(
    tmp_path: Path, arguments: dict[str, Any], rule: str
) -> None:
    part, decision = await handled(gate(tmp_path), arguments)
    assert dict(part.data) == arguments
    assert decision.action is Action.BLOCK
    assert [one.rule for one in decision.joined.findings] == [rule]
    assert decision.reasons[0].startswith("The call was refused: ")


async def test_one_bad_argument_blocks_the_call(tmp_path: Path) -> None:
    _, decision = await handled(gate(tmp_path), {"query": "SELECT 1", "file": "../x", "body": "<script>"})
    assert decision.action is Action.BLOCK


async def test_who_does_not_ask_first_is_blocked_not_let_through(tmp_path: Path) -> None:
    """A place that judges calls without rewriting them can't pass raw ones on by mistake."""
    raw = Crossing(CrossingKind.TOOL_CALL, CASEY, (call({"body": "<b>x</b><script>y</script>"}),))
    decision = await gate(tmp_path).decide(raw)
    assert (decision.action, decision.joined.findings[0].rule) == (Action.BLOCK, "form")
    clean = Crossing(CrossingKind.TOOL_CALL, CASEY, (call({"body": "<b>x</b>", "query": None}),))
    assert (await gate(tmp_path).decide(clean)).action is Action.ALLOW


async def test_a_list_stays_a_list(tmp_path: Path) -> None:
    part, decision = await handled(
        gate(tmp_path), {"file": ["./a", "b//c"], "command": ["ls", "-l", "my file"]}
    )
    assert dict(part.data) == {"file": ["a", "b/c"], "command": ["ls", "-l", "my file"]}
    assert decision.action is Action.ALLOW


async def test_other_tools_and_kinds_are_left_alone(tmp_path: Path) -> None:
    part, decision = await handled(gate(tmp_path), {"query": "DROP TABLE orders"}, "elsewhere")
    assert (dict(part.data), decision.action) == ({"query": "DROP TABLE orders"}, Action.ALLOW)


async def test_notes_of_others_are_not_believed(tmp_path: Path) -> None:
    for notes in (None, 5, "x", [5, None], {"c1": 5}, {"c1": [Finding("interface.pii", "x", "y")]}):
        crossing = Crossing(
            CrossingKind.TOOL_CALL, CASEY, (call({"file": "a"}),), context={"rewritten": notes}
        )
        assert (await gate(tmp_path).decide(crossing)).action is Action.ALLOW


async def test_monitor_mode_changes_nothing_but_what_the_gateway_runs(tmp_path: Path) -> None:
    at = gate(tmp_path, Mode.MONITOR)
    made = call({"file": "./a"})
    assert (await at.rewritten(CrossingKind.TOOL_CALL, made)).part is made
    assert (await at.rewritten(CrossingKind.TOOL_CALL, made, monitored=True)).part.data == {"file": "a"}


@pytest.mark.parametrize(
    ("handling", "says"),
    [
        ({"typo": {"html": {}}}, "no argument of the tool"),
        ({"query": {}}, "one of: sql, html, path, command"),
        ({"query": {"html": {}, "path": {"roots": ["x"]}}}, "one of: sql, html, path, command"),
        ({"query": {"sql": {"dialect": "oracle", "tables": ["x"]}}}, "dialect"),
        ({"query": {"sql": {"dialect": "sqlite", "tables": []}}}, "tables"),
        ({"file": {"path": {"roots": []}}}, "roots"),
        ({"command": {"command": {"programs": {}}}}, "programs"),
    ],
)
def test_mistakes_in_the_file_are_named(handling: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tool(handling)


@pytest.mark.parametrize(
    ("programs", "says"),
    [
        ({"bash": None}, "bash runs what its arguments say"),
        ({"/usr/bin/python3.11": None}, "runs what its arguments say"),
        ({"git": None}, "which subcommands of git"),
        ({"git": ["config"]}, "git config runs"),
    ],
)
def test_programs_that_no_rule_can_hold_are_refused(tmp_path: Path, programs: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        gate(tmp_path, desk=tool({"command": {"command": {"programs": programs}}}))


@pytest.mark.parametrize(("library", "kind"), [("sqlglot", "query"), ("nh3", "body")])
def test_without_the_extra_it_refuses_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, kind: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(ConfigError, match=rf"desk.handling.{kind}: .*install ringwall\[output\]"):
        gate(tmp_path, desk=tool({kind: HANDLING[kind]}))
    gate(tmp_path, desk=tool({"file": HANDLING["file"], "command": HANDLING["command"]}))


@pytest.mark.parametrize(
    ("argument", "more", "kind"),
    [
        ("sql", {}, "sql"),
        ("sqlQuery", {}, "sql"),
        ("query", {"description": "Run a query on the sales database."}, "sql"),
        ("query", {"description": "Search the handbook.", "effect": "read"}, ""),
        ("file_path", {"effect": "read"}, "path"),
        ("filename", {"effect": "write"}, "path"),
        ("outputDir", {"effect": "write"}, "path"),
        ("path", {"effect": "fetch"}, ""),
        ("profile", {"effect": "read"}, ""),
        ("command", {}, "command"),
        ("body_html", {"effect": "send"}, "html"),
        ("body", {"effect": "send"}, ""),
    ],
)
def test_what_looks_like_code_is_asked_about(argument: str, more: dict[str, Any], kind: str) -> None:
    text = {"type": "string"}
    parameters = {"type": "object", "properties": {argument: text, "when": text}}
    given = ToolSettings.model_validate({"parameters": parameters, **more})
    manifest = ToolRegistry.of({"desk": given}).get("desk")
    assert manifest
    assert list(unhandled(manifest)) == ([(argument, kind)] if kind else [])
    narrow = {"type": "object", "properties": {argument: {"enum": ["a"], **text}, "n": {"type": "integer"}}}
    manifest = ToolRegistry.of({"desk": ToolSettings(parameters=narrow)}).get("desk")
    assert manifest
    assert not list(unhandled(manifest))


def test_check_asks(served_path: Any, command: Any, tmp_path: Path) -> None:
    properties = {"command": {"type": "string"}, "body": {"type": "string"}}
    desk = {"parameters": {"type": "object", "properties": properties}}
    path = served_path(tmp_path, {"application": {"tools": {"desk": desk}}})
    said = command("check", "--workload", str(path), "--no-matrix")
    assert said.code == 0, said.err
    assert "application.tools.desk: command looks like a command; say under handling" in said.err
    handling = {"command": {"command": {"programs": {"ls": None}}}}
    path = served_path(tmp_path, {"application": {"tools": {"desk": {**desk, "handling": handling}}}})
    assert "looks like a command" not in command("check", "--workload", str(path)).err


TOOLS = '''
"""Tools that trust their arguments."""

import pathlib
import sqlite3

HERE = pathlib.Path(__file__).parent


def ask(query):
    rows = sqlite3.connect(HERE / "shop.db").execute(query).fetchall()
    with (HERE / "asked.log").open("a", encoding="utf-8") as log:
        log.write(query + "\\n")
    return str(rows)


def read(file):
    return (HERE / "data" / file).read_text("utf-8")


def erase(query):
    return ask(query)
'''


@pytest.fixture(scope="module")
def desk(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A gateway with tools that run what they are given: here, and at the client."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "desk.py").write_text(TOOLS, "utf-8")
    (folder / "data").mkdir()
    (folder / "data" / "hours.txt").write_text("Open from 10 to 18.", "utf-8")
    (folder / "data" / "out").symlink_to(folder / "desk.py")
    with sqlite3.connect(folder / "shop.db") as database:
        database.executescript(
            "CREATE TABLE orders (id INT, note TEXT); INSERT INTO orders VALUES (1, 'lamp'), (2, 'bulb');"
            "CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('the-secret');"
        )

    def made(argument: str, effect: str, run: str = "") -> dict[str, Any]:
        properties = {argument: {"type": "string"}}
        given: dict[str, Any] = {"run": {"python": f"desk.py:{run}"}} if run else {}
        return {
            "description": f"Tool that can {effect}.",
            "parameters": {"type": "object", "properties": properties, "required": [argument]},
            "effect": effect,
            "handling": {argument: HANDLING[argument]},
            **given,
        }

    tools = {
        "ask": made("query", "read", "ask"),
        "read": made("file", "read", "read"),
        "erase": made("query", "delete", "erase"),
        "show": made("body", "read"),
    }
    return serve(
        folder,
        application={"tools": tools},
        applications={"assistant": {"tools": [*tools, "lookup_order"]}},
        principals={"roles": {"manager": {"inherits": ["agent"], "may_approve": ["erase"]}}},
    )


def asked(desk: Any, model_server: Any, said: Any, tool: str, arguments: dict[str, Any], **more: Any) -> str:
    """What the model is answered when it makes this call."""
    model_server.says(said("", (tool, json.dumps(arguments))), said("Done."))
    got = desk.ask("Please do.", **more)
    assert got.status_code == 200, got.text
    return str(model_server.received[-1]["messages"][-1]["content"])


def test_the_database_gets_the_query_that_was_checked(desk: Any, model_server: Any, said: Any) -> None:
    told = asked(desk, model_server, said, "ask", {"query": "select  id from orders /* x */ where id=1"})
    assert "[(1,)]" in told
    log = (desk.path.parent / "asked.log").read_text("utf-8").splitlines()
    assert log[-1] == "SELECT id FROM orders WHERE id = 1 LIMIT 50"
    for query in (
        "SELECT name FROM users",
        "SELECT id FROM orders; DROP TABLE orders",
        "SELECT * FROM orders UNION SELECT name, 1 FROM users",
    ):
        told = asked(desk, model_server, said, "ask", {"query": query})
        assert told.startswith("Denied by policy: The call was refused: query can't be used: ")
        assert "the-secret" not in told
    assert len((desk.path.parent / "asked.log").read_text("utf-8").splitlines()) == len(log)


def test_a_file_outside_is_not_read(desk: Any, model_server: Any, said: Any) -> None:
    assert "Open from 10" in asked(desk, model_server, said, "read", {"file": "./hours.txt"})
    for file in ("../desk.py", "out", "/etc/passwd", "%2e%2e/desk.py", "..\\desk.py", "hours.txt\0.png"):
        told = asked(desk, model_server, said, "read", {"file": file})
        assert told.startswith("Denied by policy: The call was refused: file can't be used: "), file


def test_a_person_approves_what_will_run(desk: Any, model_server: Any, said: Any) -> None:
    raw = {"query": "select note from orders -- and nothing else"}
    told = asked(desk, model_server, said, "erase", raw, session="ses-approve-1")
    assert told.startswith("Not done: this call waits for the approval of a person")
    holds = desk.live.site.application().holds
    hold = holds.pending()[-1]
    assert hold.arguments == {"query": "SELECT note FROM orders LIMIT 50"}
    holds.approve(hold.id, Principal("morgan", hold.tenant, frozenset({"manager"}), credential="key"))
    told = asked(desk, model_server, said, "erase", raw, session="ses-approve-1")
    assert "lamp" in told
    log = (desk.path.parent / "asked.log").read_text("utf-8").splitlines()
    assert log[-1] == "SELECT note FROM orders LIMIT 50"


def test_what_a_person_puts_in_is_put_in_its_safe_form_too(desk: Any, model_server: Any, said: Any) -> None:
    holds = desk.live.site.application().holds
    morgan = Principal("morgan", "default", frozenset({"manager"}), credential="key")
    raw = {"query": "SELECT note FROM orders WHERE id = 1"}
    asked(desk, model_server, said, "erase", raw, session="ses-amend-1")
    holds.amend(holds.pending()[-1].id, morgan, json.dumps({"query": "select id from orders where id=2"}))
    told = asked(desk, model_server, said, "erase", raw, session="ses-amend-1")
    assert "(2,)" in told
    asked(desk, model_server, said, "erase", raw, session="ses-amend-2")
    holds.amend(holds.pending()[-1].id, morgan, json.dumps({"query": "SELECT name FROM users"}))
    told = asked(desk, model_server, said, "erase", raw, session="ses-amend-2")
    assert "the-secret" not in told
    assert "not allowed" in told


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_client_runs_travels_in_its_safe_form(
    desk: Any, model_server: Any, said: Any, stream: bool
) -> None:
    arguments = {"body": "<p onclick=x()>Hi<img src=x onerror=alert(1)></p>"}
    tools = [desk.live.site.application().registry.get("show").openai()]
    model_server.says(said("", ("show", json.dumps(arguments))))
    body = {"messages": [{"role": "user", "content": "Show it."}], "tools": tools}
    if stream:
        found, headers = desk.events(body)
        deltas = [event["choices"][0]["delta"] for event in found[:-1] if event["choices"]]
        calls = [one for delta in deltas for one in delta.get("tool_calls") or ()]
        text = "".join(one["function"].get("arguments") or "" for one in calls)
    else:
        got = desk.post({"model": "default", **body})
        text = got.json()["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        headers = got.headers
    assert json.loads(text) == {"body": "<p>Hi</p>"}
    turn = desk.record(headers["x-ringwall-decision"]).event["turn"]
    lines = [line for event in desk.turn(turn) if event["kind"] == "tool_call" for line in event["lines"]]
    assert [line["action"] for line in lines if line["control"] == CONTROL.id] == ["annotate"]
