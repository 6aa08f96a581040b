"""Characters that a person can't see but a model reads, told from those that a script or an emoji needs."""

import re
import unicodedata
from bisect import bisect_right

from .confusables import INVISIBLE

_SUSPECT = re.compile(
    "["
    + "".join(re.escape(chr(code)) for code in sorted(INVISIBLE) if code < 0xE0000)
    + "\U000e0000-\U000e0fff]+"
)
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{3,6}\U000e007f")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_RTL_MARKS = frozenset("\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u202a\u202b\u202c")
_JOINERS = frozenset("\u200c\u200d")
_LETTER_LIKE = frozenset("\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")
"""Fillers and selectors that belong to Hangul, Khmer and Mongolian text."""


def smuggled(text: str) -> list[tuple[int, int, str]]:
    """Runs of invisible characters that nothing explains: start, end, and one of ``tags``, ``bidi``,
    ``selectors``, ``invisible``."""
    spans: list[tuple[int, int, str]] = []
    if text.isascii() and text.isprintable():
        return spans
    rtl: bool | None = None
    flags: list[tuple[int, int]] | None = None
    for run in _SUSPECT.finditer(text):
        if flags is None:
            flags = [found.span() for found in _FLAG.finditer(text)]
        for at in range(run.start(), run.end()):
            char = text[at]
            if char in _RTL_MARKS and rtl is None:
                rtl = bool(_RTL.search(text))
            if _legitimate(text, at, bool(rtl), flags):
                continue
            kind = _kind(char)
            if spans and spans[-1][1] == at and spans[-1][2] == kind:
                spans[-1] = (spans[-1][0], at + 1, kind)
            else:
                spans.append((at, at + 1, kind))
    return spans


def _legitimate(text: str, at: int, rtl: bool, flags: list[tuple[int, int]]) -> bool:
    char = text[at]
    before = text[at - 1] if at else ""
    after = text[at + 1 : at + 2]
    if char in _RTL_MARKS:
        return rtl
    if char in _JOINERS:
        return _joins(before, after)
    if char in "\ufe0e\ufe0f":
        return bool(before) and (
            unicodedata.category(before) in ("So", "Sm", "Po", "Sk") or before in "0123456789#*©®"
        )
    if "\U000e0100" <= char <= "\U000e01ef":
        return (
            bool(before)
            and unicodedata.category(before) == "Lo"
            and not "\U000e0100" <= after <= "\U000e01ef"
        )
    if "\U000e0000" <= char <= "\U000e007f":
        index = bisect_right(flags, (at, len(text))) - 1
        return index >= 0 and at < flags[index][1]
    if char in _LETTER_LIKE:
        return _of_its_script(char, before) or _of_its_script(char, after)
    return False


def _of_its_script(char: str, beside: str) -> bool:
    """Beside a letter of the block that the filler belongs to."""
    return bool(beside) and beside != char and ord(beside) >> 8 == ord(char) >> 8


def _joins(before: str, after: str) -> bool:
    """A joiner between emoji, or between letters of a script that shapes its letters."""
    if not before or not after:
        return False
    if char_is_emoji(before) and char_is_emoji(after):
        return True
    return all(
        unicodedata.category(one)[0] in "LM" and 0x0600 <= ord(one) < 0x2000 for one in (before, after)
    )


def char_is_emoji(char: str) -> bool:
    """Symbols, their variation selector and skin tones."""
    return unicodedata.category(char) in ("So", "Sk") or char == "\ufe0f"


def _kind(char: str) -> str:
    code = ord(char)
    if 0xE0000 <= code <= 0xE007F:
        return "tags"
    if char in _RTL_MARKS or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return "bidi"
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return "selectors"
    return "invisible"
