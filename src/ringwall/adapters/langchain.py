"""LangChain and LangGraph: tools behind the gate.

from ringwall.adapters.langchain import guard, offer

tools = [guard(wall, lookup_order), guard(wall, send_email)]
with wall.session(principal) as session:
    agent = create_agent(model, offer(session, tools))
    state = agent.invoke({"messages": [("user", session.user(message))]})
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from pydantic import TypeAdapter

from ringwall.core import ConfigError, Problem
from ringwall.inprocess import Ringwall, Session
from ringwall.inprocess.refusal import NO_TEXT
from ringwall.inprocess.signature import Shape, annotations_of, as_json, by_name, is_plain, same
from ringwall.inprocess.tool import Facts, OnRefusal

from .missing import missing

try:
    from langchain_core.messages import ToolMessage
    from langchain_core.tools import BaseTool, StructuredTool, Tool
    from langchain_core.utils.function_calling import convert_to_openai_tool
except ImportError as error:
    raise missing("langchain-core", "langchain") from error


def guard(
    wall: Ringwall, tool: BaseTool, *, on_refusal: OnRefusal = "return", **facts: Unpack[Facts]
) -> StructuredTool:
    """A tool of the same name and arguments whose calls are judged for the principal of the current session.

    Arguments that LangChain injects (state, store, configuration) are not judged. What a model is told of
    the tool must be what the workload file pins; a tool that is not in the file needs its ``effect``. Raises
    ConfigError otherwise, and for a tool of one plain string (``Tool``).
    """
    if isinstance(tool, Tool):
        raise ConfigError(Problem(f"{tool.name} takes one plain string: make it with @tool"))
    declaration = _declaration(tool)
    wall.declare(declaration, facts)
    asked = frozenset(declaration["parameters"].get("properties", {}))
    pair = tool.response_format == "content_and_artifact"
    func, coroutine = _functions(tool)
    changes: dict[str, Any] = {
        "func": func and _sync(wall, _Arguments(tool, func, asked), pair, on_refusal),
        "coroutine": coroutine and _async(wall, _Arguments(tool, coroutine, asked), pair, on_refusal),
    }
    if isinstance(tool, StructuredTool):
        return tool.model_copy(update=changes)
    kept = {name: getattr(tool, name) for name in BaseTool.model_fields if name in tool.model_fields_set}
    schema = tool.args_schema or tool.get_input_schema()
    basics = {"name": tool.name, "description": tool.description, "args_schema": schema}
    return StructuredTool(**{**kept, **basics, **changes})


def offer(session: Session, tools: Sequence[BaseTool]) -> list[BaseTool]:
    """Those that the principal of the session may be offered, for the agent or for ``bind_tools``."""
    declared = [_declaration(tool) for tool in tools]
    kept = session.offer(declared)
    return [tool for tool, one in zip(tools, declared, strict=True) if any(one is left for left in kept)]


def _declaration(tool: BaseTool) -> dict[str, Any]:
    function: dict[str, Any] = convert_to_openai_tool(tool)["function"]
    return {"description": "", "parameters": {"type": "object", "properties": {}}, **function}


def _functions(tool: BaseTool) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    if isinstance(tool, StructuredTool):
        return tool.func, tool.coroutine
    own = type(tool)._arun is not BaseTool._arun
    return tool._run, tool._arun if own else None


def _sync(wall: Ringwall, arguments: "_Arguments", pair: bool, on: OnRefusal) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        made = _Call(pair)

        def run(granted: Mapping[str, Any]) -> Any:
            return made.text(arguments.function(**injected, **arguments.read(judged, granted)))

        judged, injected = arguments.apart(args, kwargs)
        return made.told(
            wall.current(arguments.tool).call(arguments.tool, as_json(judged), run, on_refusal=on)
        )

    return arguments.dressed(call)


def _async(wall: Ringwall, arguments: "_Arguments", pair: bool, on: OnRefusal) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        made = _Call(pair)

        async def run(granted: Mapping[str, Any]) -> Any:
            return made.text(await arguments.function(**injected, **arguments.read(judged, granted)))

        judged, injected = arguments.apart(args, kwargs)
        session = wall.current(arguments.tool)
        return made.told(await session.acall(arguments.tool, as_json(judged), run, on_refusal=on))

    return arguments.dressed(call)


class _Arguments:
    """What a tool's function is called with: from the model, and from LangChain."""

    def __init__(self, tool: BaseTool, function: Callable[..., Any], asked: frozenset[str]) -> None:
        """``asked``: what models are told of."""
        self.tool = tool.name
        self.function = function
        self._signature = Shape.of(function, tool.name, frozenset()).full
        self._injected = self._signature.parameters.keys() - asked
        schema = tool.args_schema
        self._fields = (
            {} if isinstance(schema, dict) else getattr(schema or tool.get_input_schema(), "model_fields", {})
        )

    def apart(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is judged, and what is injected: all that the function takes and no model is told of."""
        named = by_name(self._signature.bind(*args, **kwargs), self._signature.parameters)
        injected = {name: value for name, value in named.items() if name in self._injected}
        return {name: value for name, value in named.items() if name not in injected}, injected

    def read(self, judged: Mapping[str, Any], granted: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments to call it with. What is no plain JSON is made anew from what was judged."""
        return {
            name: judged[name]
            if name in judged and is_plain(judged[name]) and same(judged[name], value)
            else self._typed(name, value)
            for name, value in granted.items()
        }

    def _typed(self, name: str, value: Any) -> Any:
        field = self._fields.get(name)
        return value if field is None else TypeAdapter(field.annotation).validate_python(value)

    def dressed(self, call: Any) -> Callable[..., Any]:
        """As LangChain looks at functions: by signature and hints, to inject what they ask for."""
        made: Any = functools.wraps(self.function, updated=())(call)
        del made.__wrapped__
        made.__signature__ = self._signature
        made.__annotations__ = annotations_of(self._signature)
        dressed: Callable[..., Any] = made
        return dressed


class _Call:
    """One call's result, split into what the model is told and what the program keeps."""

    def __init__(self, pair: bool) -> None:
        self._pair = pair
        self._artifact: Any = None

    def text(self, result: Any) -> Any:
        if self._pair:
            result, self._artifact = result
        if isinstance(result, ToolMessage):
            result = result.content
        if isinstance(result, list) and any(isinstance(item, Mapping) and "type" in item for item in result):
            return "\n".join(_block(item) for item in result)
        return NO_TEXT if hasattr(result, "update") and hasattr(result, "goto") else result

    def told(self, text: str) -> Any:
        return (text, self._artifact) if self._pair else text


def _block(item: Any) -> str:
    if isinstance(item, str):
        return item
    text = item.get("text") if isinstance(item, Mapping) and item.get("type") == "text" else None
    return text if isinstance(text, str) else NO_TEXT
