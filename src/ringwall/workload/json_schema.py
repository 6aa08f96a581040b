"""The published JSON Schema of ``ringwall.yaml``, with the settings of every installed control."""

from typing import Any

from .catalogue import catalogue
from .schema import Workload

_COMMON = {
    "mode": {"enum": ["enforce", "monitor"], "description": "enforce, or monitor: record only."},
    "required": {
        "type": "boolean",
        "default": False,
        "description": "Refuse to start where traffic of its kind passes that it can't see.",
    },
}


def workload_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12."""
    schema = Workload.model_json_schema()
    definitions = schema["$defs"]
    blocks = {name: _block(factory.settings) for name, factory in catalogue().factories.items()}
    for name, block in blocks.items():
        for inner, definition in block.pop("$defs", {}).items():
            definitions.setdefault(inner, definition)
        definitions[f"control:{name}"] = block
    for section in ("Interface", "Application", "Model", "Data", "Organization"):
        mine = [name for name in blocks if name.startswith(section.lower() + ".")]
        definitions[f"{section}Section"]["properties"]["controls"] = _controls(mine)
    definitions["ApplicationSettings"]["properties"]["controls"] = _controls(list(blocks))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Ringwall workload", **schema}


def _block(settings: Any) -> dict[str, Any]:
    block: dict[str, Any] = settings.model_json_schema()
    block["properties"] = {**_COMMON, **block.get("properties", {})}
    return block


def _controls(names: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Settings of single controls, by control id.",
        "properties": {name: {"$ref": f"#/$defs/control:{name}"} for name in names},
        "additionalProperties": False,
    }
