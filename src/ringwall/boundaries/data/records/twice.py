"""Names that a JSON object gives twice: readers keep the last of the values, or the first, so that what is
looked at need not be what a model learns."""

import json
from collections.abc import Iterable
from typing import Any

TWICE = "it gives one name of a field twice"
_COLONS = (b'":', b" :", b"\t:", b"\n:", b"\r:")


def names_twice(raw: bytes, value: Any) -> bool:
    """Whether any object in JSON text does, at any depth. ``value``: what was read of it.

    Colons that can stand behind a name are counted first: where they are as many as the names that were
    read, none got lost. Most rows need no more than that.
    """
    if sum(raw.count(colon) for colon in _COLONS) == _names(value):
        return False
    try:
        json.loads(raw, object_pairs_hook=_pairs, parse_int=str, parse_float=str)
    except _TwiceError:
        return True
    return False


class _TwiceError(Exception):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _TwiceError
    return made


def _names(value: Any) -> int:
    count = 0
    waiting: list[Iterable[Any]] = [[value]]
    while waiting:
        for one in waiting.pop():
            if isinstance(one, dict):
                count += len(one)
                waiting.append(one.values())
            elif isinstance(one, list):
                waiting.append(one)
    return count
