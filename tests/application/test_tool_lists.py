"""Lists of tools in every form that they come in."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.application.tool_lists import read_tools
from ringwall.core import ConfigError

PARAMETERS = {"type": "object", "properties": {"to": {"type": "string"}}}
PLAIN = {"name": "send_note", "description": "Sends a note.", "parameters": PARAMETERS}
MCP = {"name": "send_note", "description": "Sends a note.", "inputSchema": PARAMETERS}
IN_WORKLOAD = {"description": "Sends a note.", "parameters": PARAMETERS, "effect": "send"}


@pytest.mark.parametrize(
    "document",
    [
        [{"type": "function", "function": PLAIN}],
        {"tools": [{"type": "function", "function": PLAIN}]},
        [{"type": "function", **PLAIN}],
        {"tools": [MCP]},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [MCP]}},
        {"workload": "shop", "application": {"tools": {"send_note": IN_WORKLOAD}}},
    ],
)
def test_every_form_gives_the_same_tool(document: Any) -> None:
    for text in (json.dumps(document, indent="\t"), yaml.safe_dump(document)):
        (tool,) = read_tools(text, "tools")
        assert (tool.name, tool.description, tool.parameters) == ("send_note", "Sends a note.", PARAMETERS)
        assert tool.inferred().target == ("to",)


@pytest.mark.parametrize(
    "text", ["", "7", "{}", "[1", '{"tools": 3}', "- &a [*a", "a: !!python/name:os.system"]
)
def test_what_is_no_list_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ConfigError):
        read_tools(text, "tools")


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["tools", "result", "application", "name", "function", "inputSchema"]), inner
            )
        ),
    ).map(json.dumps)
)
def test_hostile_lists_are_read_or_refused(text: str) -> None:
    try:
        tools = read_tools(text, "tools")
    except ConfigError:
        return
    for tool in tools:
        tool.inferred()
