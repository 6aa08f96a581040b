"""Arguments of tool calls in the history that a client sends: JSON that must stay JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ringwall.core import Edit, apply_edits

EMPTY = "{}"
_MOST = 100_000
"""Values that are read of one call."""


def spoken(arguments: str) -> str:
    """Every string in the arguments, keys too, one a line and unescaped; the text itself if it is no JSON."""
    try:
        tree = orjson.loads(arguments)
    except ValueError:
        return arguments
    return "\n".join(_strings(tree))


def _strings(tree: Any) -> Iterable[str]:
    waiting = [tree]
    for _ in range(_MOST):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for key, inner in reversed(value.items()):
                waiting.extend((inner, key))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def emptied(arguments: str) -> Edit:
    """All of the arguments gone."""
    return Edit(0, 0, len(arguments), EMPTY)


def kept_json(arguments: str, edits: Sequence[Edit]) -> list[Edit]:
    """The edits where they leave an object; else the one that empties the arguments."""
    try:
        sound = isinstance(orjson.loads(apply_edits(arguments, edits)), dict)
    except ValueError:
        sound = False
    return list(edits) if sound else [emptied(arguments)]
