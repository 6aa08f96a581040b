"""Arguments of a tool call, read strictly.

Two readers of one JSON text may disagree (repeated keys, NaN, huge numbers, lone surrogates); what a policy
approved must be what the tool gets. So the text is read here once, what is ambiguous is refused, and the
canonical form is what travels on.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn

MAX_CHARACTERS = 262_144
MAX_DEPTH = 16
MAX_VALUES = 4_096
MAX_INTEGER = 2**63 - 1
_MAX_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Arguments:
    """``problem`` is empty when the text was readable; else it says what is wrong, for the model to mend."""

    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    text: str = "{}"
    """Canonical JSON; the text as it came when there is a problem."""
    problem: str = ""


class NotStrict(ValueError):
    """Says in words what is wrong with a text."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a text may be at most. ``what`` it is called in words, in the plural."""

    what: str = "the arguments"
    characters: int = MAX_CHARACTERS
    depth: int = MAX_DEPTH
    values: int = MAX_VALUES


def read_strictly(raw: str, bounds: Bounds) -> Any:
    """The value of a JSON text that every reader understands alike. Raises NotStrict."""
    what = bounds.what
    if len(raw) > bounds.characters:
        raise NotStrict(f"{what} are longer than {bounds.characters} characters")
    if _nesting(raw) > bounds.depth:
        raise NotStrict(f"{what} are nested deeper than {bounds.depth} levels")
    try:
        data = _DECODER.decode(raw)
    except json.JSONDecodeError as error:
        raise NotStrict(f"{what} are not valid JSON: {error.msg} at {error.pos}") from None
    except _Ambiguous as refused:
        raise NotStrict(str(refused).replace("{what}", what)) from None
    except (ValueError, RecursionError):
        raise NotStrict(f"{what} are not valid JSON") from None
    _bounded(data, bounds)
    return data


class _Ambiguous(ValueError):
    pass


def read_arguments(raw: str) -> Arguments:
    """Parse the arguments that a model wrote. Empty text means no arguments. Never raises."""
    if len(raw) <= MAX_CHARACTERS and not raw.strip():
        return Arguments({}, "{}")
    try:
        data = read_strictly(raw, _ARGUMENTS)
    except NotStrict as refused:
        return Arguments(text=raw, problem=str(refused))
    if not isinstance(data, dict):
        return Arguments(text=raw, problem="the arguments must be a JSON object")
    return Arguments(data, canonical(data))


def read_amendment(raw: str) -> Arguments:
    """Parse the arguments that a person wrote in place of a model's: no text is no arguments of theirs."""
    if not raw.strip():
        return Arguments(text=raw, problem="no arguments were written: write {} for a call without any")
    return read_arguments(raw)


def canonical(value: Any) -> str:
    """One text per value: sorted keys, no blanks, characters as they are. Equal texts mean equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _nesting(raw: str) -> int:
    """Upper bound of the depth, without recursion: brackets inside strings don't count."""
    depth = deepest = 0
    quoted = escaped = False
    for character in raw:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _bounded(value: Any, bounds: Bounds) -> None:
    waiting = [value]
    seen = 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if seen > bounds.values:
            raise NotStrict(f"{bounds.what} hold more than {bounds.values} values")
        if isinstance(item, dict):
            for key in item:
                _text(key, bounds)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            _text(item, bounds)


def _text(text: str, bounds: Bounds) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotStrict(f"{bounds.what} hold half of a surrogate pair") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Ambiguous("{what} name the same key twice")
    return made


def _constant(name: str) -> NoReturn:
    raise _Ambiguous(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or abs(number := int(digits)) > MAX_INTEGER:
        raise _Ambiguous("a number is too large")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if len(digits) > _MAX_DIGITS or math.isinf(number):
        raise _Ambiguous("a number is too large or too long")
    return number


_ARGUMENTS = Bounds()
_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float
)
