"""Control characters that a terminal acts on: they colour, move, retitle, link, fill the clipboard.

After ECMA-48 and the OSC commands of xterm (8 makes a link, 52 writes the clipboard, 0-2 set the title).
"""

import re

LIMIT = 4096
"""Characters of the longest sequence; what goes on longer is cut there."""
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]?"  # CSI
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\\\|\x9c)?"  # OSC, DCS…
    "|\x1b[ -/]{0,8}[0-~]?"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
    "|\r(?!\n)"
)
_OPEN = re.compile(
    "(?:(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}"
    "\x1b?"
    "|\x1b[ -/]{0,8}|\r)$"
)


def sequences(text: str) -> list[tuple[int, int, str]]:
    """Spans to take out, with what takes their place: a lone carriage return would overwrite its line."""
    return [(*found.span(), "\n" if found.group() == "\r" else "") for found in _ESCAPES.finditer(text)]


def unfinished(text: str) -> int:
    """Where a sequence begins that the text may end in the middle of."""
    low = max(0, len(text) - LIMIT)
    found = _OPEN.search(text, low)
    return found.start() if found else len(text)
