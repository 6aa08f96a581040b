"""Cells that a spreadsheet would take for a formula, in text that becomes CSV, TSV or a table.

A cell counts as one where it begins with ``=``, ``+``, ``-``, ``@`` (or their fullwidth forms) behind a
delimiter, a line break or an opening quote; numbers and telephone numbers don't. OWASP, "CSV injection".
"""

import re

REACH = 64
"""Characters by which a number is told from a formula."""
_CELL = re.compile(
    r"(?:^|(?<=[\n\r,;\t|]))([ \u00a0\ufeff]{0,32}(?:\"{1,3}|')?[ \u00a0]{0,8})"
    r"([=+\-@\uff1d\uff0b\uff0d\uff20])"
)
_NUMBER = re.compile(r"[+\-][\d\s().,/%\u20ac$\u00a3-]{0,62}(?=[\"'\n\r,;\t|]|$)")
_RULE = re.compile(r"-{1,62}:?[ ]{0,8}(?=[|\n\r]|$)")
"""The line under a table's head."""


def formulas(text: str, before: str = "") -> list[int]:
    """Offsets of the signs that begin a formula. ``before`` is what went ahead of the text: without it the
    text's first character begins a cell."""
    lead = before[-(REACH + 1) :]
    whole = lead + text
    found = []
    for cell in _CELL.finditer(whole):
        at = cell.start(2)
        if at < len(lead) or (cell.start() == 0 and len(before) > len(lead)):
            continue
        if not _NUMBER.match(whole, at) and not _RULE.match(whole, at):
            found.append(at - len(lead))
    return found


def unfinished(text: str) -> int:
    """Where a sign stands that may begin a formula or a number."""
    low = max(0, len(text) - REACH)
    last = None
    for last in _CELL.finditer(text, low):
        number = _NUMBER.match(text, last.start(2)) or _RULE.match(text, last.start(2))
        if last.end() == len(text) or (number and number.end() == len(text)):
            return last.start(2)
    return len(text)
