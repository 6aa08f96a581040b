"""JSON Schema of a tool's arguments as Cedar types, and values turned to fit them.

| JSON Schema | Cedar |
|---|---|
| string, enum or const of strings | String |
| integer | Long |
| number | decimal, four places, rounded away from zero: a limit holds for 50.00001 as for 50.0001 |
| boolean | Boolean |
| array | Set of the type of its items |
| object with ``properties`` | Record; optional where not required or where it may be null |
| anything else | String that holds the canonical JSON (a string stays as it is) |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any

from ringwall.cedar import plain

from .strict_json import canonical

MAX_DEPTH = 8
"""Objects nested deeper are given to policies as JSON text."""
_LONG = 2**63
_DECIMAL = Decimal(922337203685477)
_PLACES = Decimal("0.0001")


class Unfit(ValueError):
    """A value that its declared type can't hold; the message names no value."""


@dataclass(frozen=True, slots=True)
class Text:
    def schema(self) -> dict[str, Any]:
        return {"type": "String"}

    def value(self, given: Any) -> Any:
        return plain(given if isinstance(given, str) else canonical(given))


@dataclass(frozen=True, slots=True)
class Whole:
    def schema(self) -> dict[str, Any]:
        return {"type": "Long"}

    def value(self, given: Any) -> Any:
        if isinstance(given, bool) or not isinstance(given, (int, float)) or given != int(given):
            raise Unfit("a whole number was declared")
        if not -_LONG <= given < _LONG:
            raise Unfit("a number is out of range")
        return int(given)


@dataclass(frozen=True, slots=True)
class Number:
    def schema(self) -> dict[str, Any]:
        return {"type": "Extension", "name": "decimal"}

    def value(self, given: Any) -> Any:
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            raise Unfit("a number was declared")
        try:
            exact = Decimal(str(given)).quantize(_PLACES, rounding=ROUND_UP)
        except InvalidOperation:
            raise Unfit("a number is out of range") from None
        if abs(exact) > _DECIMAL:
            raise Unfit("a number is out of range")
        return {"__extn": {"fn": "decimal", "arg": f"{exact:f}"}}


@dataclass(frozen=True, slots=True)
class Flag:
    def schema(self) -> dict[str, Any]:
        return {"type": "Boolean"}

    def value(self, given: Any) -> Any:
        if not isinstance(given, bool):
            raise Unfit("true or false was declared")
        return given


@dataclass(frozen=True, slots=True)
class Many:
    item: "CedarType"

    def schema(self) -> dict[str, Any]:
        return {"type": "Set", "element": self.item.schema()}

    def value(self, given: Any) -> Any:
        if not isinstance(given, (list, tuple)):
            raise Unfit("a list was declared")
        return [self.item.value(inner) for inner in given]


@dataclass(frozen=True, slots=True)
class Fields:
    fields: Mapping[str, "CedarType"]
    required: frozenset[str]

    def schema(self) -> dict[str, Any]:
        return {
            "type": "Record",
            "attributes": {
                name: {**kind.schema(), "required": name in self.required}
                for name, kind in self.fields.items()
            },
        }

    def value(self, given: Any) -> Any:
        """Null reads as absent. Fields that were not declared are left out: policies can't name them."""
        if not isinstance(given, Mapping):
            raise Unfit("an object was declared")
        made = {n: kind.value(given[n]) for n, kind in self.fields.items() if given.get(n) is not None}
        if not self.required <= made.keys():
            raise Unfit("a required value is missing")
        return made


CedarType = Text | Whole | Number | Flag | Many | Fields
_SIMPLE: Mapping[str, CedarType] = {
    "string": Text(),
    "integer": Whole(),
    "number": Number(),
    "boolean": Flag(),
}


def cedar_type(schema: Any, depth: int = 0) -> CedarType:
    """The Cedar type of a JSON Schema."""
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return Text()
    name = _type_name(schema)
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name == "array":
        return Many(cedar_type(schema.get("items"), depth + 1))
    if name == "object" and isinstance(schema.get("properties"), Mapping) and schema["properties"]:
        return arguments_type(schema, depth)
    return Text()


def arguments_type(schema: Mapping[str, Any], depth: int = 0) -> Fields:
    """The record of an object's declared properties."""
    properties = schema.get("properties") or {}
    required = schema.get("required") or ()
    fields = {str(name): cedar_type(inner, depth + 1) for name, inner in properties.items()}
    sure = frozenset(name for name in required if name in fields and not _nullable(properties[name]))
    return Fields(fields, sure)


def _type_name(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        real = [name for name in declared if name != "null"]
        declared = real[0] if len(real) == 1 else ""
    return declared if isinstance(declared, str) else ""


def _nullable(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return True
    if _type_name(schema) == "":
        return True
    return isinstance(schema.get("type"), list) and "null" in schema["type"]
