"""The one byte form of an event: RFC 8785 (JSON Canonicalization Scheme).

``orjson`` gives the bytes of RFC 8785 for strings, integers below 2**53, booleans, null, lists and objects
with ASCII keys, at a twentieth of the cost of a Python encoder. Where it would differ (other keys) the slow
encoder does it; what has no single form (floats, sets, larger integers) is refused.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import re2
import rfc8785

from ringwall.core import DataError

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Longest canonical event."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER

# Outside a string, orjson writes a float with a point or an exponent and a NaN as null. A hit may also stand
# inside a string: it only sends the event to the slow check. (RE2: a tenth of the time of ``re`` here.)
_SUSPECT = re2.compile(rb"[:,\[]-?\d+[.eE]|null")


def canonical(event: Mapping[str, Any]) -> bytes:
    """The event in RFC 8785 form. A lone surrogate, which UTF-8 can't carry, becomes U+FFFD.

    Raises DataError for a float, an integer of 2**53 or more, a key that is no string, a value of another
    type, nesting deeper than 200 or a form longer than MAX_EVENT_BYTES.
    """
    plain = event if type(event) is dict else dict(event)
    try:
        data = orjson.dumps(plain, _plain_mapping, _OPTIONS)
        if not data.isascii() or _SUSPECT.search(data):
            data = _slow(plain, data)
    except (TypeError, UnicodeEncodeError):
        data = _slow(plain, b"")
    if len(data) > MAX_EVENT_BYTES:
        raise DataError(f"An event of {len(data)} bytes is over the ledger's limit of {MAX_EVENT_BYTES}.")
    return data


def _plain_mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _slow(event: Mapping[str, Any], data: bytes) -> bytes:
    """Check every value; encode again where ``data`` is missing or its key order may differ."""
    foreign = _Foreign()
    clean = foreign.check(event, "event", 0)
    if data and not foreign.keys:
        return data
    encoded: bytes = rfc8785.dumps(clean)
    return encoded


class _Foreign:
    """One walk over an event: refuses what has no canonical form, mends strings, notes non-ASCII keys."""

    def __init__(self) -> None:
        self.keys = False

    def check(self, value: Any, where: str, depth: int) -> Any:
        if depth > 200:
            raise DataError(f"{where[:80]}… is nested deeper than 200 levels: the ledger refuses it.")
        if isinstance(value, str):
            return mended(str(value))
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self._integer(int(value), where)
        if isinstance(value, Mapping):
            return {self._key(k, where): self.check(v, f"{where}.{k}", depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.check(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        kind = type(value).__name__
        advice = (
            "write it as an integer of a smaller unit or as a string" if kind == "float" else "convert it"
        )
        raise DataError(f"{mended(where)} is a {kind}, which has no canonical form on the ledger: {advice}.")

    def _integer(self, value: int, where: str) -> int:
        if abs(value) >= 2**53:
            raise DataError(f"{mended(where)} is an integer of 2**53 or more: write it as a string.")
        return value

    def _key(self, key: Any, where: str) -> str:
        if not isinstance(key, str):
            raise DataError(f"A key of {mended(where)} is a {type(key).__name__}: keys must be strings.")
        self.keys = self.keys or not key.isascii()
        return mended(str(key))


def mended(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        # Joins the halves of a real pair, replaces the rest.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
