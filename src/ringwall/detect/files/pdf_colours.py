"""What colour PDF paints with, in any of its colour spaces, as far as it is one (ISO 32000-2, 8.6, 8.7).

Pure white and what leaves nothing are what matters: colour management is left out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

Colour = tuple[float, float, float]
WHITE: Colour = (1, 1, 1)
BLACK: Colour = (0, 0, 0)
_DEPTH = 4
_STREAM = 20_000
"""Bytes of a pattern that are read: one with more is one of many colours."""
_PATTERNS = 200
"""Of one file."""
_KNOWN: ContextVar[dict[int, tuple[Any, "Ink"]]] = ContextVar("_KNOWN")
"""By the pattern's identity, with the pattern, so that it stays."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What is painted with."""

    colour: Colour | None = BLACK
    """None: many colours, or one that is not known."""
    nothing: bool = False
    """It leaves no mark."""


UNKNOWN = Ink(None)
FIRST = Ink()
"""Before any colour is given."""


def mapping(value: Any) -> Any:
    """The dictionary behind a reference; an empty one for anything else."""
    found = value.get_object() if hasattr(value, "get_object") else value
    return found if isinstance(found, dict) else {}


def items(value: Any) -> list[Any]:
    """The array behind a reference, references in it followed; an empty one for anything else."""
    found = value.get_object() if hasattr(value, "get_object") else value
    if not isinstance(found, list):
        return []
    return [one.get_object() if hasattr(one, "get_object") else one for one in list.__iter__(found)]


def device(operands: Sequence[Any]) -> Ink:
    """Of as many components as grey, RGB or CMYK have."""
    numbers = [float(one) for one in operands if isinstance(one, (int, float))]
    if len(numbers) == 1:
        return Ink((numbers[0],) * 3)
    if len(numbers) == 3:
        return Ink((numbers[0], numbers[1], numbers[2]))
    if len(numbers) == 4:
        cyan, magenta, yellow, black = numbers
        return Ink(((1 - cyan) * (1 - black), (1 - magenta) * (1 - black), (1 - yellow) * (1 - black)))
    return UNKNOWN


def ink(space: Any, operands: Sequence[Any], resources: Any, depth: int = 0) -> Ink:
    """What ``sc`` or ``scn`` with these operands paints with in that colour space."""
    space = space.get_object() if hasattr(space, "get_object") else space
    if isinstance(space, str):
        if space == "/Pattern":
            return _pattern(operands, resources, None)
        named = mapping(resources.get("/ColorSpace")).get(space)
        return ink(named, operands, resources, depth + 1) if named and depth < _DEPTH else device(operands)
    parts = items(space)
    kind = str(parts[0]) if parts else ""
    numbers = [float(one) for one in operands if isinstance(one, (int, float))]
    if kind in ("/Separation", "/DeviceN") and len(parts) >= 4:
        return _tinted(parts, numbers, resources, depth)
    if kind == "/Indexed" and len(parts) >= 4 and numbers:
        return _indexed(parts, int(numbers[0]), resources, depth)
    if kind == "/Lab" and numbers:
        bright = numbers[0] / 100
        return Ink((bright, bright, bright)) if all(abs(one) < 8 for one in numbers[1:]) else UNKNOWN
    if kind == "/Pattern":
        return _pattern(operands, resources, parts[1] if len(parts) > 1 else None)
    return device(operands)


def first(space: Any, resources: Any) -> Ink:
    """What is painted with after ``cs``, before any colour is given: black in most, full tint."""
    parts = items(space if not isinstance(space, str) else mapping(resources.get("/ColorSpace")).get(space))
    if str(space) == "/Pattern" or (parts and str(parts[0]) == "/Pattern"):
        return Ink(None, nothing=True)
    if parts and str(parts[0]) in ("/Separation", "/DeviceN"):
        return ink(parts, [1.0] * (max(1, len(items(parts[1])))), resources)
    return ink(parts, [0], resources) if parts and str(parts[0]) == "/Indexed" else Ink()


