"""One form for JSON Schemas that mean the same, so that what an SDK adds is not taken for a change.

Forgiven, because it changes no value's validity or only narrows what we check ourselves anyway: ``title``,
``$schema``, ``strict``, order of keys, of ``required``, ``enum`` and lists of types, a ``required`` that is
empty, blank space in descriptions, and ``additionalProperties`` where it is absent or false (arguments are
checked against the *pinned* schema). Everything else counts, the
descriptions of parameters included: models read them.
"""

import json
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 24
_DROPPED = frozenset({"title", "$schema", "strict"})
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_SETS = frozenset({"required", "enum", "type"})
_VERBATIM = frozenset({"default", "const", "examples"})


def form_text(schema: Mapping[str, Any]) -> str:
    """Equal texts mean equal schemas. Raises ValueError for what is too deep or no JSON."""
    try:
        return json.dumps(normal_form(schema), sort_keys=True)
    except (TypeError, RecursionError) as error:
        raise ValueError("the schema is no plain JSON, or too deep") from error


def normal_form(schema: Any, depth: int = 0) -> Any:
    """The comparable form of a schema. Raises ValueError when it is nested deeper than ``MAX_DEPTH``."""
    if depth > MAX_DEPTH:
        raise ValueError(f"the schema is nested deeper than {MAX_DEPTH} levels")
    if isinstance(schema, Mapping):
        made = {}
        for key, value in schema.items():
            if key in _DROPPED or _says_nothing(key, value):
                continue
            made[str(key)] = _keyword(str(key), value, depth)
        if depth == 0:
            made.setdefault("type", "object")
            made.setdefault("properties", {})
        return made
    if isinstance(schema, (list, tuple)):
        return [normal_form(item, depth + 1) for item in schema]
    return schema


def _keyword(key: str, value: Any, depth: int) -> Any:
    if key in _NAMED and isinstance(value, Mapping):
        return {str(name): normal_form(inner, depth + 1) for name, inner in value.items()}
    if key in _SETS and isinstance(value, (list, tuple)):
        items = sorted(value, key=_order)
        return items[0] if key == "type" and len(items) == 1 else items
    if key == "description" and isinstance(value, str):
        return " ".join(value.split())
    if key in _VERBATIM:
        return value
    return normal_form(value, depth + 1)


def _order(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return repr(type(value))


def _says_nothing(key: str, value: Any) -> bool:
    if key == "required":
        return isinstance(value, (list, tuple)) and not value
    if key == "additionalProperties":
        return isinstance(value, bool) and not value
    return key == "description" and value == ""


def closed(schema: Any, depth: int = 0) -> Any:
    """The schema with objects that list their properties closed to others, unless it says otherwise.

    An argument that no manifest describes can't be governed, so it is refused.
    """
    if depth > MAX_DEPTH or not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            made[key] = {name: closed(inner, depth + 1) for name, inner in value.items()}
        elif key in ("items", "prefixItems", "additionalProperties"):
            made[key] = (
                [closed(i, depth + 1) for i in value] if isinstance(value, list) else closed(value, depth + 1)
            )
        else:
            made[key] = value
    if "properties" in made and _OPENING.isdisjoint(made):
        made["additionalProperties"] = False
    return made


_OPENING = frozenset(
    {
        "additionalProperties",
        "patternProperties",
        "unevaluatedProperties",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
    }
)
