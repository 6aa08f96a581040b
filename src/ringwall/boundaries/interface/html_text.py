"""Text that goes into a page as it is: only elements that format it, and only their harmless attributes.

What links lead to, and what is active, is ``interface.links``'s; here whatever is not known to be harmless
becomes text.
"""

import re

from .markup import LIMIT, Markup, TooMuch

_ELEMENTS = frozenset((
    "a", "abbr", "b", "bdi", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp",
    "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr",
))  # fmt: skip
_ATTRIBUTES = frozenset((
    "href", "src", "alt", "title", "lang", "dir", "width", "height", "colspan", "rowspan", "headers", "scope",
    "start", "datetime", "open", "cite", "align",
))  # fmt: skip
_MAYBE = re.compile(r"<(?=[A-Za-z/!?])")


def harmless(text: str) -> list[tuple[int, int, str]]:
    """The edits that leave nothing but formatting. Raises TooMuch."""
    edits: list[tuple[int, int, str]] = []
    kept = set()
    for tag in Markup(text).tags():
        if tag.name not in _ELEMENTS or not tag.closed:
            continue
        kept.add(tag.start)
        edits += [(start, end, "") for name, start, end in tag.spans() if name not in _ATTRIBUTES]
    edits += [
        (found.start(), found.end(), "&lt;") for found in _MAYBE.finditer(text) if found.start() not in kept
    ]
    return edits


def unfinished(text: str) -> int:
    """Where a tag begins that may still end."""
    low = max(0, len(text) - LIMIT)
    if text.endswith("<"):
        return len(text) - 1
    try:
        return min(
            (low + tag.start for tag in Markup(text[low:]).tags() if not tag.closed), default=len(text)
        )
    except TooMuch:
        return len(text)
