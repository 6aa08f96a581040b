"""Arguments of a tool call for a person who decides: line by line, with what nobody vouches for marked, and
what an amendment changes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_OWN = {"model": "the model's own", "unknown": "from an unknown place", "": "from an unknown place"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the arguments as JSON."""

    indent: int
    text: str
    source: str = ""
    """Where it comes from, in words, when nobody vouches for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One argument that an amendment changes."""

    path: str
    before: str
    """JSON; empty when it was not there."""
    after: str
    """JSON; empty when it is gone."""


def argument_lines(arguments: Mapping[str, Any], doubtful: Mapping[str, str]) -> list[Line]:
    """Exactly the arguments, keys in order."""
    return list(_lines(arguments, doubtful, "", 0, "", ""))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, by path. Linear."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    for nothing in (old, new):
        nothing.pop("", None)  # no arguments at all
    paths = [*old, *(path for path in new if path not in old)]
    return [
        Change(path, old.get(path, ""), new.get(path, "")) for path in paths if old.get(path) != new.get(path)
    ]


def editable(arguments: Mapping[str, Any]) -> str:
    """JSON text to edit: ASCII, so that hiding characters are seen and survive."""
    return json.dumps(_plain(arguments), indent=2, sort_keys=True, ensure_ascii=True)


def _lines(
    value: Any, doubtful: Mapping[str, str], path: str, indent: int, head: str, tail: str
) -> Iterator[Line]:
    source = _source(doubtful.get(path)) if path in doubtful else ""
    if isinstance(value, Mapping) and value:
        yield Line(indent, head + "{")
        items = sorted(value.items(), key=lambda item: str(item[0]))
        for number, (key, inner) in enumerate(items, 1):
            below = f"{path}.{key}" if path else str(key)
            comma = "," if number < len(items) else ""
            name = f"{path}.{{{key}}}"
            if name in doubtful and below not in doubtful:
                yield Line(indent + 1, _json(str(key)) + ":", _source(doubtful[name]))
                yield from _lines(inner, doubtful, below, indent + 1, "", comma)
            else:
                yield from _lines(inner, doubtful, below, indent + 1, f"{_json(str(key))}: ", comma)
        yield Line(indent, "}" + tail)
    elif isinstance(value, (list, tuple)) and value:
        yield Line(indent, head + "[")
        for index, inner in enumerate(value):
            comma = "," if index + 1 < len(value) else ""
            yield from _lines(inner, doubtful, f"{path}[{index}]", indent + 1, "", comma)
        yield Line(indent, "]" + tail)
    else:
        yield Line(indent, head + _json(_plain(value)) + tail, source)


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in sorted(value.items(), key=lambda item: str(item[0])):
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and value:
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{index}]")
    else:
        yield path, _json(_plain(value))


def _source(origins: str | None) -> str:
    named = [
        _OWN.get(origin) or f"from {origin.replace(':', ' ', 1)}" for origin in (origins or "").split(", ")
    ]
    return "; ".join(named)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Read-only mappings are common in records."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
