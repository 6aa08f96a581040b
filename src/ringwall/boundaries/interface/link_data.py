"""Whether an address carries parts of the conversation: in its query, its path, plain or encoded.

An allowed host may still be a way out: a log that others read, a redirect, a counter of images.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from ringwall.detect import views

_PIECE = re.compile(r"[/?&=#;,|]+")
_WORD = re.compile(r"[^\W_][\w@.+'-]{1,63}")
_CODED = 24
"""Characters of the shortest encoded run that counts."""
_LONG_QUERY = 600
"""Characters of a query that an image has no use for."""
_ENOUGH = 3
"""Telling words of the conversation in one piece."""
_CODES = ("base64", "hex")


def carries(address: str, conversation: frozenset[str], *, image: bool) -> bool:
    """``conversation``: the telling words of what was said and read (``telling``)."""
    tail = address.partition("://")[2].partition("/")[2] if "://" in address else address
    query = tail.partition("?")[2] or tail.partition("#")[2]
    if image and len(query) > _LONG_QUERY:
        return True
    return any(_coded(piece) or _quotes(piece, conversation) for piece in _PIECE.split(tail[:4096]))


@lru_cache(maxsize=16)
def telling(texts: tuple[str, ...]) -> frozenset[str]:
    """Words that are long or hold a digit: those by which data is known again. Kept for the windows of a
    stream, which all ask for the same."""
    return frozenset(word for text in texts for word in _telling(text))


def _telling(text: str) -> list[str]:
    words = (found.group().lower().strip(".'-") for found in _WORD.finditer(text))
    return [word for word in words if len(word) >= 6 or any(char.isdigit() for char in word)]


def _coded(piece: str) -> bool:
    """An encoded run that reads as words. File names and ids decode to noise."""
    plain = unquote_plus(piece)
    if len(plain) < _CODED:
        return False
    return any(
        view.name.split("+")[-1] in _CODES and " " in view.text.strip() for view in views(plain[:4096])
    )


def _quotes(piece: str, conversation: frozenset[str]) -> bool:
    if not conversation or len(piece) < 6:
        return False
    words = _telling(unquote_plus(piece))
    known = [word for word in words if word in conversation]
    private = any((any(char.isdigit() for char in word) and len(word) >= 6) or "@" in word for word in known)
    return len(known) >= _ENOUGH or (private and len(known) >= 2)
