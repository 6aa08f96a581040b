"""A Python function as a tool: its parameters as a JSON Schema, its arguments as JSON and back."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ringwall.core import ConfigError, Problem

FILLED = frozenset({"principal", "egress"})
"""Parameters that a tool is given here as in the gateway: for whom it works, and its way out."""
_REST, _KEYWORDS = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
_JSON = (str, int, float, list, tuple, dict)
"""What a model could have written: such a value is judged, whoever should have given it."""
_VERBATIM = frozenset({"default", "const", "enum", "examples"})
_LEAVES = (str, int, float, bool, type(None))
_DEPTH = 24
"""Levels of nested models; a deeper schema, or one without end, is refused."""


@dataclass(frozen=True)
class Shape:
    """What can be told from a function's signature."""

    name: str
    signature: inspect.Signature
    """For those who call it: without what is filled in. With type hints resolved, so that it
    stands without the function's module."""
    full: inspect.Signature
    """The function's own."""
    given: frozenset[str]
    """Parameters that the program fills in with objects of its own: they are not judged."""

    @classmethod
    def of(cls, function: Callable[..., Any], name: str, given: frozenset[str]) -> "Shape":
        """Raises ConfigError for type hints that can't be resolved and for unknown names in ``given``."""
        try:
            signature = inspect.signature(function)
            hints = typing.get_type_hints(_annotated(function), include_extras=True)
        except (TypeError, ValueError, NameError) as error:
            raise ConfigError(Problem(f"the signature of {name} can't be read: {error}")) from error
        unknown = given - set(signature.parameters)
        if unknown:
            raise ConfigError(Problem(f"{name} has no parameter {min(unknown)!r}, which `given` names"))
        parameters = [
            parameter.replace(annotation=hints.get(parameter.name, parameter.annotation))
            for parameter in signature.parameters.values()
        ]
        full = signature.replace(parameters=parameters, return_annotation=str)
        asked = [one for one in parameters if one.name not in FILLED - given]
        return cls(name, full.replace(parameters=asked), full, given)

    @property
    def fills(self) -> frozenset[str]:
        """Parameters that are filled in at each call."""
        return frozenset(self.full.parameters.keys() - self.signature.parameters.keys())

    @property
    def asked(self) -> list[inspect.Parameter]:
        """Parameters that the model fills in."""
        return [one for one in self.signature.parameters.values() if one.name not in self.given]

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments. Raises ConfigError for a type that has none."""
        fields: dict[str, Any] = {}
        for number, one in enumerate(self.asked):
            if one.kind is _KEYWORDS:
                continue
            hint = _hint(one)
            default = ... if one.default is one.empty else one.default
            if one.kind is _REST:
                hint, default = list[hint], ()  # type: ignore[valid-type]
            fields[f"p{number}"] = (hint, Field(default, alias=one.name))
        extra: typing.Literal["allow", "forbid"] = "allow" if self._keywords else "forbid"
        try:
            model: type[BaseModel] = create_model(
                "Arguments", __config__=ConfigDict(extra=extra, arbitrary_types_allowed=False), **fields
            )
            made = model.model_json_schema()
        except PydanticUserError as error:
            why = f"{self.name} has a parameter without a JSON form: `given` names what the program fills in"
            raise ConfigError(Problem(f"{why}: {str(error).splitlines()[0]}")) from error
        definitions = made.pop("$defs", {})
        inlined: dict[str, Any] = self._inlined(made, definitions, 0)
        return inlined

    def _inlined(self, schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
        """Without references: each argument's own facts stand where they are looked up."""
        if depth > _DEPTH:
            raise ConfigError(Problem(f"{self.name} takes arguments that are nested without end"))
        if isinstance(schema, list):
            return [self._inlined(item, definitions, depth + 1) for item in schema]
        if not isinstance(schema, dict):
            return schema
        made = dict(schema)
        reference = made.pop("$ref", "")
        if reference:
            made = {**definitions[reference.rpartition("/")[2]], **made}
        made.pop("title", None)
        for key in made.keys() - _VERBATIM:
            value = made[key]
            named = key == "properties" and isinstance(value, dict)
            made[key] = (
                {name: self._inlined(inner, definitions, depth + 1) for name, inner in value.items()}
                if named
                else self._inlined(value, definitions, depth + 1)
            )
        return made

    @property
    def _keywords(self) -> str:
        """Name of the parameter that takes any keyword."""
        return next((one.name for one in self.asked if one.kind is _KEYWORDS), "")

    def named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The judged arguments by name. Raises TypeError where Python would."""
        values = by_name(self.signature.bind(*args, **kwargs), self.full.parameters)
        for name in self.given & values.keys():
            if values[name] is None or not isinstance(values[name], _JSON):
                del values[name]
        return values

    def bound(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        arguments: Mapping[str, Any],
        filled: Mapping[str, Any],
    ) -> inspect.BoundArguments:
        """The function's call with these judged arguments. What is no plain JSON is made anew from what was
        judged: an object may hold more than its JSON says. Raises ValueError where its type can't."""
        bound = self.signature.bind(*args, **kwargs)
        given = self.named(args, kwargs)
        before = plain(given)
        keywords = bound.arguments.get(self._keywords, {}) if self._keywords else {}
        for name in before.keys() - arguments.keys():
            (keywords if name in keywords else bound.arguments).pop(name)
        for name, value in arguments.items():
            if name in before and same(before[name], value) and is_plain(given[name]):
                continue
            one = self.signature.parameters.get(name)
            if one is None or name == self._keywords or name in self.given:
                keywords[name] = value
            elif one.kind is _REST:
                bound.arguments[name] = tuple(self._read(one, item) for item in value)
            else:
                bound.arguments[name] = self._read(one, value)
        if keywords:
            bound.arguments[self._keywords] = keywords
        values = {**bound.arguments, **{name: filled[name] for name in self.fills}}
        return inspect.BoundArguments(
            self.full, {name: values[name] for name in self.full.parameters if name in values}
        )

    @cached_property
    def _readers(self) -> dict[str, TypeAdapter[Any]]:
        return {}

    def _read(self, parameter: inspect.Parameter, value: Any) -> Any:
        if parameter.name not in self._readers:
            self._readers[parameter.name] = TypeAdapter(_hint(parameter))
        return self._readers[parameter.name].validate_python(value)


