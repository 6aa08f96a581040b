"""One spelling for a word however it is written: case, diacritics and blanks folded, with the way back."""

import re
import unicodedata
from functools import lru_cache

from .views import Replaced, View, rewrite

PADDING = 64
"""A run of so many blanks, or of characters that fold to nothing, is no way to write a word: it breaks
one."""

_ODD = re.compile(r"[^\x21-\x7e]{2,}|[^\x20-\x7e]")
_BREAK = "\x00"
_NOTHING = frozenset({"Mn", "Me", "Cf", "Cc"})


@lru_cache(maxsize=16384)
def _folded(char: str) -> str:
    if char.isspace():
        return " "
    spelled = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = "".join(part for part in spelled if unicodedata.category(part) not in _NOTHING)
    return "\ufffd" if unicodedata.category(char) == "Cs" else kept


def fold(text: str) -> str:
    """The folded spelling: ``Café  CRÈME`` and ``cafe creme`` are the same. Without lone surrogates."""
    return rewrite(text, _pieces(text)).lower()


def folded(view: View) -> View:
    """The folded spelling as a view of ``view``, so that spans lead back to the original."""
    pieces = _pieces(view.text)
    return View(
        view.name,
        rewrite(view.text, pieces).lower(),
        view,
        Replaced(pieces, view.text),
        view.depth,
    )


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """What differs from its folded spelling, character by character; a run of blanks becomes one blank."""
    pieces: list[tuple[int, int, str]] = []
    for run in _ODD.finditer(text):
        nothing = blanks = 0
        for at in range(run.start(), run.end()):
            new = _folded(text[at])
            if new == " ":
                blanks += 1
                new = " " if blanks == 1 else _BREAK if blanks == PADDING else ""
            elif new:
                blanks = nothing = 0
            else:
                nothing += 1
                new = _BREAK if nothing == PADDING else ""
            if new != text[at]:
                pieces.append((at, at + 1, new))
    return pieces