def _tinted(parts: list[Any], numbers: list[float], resources: Any, depth: int) -> Ink:
    names = [str(one) for one in items(parts[1])] or [str(parts[1])]
    if all(name == "/None" for name in names):
        return Ink(None, nothing=True)
    if not any(numbers):
        return Ink(WHITE)  # no colorant at all: paper
    function = mapping(parts[3])
    if function.get("/FunctionType") == 2 and len(numbers) == 1 and depth < _DEPTH:
        start, end = items(function.get("/C0")) or [0.0], items(function.get("/C1")) or [1.0]
        share = max(0.0, numbers[0]) ** float(function.get("/N", 1))
        mixed = [
            float(one) + share * (float(other) - float(one)) for one, other in zip(start, end, strict=False)
        ]
        return ink(parts[2], mixed, resources, depth + 1)
    return Ink((1 - numbers[0],) * 3) if names == ["/Black"] else UNKNOWN


def _indexed(parts: list[Any], index: int, resources: Any, depth: int) -> Ink:
    table = parts[3]
    raw = table.get_data() if hasattr(table, "get_data") else table
    data = raw if isinstance(raw, bytes) else getattr(raw, "original_bytes", b"")
    base = parts[1]
    name = str(base) if isinstance(base, str) else ""
    profile = items(base)
    channels = {"/DeviceGray": 1, "/DeviceCMYK": 4}.get(name, 3)
    if profile and str(profile[0]) == "/ICCBased":
        channels = int(mapping(profile[1]).get("/N", 3))
    entry = data[channels * index : channels * (index + 1)]
    return (
        ink(base, [one / 255 for one in entry], resources, depth + 1) if entry and depth < _DEPTH else UNKNOWN
    )


def _pattern(operands: Sequence[Any], resources: Any, under: Any) -> Ink:
    name = next((one for one in reversed(operands) if isinstance(one, str)), "")
    pattern = mapping(mapping(resources.get("/Pattern")).get(name))
    if pattern.get("/PatternType") == 2:
        return shading(pattern.get("/Shading"))
    if pattern.get("/PatternType") != 1:
        return UNKNOWN
    if pattern.get("/PaintType") == 2:
        return ink(under, [one for one in operands if not isinstance(one, str)], resources, 1)
    return flat(pattern)


def shading(value: Any) -> Ink:
    """Of a shading: one colour where it begins with the one that it ends with."""
    found = mapping(value)
    function = mapping(found.get("/Function"))
    ends = items(function.get("/C0")), items(function.get("/C1"))
    if not all(ends) or any(abs(float(one) - float(other)) > 0.02 for one, other in zip(*ends, strict=False)):
        return UNKNOWN
    return ink(found.get("/ColorSpace"), ends[0], {})


@contextmanager
def remembered() -> Iterator[None]:
    """Within this, each pattern is read once, however often it is painted with."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def flat(pattern: Any) -> Ink:
    """Of a pattern with colours of its own, or a form: the one colour in it, or nothing."""
    known = _KNOWN.get({})
    if id(pattern) not in known:
        known[id(pattern)] = pattern, _flat(pattern) if len(known) < _PATTERNS else UNKNOWN
    return known[id(pattern)][1]


def _flat(pattern: Any) -> Ink:
    from pypdf.generic import ContentStream  # noqa: PLC0415 - an extra

    data = pattern.get_data() if hasattr(pattern, "get_data") else b""
    if len(data) > _STREAM:
        return UNKNOWN
    resources = mapping(pattern.get("/Resources"))
    colours: set[Colour | None] = set()
    now, space = Ink(), "/DeviceGray"
    for operands, operator in ContentStream(pattern, None).operations:
        if operator in (b"g", b"rg", b"k"):
            now = device(operands)
        elif operator == b"cs":
            space = operands[0]
            now = first(space, resources)
        elif operator in (b"sc", b"scn"):
            now = ink(space, operands, resources, 1) if str(space) != "/Pattern" else UNKNOWN
        elif operator in (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*") and not now.nothing:
            colours.add(now.colour)
        elif operator in (b"S", b"s", b"Do", b"sh", b"Tj", b"TJ", b"INLINE IMAGE"):
            colours.add(None)
    if not colours:
        return Ink(None, nothing=True)
    return Ink(colours.pop()) if len(colours) == 1 else UNKNOWN
