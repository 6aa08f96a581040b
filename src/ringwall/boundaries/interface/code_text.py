"""Whether a place in an answer is code: in a fenced or indented block, or on a line that reads like code."""

import re

_FENCE = re.compile(r"^[ \t>]{0,12}(`{3,}|~{3,})[ \t]{0,4}([^\s`]{0,40})[^\n]{0,200}$", re.MULTILINE)
_INDENT = re.compile(r"(?: {4}|\t)[ \t]{0,80}\S")
_ENDS = ("{", "}", ";", "):", "(", ")", "],", "},", "\\", "->", "=>")
_SIGNS = frozenset("()[]{}=;_<>\"'/\\$|&+*:.-")
LINE = 2000
"""Characters of a line on either side of a place that say whether it is code."""
_DENSE = 0.14
"""Share of signs of programming among the characters of a line of code; prose has a third of that."""


def fences(text: str, *, cut: bool) -> list[tuple[int, int]]:
    """Spans of the fenced blocks; one that is not closed reaches to the end. With ``cut`` the text is the
    rest of a longer one, so that a first fence that names no language may close a block."""
    spans: list[tuple[int, int]] = []
    opened, mark = -1, ""
    for found in _FENCE.finditer(text):
        sign, language = found[1], found[2]
        if opened < 0:
            if cut and not spans and not language:
                spans.append((0, found.start()))
                continue
            opened, mark = found.end(), sign
        elif sign.startswith(mark[0]) and len(sign) >= len(mark) and not language:
            spans.append((opened, found.start()))
            opened = -1
    if opened >= 0:
        spans.append((opened, len(text)))
    return spans


def is_code(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Whether ``text[start:end]`` is code. Inline code in a sentence is a mention, not code."""
    if any(low <= start < high for low, high in spans):
        return True
    low = text.rfind("\n", max(0, start - LINE), start) + 1
    stop = text.find("\n", end, end + LINE)
    line = text[low : stop if stop >= 0 else min(len(text), end + LINE)]
    at = start - low
    if line.count("`", 0, at) % 2:
        return False
    if _INDENT.match(line):
        return True
    bare = line.strip()
    signs = sum(char in _SIGNS for char in bare)
    return signs >= _DENSE * len(bare) and (bare.endswith(_ENDS) or signs >= 2 * _DENSE * len(bare))
