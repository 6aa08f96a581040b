"""HTML to text, with what a page hides from its reader told apart from what it shows.

Text that people don't see and models do is where instructions are planted: comments, invisible elements,
white or zero-size type, attributes. The parser is only ever fed and never closed: closing makes the standard
library's parser retry its unfinished input from every offset (60 KB of ``<a `` took 47 s).
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID_TAGS = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_TAGS.split())
_BLOCK_TAGS = """
address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li
main nav ol p pre section table td th tr ul title
"""
_BLOCK = frozenset(_BLOCK_TAGS.split())
_SILENT = {"script": "script", "style": "style", "template": "template", "noscript": "noscript"}
_ATTRIBUTES = frozenset(
    {"alt", "title", "aria-label", "aria-description", "placeholder", "content", "summary"}
)
_DEPTH = 512  # nesting beyond this is not followed any deeper

_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|content-visibility:hidden"
    r"|font-size:0*\.?0*(?:[a-z%]{0,4})(?:;|!|$)"
    r"|(?<![a-z\-])font:[^;]{0,40}?\b0(?:px|pt|em|rem|%)"
    r"|opacity:0*\.?0*(?:%|;|!|$)"
    r"|(?:max-)?(?:height|width):0(?:px|em|rem|%)?(?:;|!|$)"
    r"|(?:left|top|right|bottom|text-indent|margin-left|margin-top):-\d{3,}"
    r"|clip:rect\(0|clip-path:inset\((?:50|100)%"
    r"|(?<![a-z\-])color:(?:white|transparent|#f{3,4}(?![0-9a-f])|#f{6}(?:[0-9a-f]{2})?(?![0-9a-f])"
    r"|#(?:fe|fd|fc|fb){3}|rgba?\(25[0-5],25[0-5],25[0-5]|rgba\(\d+,\d+,\d+,0\)|hsla?\(\d+,\d+%,100%)"
)
_DARK = re.compile(r"background(?:-color)?:(?!white|transparent|none|#f{3}|inherit|initial|rgba?\(25[0-5])")
_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
_SELECTOR = re.compile(r"[.#][A-Za-z_][\w\-]{0,63}")


@dataclass(frozen=True, slots=True)
class Hidden:
    """Text that the page doesn't show."""

    how: str
    """``comment``, ``invisible``, ``attribute``, ``script``, ``style``, ``template``, ``noscript``,
    ``unfinished``."""
    text: str


@dataclass(slots=True)
class _Open:
    tag: str
    how: str
    """Why its content isn't shown; empty when it is."""


@dataclass(slots=True)
class Page:
    title: str = ""
    shown: list[str] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)

    @property
    def text(self) -> str:
        lines = ("".join(self.shown)).splitlines()
        joined = "\n".join(" ".join(line.split()) for line in lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()


def read_html(source: str) -> Page:
    """The page's text and what it hides. Linear in the length of ``source``."""
    reader = _Reader(_hiding_selectors(source))
    reader.feed(source)
    if reader.rawdata.strip():
        reader.page.hidden.append(Hidden("unfinished", " ".join(reader.rawdata.split())))
    reader.page.title = " ".join(reader.page.title.split())
    return reader.page


def hides(style: str) -> bool:
    """Whether a CSS declaration makes text unreadable. White type on a stated dark ground is not hidden."""
    compact = re.sub(r"\s+|/\*[^*]{0,200}\*/", "", style[:4000].lower())
    found = _HIDING.search(compact)
    if not found:
        return False
    return not (found.group().startswith("color:") and _DARK.search(compact))


def _hiding_selectors(source: str) -> frozenset[str]:
    """Classes and ids that a style sheet in the page hides."""
    found: set[str] = set()
    at = 0
    lower = source.lower()
    while (start := lower.find("<style", at)) >= 0:
        end = lower.find("</style", start)
        end = len(source) if end < 0 else end
        for rule in _RULE.finditer(source, start, end):
            if hides(rule[2]):
                found.update(_SELECTOR.findall(rule[1]))
        at = end
    return frozenset(found)


class _Reader(HTMLParser):
    def __init__(self, hiding: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._hiding = hiding
        self._open: list[_Open] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._attributes(tag, given)
        above = self._open[-1].how if self._open else ""
        how = above or self._why(tag, given)
        if tag in _BLOCK and not how:
            self.page.shown.append("\n" + _MARKS.get(tag, ""))
        if tag not in _VOID and len(self._open) < _DEPTH:
            self._open.append(_Open(tag, how))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the nearest open element of that name, and those inside that were left open."""
        for back in range(1, min(len(self._open), 32) + 1):
            if self._open[-back].tag == tag:
                how = self._open[-back].how
                del self._open[-back:]
                if tag in _BLOCK and not how:
                    self.page.shown.append("\n")
                return

    def handle_data(self, data: str) -> None:
        how = self._open[-1].how if self._open else ""
        if how:
            self._hide(how, data)
        elif self._open and self._open[-1].tag == "title":
            self.page.title += data
        else:
            self.page.shown.append(data)

    def handle_comment(self, data: str) -> None:
        self._hide("comment", data)

    def handle_decl(self, decl: str) -> None:
        if not decl.lower().startswith("doctype"):
            self._hide("comment", decl)

    def unknown_decl(self, data: str) -> None:
        self._hide("comment", data)

    def handle_pi(self, data: str) -> None:
        self._hide("comment", data)

    def _hide(self, how: str, text: str) -> None:
        if text.strip():
            self.page.hidden.append(Hidden(how, " ".join(text.split())))

    def _attributes(self, tag: str, given: dict[str, str]) -> None:
        for name, value in given.items():
            if name in _ATTRIBUTES or (name == "value" and given.get("type", "").lower() == "hidden"):
                if name == "content" and tag != "meta":
                    continue
                self._hide("attribute", value)

    def _why(self, tag: str, given: dict[str, str]) -> str:
        if tag in _SILENT:
            return _SILENT[tag]
        names = {"." + name for name in given.get("class", "").split()} | {"#" + given.get("id", "")}
        plain = (
            "hidden" in given
            or (tag == "font" and given.get("size") == "0")
            or hides("color:" + given.get("color", ""))
            or hides(given.get("style", ""))
        )
        return "invisible" if plain or names & self._hiding else ""


_MARKS = {"li": "- ", "h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### "}
