"""Characters that no sink takes: what a person can't see decides nothing."""

import unicodedata

from .unsafe import Unsafe

_BAD = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def refuse_invisible(text: str, *, allowed: str = "") -> None:
    """Raises Unsafe for control and format characters, lone surrogates and line separators that are not
    allowed."""
    if text.isascii() and text.isprintable():
        return
    for character in text:
        if unicodedata.category(character) in _BAD and character not in allowed:
            raise Unsafe("characters", f"it holds the invisible character U+{ord(character):04X}")
