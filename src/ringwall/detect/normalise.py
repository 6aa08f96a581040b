"""A text and every other reading of it that a model might follow, each with the way back to the original.

Plain ASCII prose has one reading. Anything else adds some: look-alikes folded, invisible characters taken
out, encoded runs decoded (twice over at most). The number and total size of the readings are bounded.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from .confusables import plain
from .decode import DECODERS, TRIGGERS, from_selectors
from .engine import Engine
from .rules import Rule
from .spelling import broken, leet, mixed_case, spaced, stretched
from .unify import unified
from .views import Piece, Replaced, View, changed, rewrite

MAX_DEPTH = 2
"""Decodings on top of each other."""
MAX_VIEWS = 24
MAX_TOTAL = 1 << 20
"""Characters of all views together, beyond twice the text itself."""

_ODD = re.compile("[^\x09\x0a\x0d\x20-\x7e]+")
_PLAIN = bytes([9, 10, 13, *range(32, 127)])
_TAGS = re.compile("[\U000e0000-\U000e007f]{2,}")


_KEEP_LENGTH = 32_768


def views(text: str) -> list[View]:
    """The text itself, then its other readings. The last few answers are kept: the controls of one crossing
    read the same text."""
    return _kept(text) if len(text) <= _KEEP_LENGTH else _views(text)


@lru_cache(maxsize=32)
def _kept(text: str) -> list[View]:
    return _views(text)


def canonical(text: str) -> View:
    """One plain reading of a text: Unicode tricks undone (``unify.py``), and words spelled to pass a filter
    respelled (``spelling.py``). Plain text of any script, code and tables come out as they were but for NFKC.
    ``locate`` of the result leads back to the text."""
    view = unified(View("", text))
    for name in sorted(_spelled().present(view.text)):
        pieces = list(_SPELLINGS[name](view.text))
        if pieces:
            view = changed("" if view.name else "canonical", view, pieces)
    return view


def _views(text: str) -> list[View]:
    first = View("", text)
    out = [first]
    budget = MAX_TOTAL + 2 * len(text)
    queue = [first]
    for view in _unicode(first):
        out.append(view)
        queue.append(view)
        budget -= len(view.text)
    seen = {view.text for view in out}
    while queue and len(out) < MAX_VIEWS:
        view = queue.pop(0)
        if view.depth >= MAX_DEPTH:
            continue
        for found in _decoded(view):
            if found.text in seen:
                continue
            budget -= len(found.text)
            if budget < 0 or len(out) >= MAX_VIEWS:
                return out
            seen.add(found.text)
            out.append(found)
            queue.append(found)
    return out


def _unicode(view: View) -> Iterator[View]:
    text = view.text
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return
    if not _ODD.search(text):
        return
    tags = _TAGS.search(text)
    pieces = [(run.start(), run.end(), _folded(run.group())) for run in _ODD.finditer(text)]
    pieces = [piece for piece in pieces if text[piece[0] : piece[1]] != piece[2]]
    if not pieces:
        return
    yield View(
        "unicode-tags" if tags else "unicode",
        rewrite(text, pieces),
        view,
        Replaced(pieces, text, _by_character),
    )
    yield from from_selectors(view)


def _folded(run: str) -> str:
    return "".join(map(plain, run))


def _by_character(run: str) -> Iterator[Piece]:
    return ((at, at + 1, plain(char)) for at, char in enumerate(run))


def _decoded(view: View) -> Iterator[View]:
    for name in sorted(_triggers().present(view.text)):
        if name != "reversed" or "reversed" not in view.name:
            yield from DECODERS[name](view)


_SPELLINGS = {
    "1-mixed": mixed_case,
    "2-spaced": spaced,
    "3-leet": leet,
    "4-stretched": stretched,
    "5-broken": broken,
}
_SPELLING_SIGNS = {
    "1-mixed": r"[a-z][A-Z][a-zA-Z]{0,2}[a-z][A-Z]",
    "2-spaced": r"(?:\b[A-Za-z0-9@$!][^A-Za-z0-9]{1,3}){4}",
    "3-leet": r"[A-Za-z][0-9@$!|]{1,2}[A-Za-z]|[^A-Za-z0-9][0-9@][A-Za-z]{2}|[A-Za-z]{2}[0-9$]",
    "4-stretched": "|".join(f"{char}{{3}}" for char in "abcdefghijklmnopqrstuvwxyz"),
    "5-broken": r"[A-Za-z]{2}[-._*~^][A-Za-z]",
}


@cache
def _spelled() -> Engine:
    return _signs(_SPELLING_SIGNS)


def _signs(patterns: Mapping[str, str]) -> Engine:
    return Engine(
        [
            Rule(name, "trigger", pattern, 1.0, "", (), (), sensitive=True, width=200)
            for name, pattern in patterns.items()
        ]
    )


@cache
def _triggers() -> Engine:
    return _signs(TRIGGERS)
