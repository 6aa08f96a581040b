"""The page of MCP servers: what an operator sees of a hostile manifest, and what a form may decide."""

import pytest

from ringwall.console.shown import ServerInfo, ServerTool

NASTY = '</pre><script>alert(1)</script>\x1b[2J\u202e" onload="x'


@pytest.fixture
def tool(memory):
    made = ServerTool(
        server="files",
        tool=f"read{NASTY}",
        name="files__read_1a2b3c4d",
        state="changed",
        digest="ab" * 32,
        effect="read",
        findings=(f"interface.injection: {NASTY}",),
        difference=("--- approved", "+++ offered now", "-description: Read.", f"+description: {NASTY}"),
    )
    memory.mcp.append(ServerInfo("files", "https://files.example/mcp", (made,)))
    return made


def test_a_hostile_manifest_is_shown_and_not_obeyed(operator, tool):
    page = operator.get("/console/servers").text
    assert "<script>" not in page and "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;" in page and "U+202E" in page and "changed: held" in page


def test_an_operator_decides_what_was_shown(operator, memory, tool, csrf):
    address = "/console/servers/files/tools"
    token = csrf(operator.get("/console/servers").text)
    form = {"csrf": token, "tool": tool.name, "digest": tool.digest, "word": "approve"}
    operator.post(address, data=form)
    assert memory.decided == [] and "Read the findings" in operator.get("/console/servers").text
    operator.post(address, data={**form, "digest": "cd" * 32, "despite": "1"})
    assert memory.decided == [] and "changed since" in operator.get("/console/servers").text
    operator.post(address, data={**form, "despite": "1"})
    assert memory.decided == [("files", tool.tool, tool.digest, True)]
    operator.post(address, data={**form, "word": "refuse"})
    assert memory.decided[-1] == ("files", tool.tool, tool.digest, False)
    assert operator.post(address, data={**form, "word": "maybe"}).status_code == 400
    assert operator.post(address, data={**form, "csrf": "no"}).status_code == 403
    assert operator.post("/console/servers/nowhere/tools", data=form).status_code == 404


def test_an_operator_has_a_server_looked_at(operator, memory, tool, csrf):
    token = csrf(operator.get("/console/servers").text)
    operator.post("/console/servers/files/look", data={"csrf": token})
    assert memory.looked == [("files", "olga")]


def test_who_is_no_operator_decides_nothing(customer, memory, tool, csrf):
    token = csrf(customer.get("/chat/assistant").text)
    form = {"csrf": token, "tool": tool.name, "digest": tool.digest, "word": "approve", "despite": "1"}
    assert customer.post("/console/servers/files/tools", data=form).status_code == 403
    assert customer.post("/console/servers/files/look", data={"csrf": token}).status_code == 403
    assert memory.decided == [] and memory.looked == []