def by_name(bound: inspect.BoundArguments, taken: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """The arguments with those of ``**keywords`` among them. Raises TypeError for a keyword that has the name
    of a parameter: one of the two would hide the other."""
    values: dict[str, Any] = {}
    keywords: Mapping[str, Any] = {}
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is _KEYWORDS:
            keywords = value
        else:
            values[name] = value
    hidden = keywords.keys() & taken.keys()
    if hidden:
        raise TypeError(f"got an unexpected keyword argument {min(hidden)!r}")
    return {**values, **keywords}


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: ``True`` is not ``1``. Both are JSON."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def is_plain(value: Any) -> bool:
    """Whether it is JSON already, to the last leaf."""
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(type(key) is str and is_plain(inner) for key, inner in value.items())
    return type(value) in _LEAVES


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain JSON. Raises TypeError for what has no such form."""
    try:
        made: dict[str, Any] = to_jsonable_python(dict(arguments), bytes_mode="base64")
    except (PydanticSerializationError, ValueError) as error:
        raise TypeError(f"the arguments have no JSON form: {error}") from error
    return made


def as_json(arguments: Mapping[str, Any]) -> str:
    """The JSON text that is judged. What JSON doesn't know (NaN) stays in it, and is refused there."""
    return json.dumps(plain(arguments))


def _hint(parameter: inspect.Parameter) -> Any:
    return Any if parameter.annotation is parameter.empty else parameter.annotation


def _annotated(function: Callable[..., Any]) -> Any:
    """Where the hints are: in the function under a partial, in ``__call__`` of an object."""
    while hasattr(function, "func"):
        function = function.func
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__


def annotations_of(signature: inspect.Signature) -> dict[str, Any]:
    """For a wrapper with this signature."""
    hints = {one.name: one.annotation for one in signature.parameters.values()}
    named = {name: hint for name, hint in hints.items() if hint is not inspect.Parameter.empty}
    return {**named, "return": str}
