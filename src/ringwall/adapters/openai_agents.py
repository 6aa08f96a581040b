"""OpenAI Agents SDK: function tools behind the gate.

    from ringwall.adapters.openai_agents import guard

    agent = Agent(name="support", tools=[guard(wall, lookup_order), guard(wall, send_email)])
    with wall.session(principal) as session:
        result = await Runner.run(agent, await session.auser(message))
        answer = await session.aanswer(result.final_output)

The tool itself is wrapped, rather than given tool guardrails: the SDK runs those side by side with others,
leaves them out where a tool is invoked directly, and lets no guardrail change the arguments.
"""

import copy
import inspect
import json
from collections.abc import Mapping
from typing import Any, Unpack

from ringwall.core import ConfigError, Problem
from ringwall.inprocess import Ringwall
from ringwall.inprocess.refusal import NO_TEXT
from ringwall.inprocess.tool import Facts, OnRefusal

from .missing import missing

try:
    from agents import AgentBase, FunctionTool, RunContextWrapper
    from agents.tool import ToolOutputText
    from agents.tool_context import ToolContext
except ImportError as error:
    raise missing("openai-agents", "openai-agents") from error


def guard(
    wall: Ringwall, tool: FunctionTool, *, on_refusal: OnRefusal = "return", **facts: Unpack[Facts]
) -> FunctionTool:
    """A copy of the tool whose calls are judged for the principal of the current session, and which is
    enabled only for those who may use it.

    What the SDK tells a model of it must be what the workload file pins; a tool that is not in the file
    needs its ``effect``. Raises ConfigError otherwise, and for a tool with an output schema, which a refusal
    would not keep to.
    """
    declaration = {"name": tool.name, "description": tool.description, "parameters": tool.params_json_schema}
    if tool.output_json_schema is not None:
        raise ConfigError(Problem(f"{tool.name} has an output schema: a guarded tool answers with text"))
    wall.declare(declaration, facts)
    invoke_unguarded, enabled = tool.on_invoke_tool, tool.is_enabled

    async def invoke(context: ToolContext[Any], arguments: str) -> str:
        async def run(granted: Mapping[str, Any]) -> Any:
            return _text(await invoke_unguarded(context, json.dumps(granted)))

        session = wall.current(tool.name)
        return await session.acall(tool.name, arguments, run, on_refusal=on_refusal)

    async def offered(context: RunContextWrapper[Any], agent: AgentBase[Any]) -> bool:
        on = enabled(context, agent) if callable(enabled) else enabled
        if not (await on if inspect.isawaitable(on) else on):
            return False
        return bool(await wall.current(tool.name).aoffer([declaration]))

    guarded = copy.copy(tool)
    guarded.on_invoke_tool, guarded.is_enabled = invoke, offered
    return guarded


def _text(output: Any) -> Any:
    """What the SDK would send, as text: pictures and files carry what no control here reads."""
    if isinstance(output, ToolOutputText):
        return output.text
    if isinstance(output, list):
        return "\n".join(str(_text(item)) for item in output) if output and _typed(output[0]) else output
    if isinstance(output, Mapping) and output.get("type") == "text" and isinstance(output.get("text"), str):
        return output["text"]
    return NO_TEXT if _typed(output) else output


def _typed(output: Any) -> bool:
    kind = output.get("type") if isinstance(output, Mapping) else getattr(output, "type", None)
    return kind in ("text", "image", "file")
