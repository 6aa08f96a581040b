"""The one form in which the data boundary hashes, seals and signs values."""

from typing import Any

import orjson

from ringwall.core import DataError


def canonical(value: Any) -> bytes:
    """JSON with sorted keys. Keys are ASCII and numbers integers, so this equals RFC 8785. DataError for
    text that is no Unicode (lone surrogates)."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise DataError("The document holds text that is not valid Unicode: save it as UTF-8.") from None
