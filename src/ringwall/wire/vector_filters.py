"""Filters over the attributes of files, as the vector stores API writes them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from .errors import invalid

Value: TypeAlias = str | float | bool
_KEY_CHARS = 64
_TEXT_CHARS = 512
_DEPTH = 8
_PARTS = 64
"""Comparisons of one filter, and values of one ``in``."""
_VALUES = 256
"""Values that all of its comparisons name together: each is held against each file."""


class Filter(Protocol):
    def fits(self, attributes: Mapping[str, Value]) -> bool:
        """An attribute that is not there, or of another type, fits no comparison but ``ne`` and ``nin``."""
        ...

    def decided(self, attributes: Mapping[str, Value], unknown: frozenset[str]) -> bool | None:
        """As ``fits``, when the ``unknown`` attributes may be anything; None when it depends on them."""
        ...

    def compared(self, key: str) -> Iterator[Value]:
        """The values that an attribute is compared with."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    key: str
    operator: str
    value: Any

    def fits(self, attributes: Mapping[str, Value]) -> bool:
        held = attributes.get(self.key)
        return _OPERATORS[self.operator](held, self.value)

    def decided(self, attributes: Mapping[str, Value], unknown: frozenset[str]) -> bool | None:
        return None if self.key in unknown else self.fits(attributes)

    def compared(self, key: str) -> Iterator[Value]:
        if key == self.key:
            yield from self.value if isinstance(self.value, list) else (self.value,)


@dataclass(frozen=True, slots=True)
class Compound:
    joined: Literal["and", "or"]
    filters: tuple[Filter, ...]

    def fits(self, attributes: Mapping[str, Value]) -> bool:
        each = (inner.fits(attributes) for inner in self.filters)
        return all(each) if self.joined == "and" else any(each)

    def decided(self, attributes: Mapping[str, Value], unknown: frozenset[str]) -> bool | None:
        """Kleene's logic: one part that settles it is enough, whatever the others may be."""
        settles = self.joined == "or"
        open_ = False
        for inner in self.filters:
            said = inner.decided(attributes, unknown)
            if said is settles:
                return settles
            open_ = open_ or said is None
        return None if open_ else not settles

    def compared(self, key: str) -> Iterator[Value]:
        for inner in self.filters:
            yield from inner.compared(key)


def read_filter(given: Any) -> Filter:
    """Raises WireError (400)."""
    found = _read(given, _DEPTH, [_PARTS])
    if _values(found) > _VALUES:
        raise invalid(f"A filter compares with {_VALUES} values at most.", "filters")
    return found


def _values(found: Filter) -> int:
    if isinstance(found, Compound):
        return sum(map(_values, found.filters))
    return len(found.value) if isinstance(found, Comparison) and isinstance(found.value, list) else 1


def _read(given: Any, depth: int, left: list[int]) -> Filter:
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        raise invalid(f"A filter has at most {_PARTS} parts, {_DEPTH} levels deep.", "filters")
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise invalid("A filter is an object with a 'type'.", "filters")
    kind = given["type"]
    if kind in ("and", "or"):
        inner = given.get("filters")
        if given.keys() != {"type", "filters"} or not isinstance(inner, list) or not inner:
            raise invalid(f"A filter {kind!r} has a list of 'filters' and nothing else.", "filters")
        return Compound(kind, tuple(_read(one, depth - 1, left) for one in inner))
    if kind not in _OPERATORS:
        known = ", ".join((*_OPERATORS, "and", "or"))
        raise invalid(f"The 'type' of a filter is one of: {known}.", "filters")
    return _comparison(kind, given)


def _comparison(kind: str, given: Mapping[str, Any]) -> Comparison:
    if given.keys() != {"type", "key", "value"}:
        raise invalid(f"A filter {kind!r} has a 'key' and a 'value' and nothing else.", "filters")
    key, value = given["key"], given["value"]
    if not isinstance(key, str) or not 0 < len(key) <= _KEY_CHARS:
        raise invalid(f"The 'key' of a filter is a string of 1 to {_KEY_CHARS} characters.", "filters")
    if kind in ("in", "nin"):
        if not isinstance(value, list) or not 0 < len(value) <= _PARTS or not all(map(is_value, value)):
            raise invalid(f"The 'value' of {kind!r} is a list of 1 to {_PARTS} values.", "filters")
    elif not is_value(value):
        raise invalid("The 'value' of a filter is a string, a number or a boolean.", "filters")
    return Comparison(key, kind, value)


def is_value(value: Any) -> bool:
    """Whether an attribute may have it."""
    if isinstance(value, str):
        return len(value) <= _TEXT_CHARS
    return isinstance(value, (int, float)) and abs(value) <= 1e300


def _equal(held: Any, value: Any) -> bool:
    """``True`` is not ``1`` here."""
    return held is not None and isinstance(held, bool) == isinstance(value, bool) and bool(held == value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(held: Any, value: Any) -> bool:
        if isinstance(held, bool) or isinstance(value, bool) or held is None:
            return False
        return isinstance(held, str) == isinstance(value, str) and compare(held, value)

    return compared


def _among(held: Any, values: Any) -> bool:
    return any(_equal(held, value) for value in values)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda held, value: not _equal(held, value),
    "gt": _ordered(lambda held, value: held > value),
    "gte": _ordered(lambda held, value: held >= value),
    "lt": _ordered(lambda held, value: held < value),
    "lte": _ordered(lambda held, value: held <= value),
    "in": _among,
    "nin": lambda held, values: not _among(held, values),
}
