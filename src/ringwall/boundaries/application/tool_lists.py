"""Lists of tools in the forms that they come in: OpenAI's, an MCP ``tools/list`` result, a workload file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml

from ringwall.core import ConfigError, Problem

from .effects import Inference, infer
from .registry import read_declaration

MAX_CHARACTERS = 8_000_000
MAX_TOOLS = 10_000


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a list declares it."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)

    def inferred(self) -> Inference:
        return infer(self.name, self.description, self.parameters, self.annotations)


def read_tools(text: str, file: str) -> list[ListedTool]:
    """The tools of a JSON or YAML document. Raises ConfigError where it holds no list of tools."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(Problem("The file is too large for a list of tools.", file))
    declared = _declared(_parsed(text, file))
    if declared is None:
        raise ConfigError(Problem("The file holds no list of tools.", file))
    tools = list(_listed(declared))
    if len(tools) > MAX_TOOLS:
        raise ConfigError(Problem(f"The file lists more than {MAX_TOOLS} tools.", file))
    return tools


def _parsed(text: str, file: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(Problem("The file is not readable as JSON or YAML.", file)) from error


def _declared(document: Any) -> Any:
    """The list, or the mapping by name, wherever the form keeps it."""
    for key in ("result", "application"):  # a JSON-RPC answer, a workload file
        if isinstance(document, Mapping) and isinstance(document.get(key), Mapping):
            document = document[key]
    if isinstance(document, Mapping):
        document = document.get("tools")
    return document if isinstance(document, (list, Mapping)) else None


def _listed(declared: Any) -> Iterator[ListedTool]:
    if isinstance(declared, Mapping):
        pairs = [{**tool, "name": str(name)} for name, tool in declared.items() if isinstance(tool, Mapping)]
        declared = pairs
    for tool in declared:
        if not isinstance(tool, Mapping):
            continue
        name, description, parameters = read_declaration(tool)
        annotations = tool.get("annotations")
        yield ListedTool(
            name,
            description,
            parameters if isinstance(parameters, Mapping) else {},
            annotations if isinstance(annotations, Mapping) else {},
        )
