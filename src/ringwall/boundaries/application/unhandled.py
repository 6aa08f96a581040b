"""Arguments that look like code for another system and have no ``handling``: ``ringwall check`` asks of them.

A guess by name, so it decides nothing when the gateway runs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .registry import Manifest
from .settings import Effect

_LOCAL = frozenset({Effect.READ, Effect.WRITE, Effect.DELETE, Effect.EXECUTE})
_SQL = re.compile(r"(?:^|_)sql(?:$|_)")
_MAYBE_SQL = frozenset({"query", "statement", "where"})
_DATABASE = re.compile(r"(?i)\b(?:sql|sqlite|postgres\w{0,5}|mysql|database|table|select)\b")
_PATH = re.compile(r"(?:^|_)(?:path|paths|file|files|filename|filepath|directory|dir|folder)$")
_COMMAND = frozenset({"command", "commands", "cmd", "argv", "shell", "shell_command", "bash", "command_line"})
_HTML = re.compile(r"(?:^|_)html(?:$|_)")


def unhandled(tool: Manifest) -> Iterator[tuple[str, str]]:
    """Argument and kind (``sql``, ``path``, ``command``, ``html``) of each that looks so."""
    properties = tool.parameters.get("properties")
    for name, schema in properties.items() if isinstance(properties, Mapping) else ():
        if name not in tool.settings.handling and _free_text(schema):
            kind = _kind(tool, _words(name))
            if kind:
                yield name, kind


def _kind(tool: Manifest, name: str) -> str:
    if _HTML.search(name):
        return "html"
    if tool.effect not in _LOCAL:
        return ""
    about = f"{tool.name.replace('_', ' ')} {tool.description}"
    if _SQL.search(name) or (name in _MAYBE_SQL and _DATABASE.search(about)):
        return "sql"
    if name in _COMMAND:
        return "command"
    return "path" if _PATH.search(name) else ""


def _words(name: str) -> str:
    """``filePath`` and ``file-path`` as ``file_path``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name[:64]).lower()


def _free_text(schema: Any) -> bool:
    """Whether the schema lets a model write what it likes there."""
    if not isinstance(schema, Mapping) or "enum" in schema or "const" in schema:
        return schema is True
    kind = schema.get("type", "string")
    if kind == "array":
        return _free_text(schema.get("items", True))
    return kind == "string" or (isinstance(kind, list) and "string" in kind)
