"""JSON that is put into a page or a script: what would end the script, or change the objects it is read into.

Edits keep the JSON's meaning: in JSON these characters stand within strings alone.
"""

import re

REACH = 160
"""Characters of the longest key that matters, each written as an escape, with blanks behind it."""


def _spelled(word: str) -> str:
    """The word with any of its characters as an escape."""
    return "".join(f"(?:{char}|\\\\u00{ord(char):02x})" for char in word)


_TROUBLE = re.compile("<(?=[/!sS])|\u2028|\u2029")
_KEYS = re.compile(
    '"(?:' + "|".join(map(_spelled, ("__proto__", "prototype", "constructor"))) + ')"\\s{0,32}:',
    re.IGNORECASE,
)


def escapes(text: str) -> list[tuple[int, int, str]]:
    """Characters to write as escapes."""
    return [(*found.span(), f"\\u{ord(found.group()):04x}") for found in _TROUBLE.finditer(text)]


def pollution(text: str) -> list[tuple[int, int]]:
    """Keys that reach an object's prototype when it is merged into another."""
    return [found.span() for found in _KEYS.finditer(text)]


def unfinished(text: str) -> int:
    """Where a string stands that may be such a key, or a ``<`` that decides nothing yet."""
    if text.endswith("<"):
        return len(text) - 1
    low = max(0, len(text) - REACH)
    last = text.rfind('"', low)
    if last < 0:
        return len(text)
    before = text.rfind('"', low, last)
    return before if before >= 0 and not text[last + 1 :].strip() else last
