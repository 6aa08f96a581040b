"""The server that the protocol's conformance suite asks for, over standard input and output."""

import anyio
import mcp_types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
NOTHING = {"type": "object", "properties": {}}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}
DEFAULTS = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}


def _titled(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"const": const, "title": title} for const, title in pairs]


_TITLED = _titled(("value1", "First Option"), ("value2", "Second Option"), ("value3", "Third Option"))
ENUMS = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": _TITLED},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {
            "type": "array",
            "items": {"type": "string", "enum": ["option1", "option2", "option3"]},
        },
        "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
    },
}
_SAID = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
_ASKED = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
TOOLS = {
    "test_simple_text": NOTHING,
    "test_image_content": NOTHING,
    "test_audio_content": NOTHING,
    "test_embedded_resource": NOTHING,
    "test_multiple_content_types": NOTHING,
    "test_tool_with_logging": NOTHING,
    "test_error_handling": NOTHING,
    "test_tool_with_progress": NOTHING,
    "test_sampling": _SAID,
    "test_elicitation": _ASKED,
    "test_elicitation_sep1034_defaults": NOTHING,
    "test_elicitation_sep1330_enums": NOTHING,
    "json_schema_2020_12_tool": SCHEMA,
}


def _text(said: str) -> types.TextContent:
    return types.TextContent(type="text", text=said)


def _resource(uri: str, said: str) -> types.EmbeddedResource:
    held = types.TextResourceContents(uri=uri, mime_type="text/plain", text=said)
    return types.EmbeddedResource(type="resource", resource=held)


async def _list(context: object, params: object) -> types.ListToolsResult:
    return types.ListToolsResult(
        tools=[
            types.Tool(name=name, description=f"Returns what {name} shows.", input_schema=schema)
            for name, schema in TOOLS.items()
        ]
    )


async def _call(context, params) -> types.CallToolResult:  # type: ignore[no-untyped-def]
    name, arguments = params.name, params.arguments or {}
    picture = types.ImageContent(type="image", data=PNG, mime_type="image/png")
    fixed = {
        "test_simple_text": [_text("This is a simple text response for testing.")],
        "test_image_content": [picture],
        "test_audio_content": [types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")],
        "test_embedded_resource": [_resource("test://embedded-resource", "An embedded resource.")],
        "test_multiple_content_types": [
            _text("Multiple content types test:"),
            picture,
            _resource("test://mixed", "{}"),
        ],
        "test_tool_with_logging": [_text("Logged.")],
        "json_schema_2020_12_tool": [_text("Ok.")],
    }
    if name in fixed:
        return types.CallToolResult(content=fixed[name])
    if name == "test_error_handling":
        return types.CallToolResult(
            content=[_text("This tool intentionally returns an error")], is_error=True
        )
    if name == "test_tool_with_progress":
        for done in (0, 50, 100):
            await context.session.report_progress(done, 100)
            await anyio.sleep(0.05)
        return types.CallToolResult(content=[_text("Done.")])
    if name == "test_sampling":
        message = types.SamplingMessage(role="user", content=_text(arguments["prompt"]))
        answer = await context.session.create_message(
            [message], max_tokens=100, related_request_id=context.request_id
        )
        return types.CallToolResult(content=[_text(f"LLM response: {answer.content.text}")])
    schemas = {"test_elicitation_sep1034_defaults": DEFAULTS, "test_elicitation_sep1330_enums": ENUMS}
    answered = {"type": "object", "properties": {"response": {"type": "string"}}, "required": ["response"]}
    given = await context.session.elicit_form(
        arguments.get("message", "Please answer"), schemas.get(name, answered), context.request_id
    )
    return types.CallToolResult(
        content=[_text(f"Elicitation completed: action={given.action}, content={given.content}")]
    )


async def main() -> None:
    server = Server("everything", on_list_tools=_list, on_call_tool=_call)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
