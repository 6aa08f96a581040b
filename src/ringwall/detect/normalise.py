"""A text and every other reading of it that a model might follow, each with the way back to the original.

Plain ASCII prose has one reading. Anything else adds some: look-alikes folded, invisible characters taken
out, disguised words respelled, encoded runs decoded (several times over). The number and total size of the
readings are bounded.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from .ciphers import from_flipped
from .confusables import PLAIN
from .decode import DECODERS, triggers
from .engine import Engine
from .rules import Rule
from .spelling import broken, leet, mixed_case, spaced, stretched
from .unify import unified
from .views import Translated, View, changed

MAX_DEPTH = 4
"""Decodings on top of each other."""
MAX_VIEWS = 32
MAX_TOTAL = 1 << 20
"""Characters of all views together, beyond twice the text itself."""

MAX_CANONICAL = 1 << 20
"""Characters up to which ``canonical`` respells a text; a longer one is only folded."""
_PLAIN = bytes([9, 10, 13, *range(32, 127)])

_KEEP_LENGTH = 32_768


def views(text: str) -> list[View]:
    """The text itself, then its other readings. The last few answers are kept, of long texts the last one:
    the controls of one crossing read the same text."""
    return (_kept if len(text) <= _KEEP_LENGTH else _last)(text)


@lru_cache(maxsize=32)
def _kept(text: str) -> list[View]:
    return _views(text)


@lru_cache(maxsize=1)
def _last(text: str) -> list[View]:
    return _views(text)


def canonical(text: str) -> View:
    """One plain reading of a text: Unicode tricks undone (``unify.py``), and words spelled to pass a filter
    respelled (``spelling.py``). Plain text of any script, code and tables come out as they were but for NFKC.
    ``locate`` of the result leads back to the text."""
    view = View("", text)
    if len(text) > MAX_CANONICAL:
        return view
    view = unified(view)
    for name in sorted(_spelled().present(view.text)):
        pieces = list(_SPELLINGS[name](view.text))
        if pieces:
            view = changed("" if "respelled" in view.name else "respelled", view, pieces)
    return view


def _views(text: str) -> list[View]:
    first = View("", text)
    out = [first, *_other(first)]
    budget = MAX_TOTAL + 2 * len(text) - sum(len(view.text) for view in out[1:])
    queue = list(out)
    seen = {view.text for view in out}
    while queue and len(out) < MAX_VIEWS:
        view = queue.pop(0)
        if view.depth >= MAX_DEPTH:
            continue
        for found in _decoded(view):
            budget -= len(found.text)
            if found.text in seen:
                continue
            if budget < 0 or len(out) >= MAX_VIEWS:
                return out
            seen.add(found.text)
            out.append(found)
            queue.append(found)
    return out


def _other(first: View) -> Iterator[View]:
    """Everything that looks like ASCII as ASCII; and the canonical reading, which is more careful."""
    text = first.text
    seen = {text}
    if not text.isascii() or text.encode().translate(None, _PLAIN):
        folded = text.translate(PLAIN)
        if folded != text:
            seen.add(folded)
            yield View("unicode", folded, first, Translated(text, PLAIN))
        yield from from_flipped(first)
    careful = canonical(text)
    if careful.text not in seen:
        yield careful


def _decoded(view: View) -> Iterator[View]:
    found = _triggers().present(view.text)
    if {"base64", "base64-parts"} <= found:
        found.remove("base64-parts")
    for name in sorted(found):
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
    return _signs(triggers())
