"""JSON Schemas that answers are held to: compiled where checking by them is bounded, refused elsewhere."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

MAX_SCHEMA = 65_536
"""Characters of a schema as JSON."""
_MAX_DEPTH = 64
_MAX_PLACES = 20_000
"""Subschemas that one value may meet, references followed: alternatives that double at each step explode."""
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "dependentSchemas")
_SHOWN = 160


class UnusableSchema(ValueError):
    """Says why, for whoever wrote the schema."""


class AnswerSchema:
    """One schema; ``None`` takes any JSON object."""

    def __init__(self, schema: Any) -> None:
        self._validator: jsonschema_rs.Draft202012Validator | None = None
        if schema is None:
            return
        try:
            size = len(json.dumps(schema))
        except (TypeError, ValueError, RecursionError):
            raise UnusableSchema("the schema is no plain JSON") from None
        if size > MAX_SCHEMA:
            raise UnusableSchema(f"the schema is longer than {MAX_SCHEMA} characters")
        _Walk(schema).place(schema, (), 0)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                schema,
                validate_formats=True,
                retriever=_no_retrieval,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UnusableSchema(first[:_SHOWN]) from None

    def problem(self, text: str) -> tuple[str, str]:
        """Rule and sentence of the first mistake; empty when the answer fits. It quotes no value."""
        if _nesting(text) > _MAX_DEPTH:
            return "json", f"it is nested deeper than {_MAX_DEPTH} levels"
        try:
            data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return "json", "it is not valid JSON"
        if self._validator is None:
            return ("", "") if isinstance(data, dict) else ("json", "it is not a JSON object")
        for error in self._validator.iter_errors(data):
            rule = "/".join(str(step)[:40] for step in error.schema_path)[:_SHOWN]
            return "schema", f"it does not keep to {rule or 'the schema'}"
        return "", ""


class _Walk:
    """All that one value can meet, references followed."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = _MAX_PLACES

    def place(self, schema: Any, here: tuple[int, ...], depth: int) -> None:
        """``here``: schemas that look at the same value as this one."""
        self._left -= 1
        if self._left < 0 or depth > 4 * _MAX_DEPTH:
            raise UnusableSchema("the schema has too many alternatives, or is too deep")
        if not isinstance(schema, Mapping):
            return
        if id(schema) in here:
            raise UnusableSchema("the schema refers to itself without going into the value")
        here = (*here, id(schema))
        for key in _IN_PLACE:
            for inner in self._inner(key, schema.get(key)):
                self.place(inner, here, depth + 1)

    def _inner(self, key: str, value: Any) -> list[Any]:
        if key == "$ref":
            return [self._target(value)]
        if isinstance(value, Mapping) and key == "dependentSchemas":
            return list(value.values())
        return list(value) if isinstance(value, (list, tuple)) else [value]

    def _target(self, ref: Any) -> Any:
        if ref is None:
            return None
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise UnusableSchema("the schema refers to another document")
        found = self._root
        for step in filter(None, ref[1:].split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(key)
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                return None
        return found


def _no_retrieval(_uri: str) -> Any:
    raise ValueError("the schema refers to another document")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_constant(_name: str) -> Any:
    raise ValueError("no JSON number")


def _nesting(text: str) -> int:
    """Deepest nesting of brackets, those inside strings included: never less than the JSON's own."""
    depth = deepest = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest
