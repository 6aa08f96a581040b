"""HTML to text, with what a page hides from its reader told apart from what it shows.

Text that people don't see and models do is where instructions are planted: comments, invisible elements,
white or zero-size type, attributes. The parser is only ever fed and never closed: closing makes the standard
library's parser retry its unfinished input from every offset (60 KB of ``<a `` took 47 s).
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote_plus

from .sheet import BUDGET, Node, Sheet, parse_sheets, unescaped
from .sight import Sight, look

_VOID_TAGS = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_TAGS.split())
_BLOCK_TAGS = """
address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li
main nav ol p pre section table td th tr ul title
"""
_BLOCK = frozenset(_BLOCK_TAGS.split())
_FALLBACK_TAGS = "audio canvas iframe noembed noframes object rp video"
_DESCRIPTION_TAGS = "annotation annotation-xml datalist defs desc metadata symbol"
_SILENT = {
    "script": "script", "style": "style", "template": "template", "noscript": "noscript",
    **dict.fromkeys(_FALLBACK_TAGS.split(), "fallback"),
    **dict.fromkeys(_DESCRIPTION_TAGS.split(), "description"),
}  # fmt: skip
"""Elements whose content a browser does not show."""
_LIST = frozenset({"ul", "ol", "menu"})
_TABLE = frozenset({"table"})
_CLOSED_BY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), _LIST),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "td": (frozenset({"td", "th"}), _TABLE | {"tr"}),
    "th": (frozenset({"td", "th"}), _TABLE | {"tr"}),
    "tr": (frozenset({"tr", "td", "th"}), _TABLE),
    "tbody": (frozenset({"tr", "td", "th", "tbody", "thead"}), _TABLE),
    "option": (frozenset({"option"}), frozenset({"select", "datalist"})),
    "body": (frozenset({"head"}), frozenset({"html"})),
}
"""Which open elements a tag ends that have no end tag of their own, and what it does not look beyond."""
_ENDS_P = _BLOCK - {"br", "td", "th", "tr", "li", "dd", "dt", "title"} | {"details", "dialog", "body"}
_ALWAYS = frozenset(
    {"alt", "title", "placeholder", "content", "summary", "label", "abbr", "download", "prompt"}
)
_NEVER = frozenset({"class", "style", "srcset", "sizes", "d", "points", "viewbox", "transform", "values"})
_BUTTONS = frozenset({"submit", "button", "reset"})
_DEPTH = 512  # nesting beyond this is not followed any deeper
_WORD = re.compile(r"[^\W\d_]{2,}")
_CONTENT = re.compile(r"content\s{0,9}:\s{0,9}([\"'][^;}]{3,4000})")
_STYLE = re.compile(r"<style\b[^>]{0,2000}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Text that the page doesn't show."""

    how: str
    """``comment``, ``invisible``, ``white``, ``faint``, ``tiny``, ``off-page``, ``clipped``, ``attribute``,
    ``script``, ``style``, ``template``, ``noscript``, ``fallback``, ``description``, ``unfinished``."""
    text: str


@dataclass(slots=True)
class _Open:
    tag: str
    how: str
    """Why its content isn't shown; empty when it is, or when ``sight`` tells."""
    sight: Sight
    node: Node
    last: Node | None = None
    """The last element inside it."""

    @property
    def why(self) -> str:
        return self.how or self.sight.why


@dataclass(slots=True)
class Page:
    title: str = ""
    shown: list[str] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    gone: list[tuple[int, int]] = field(default_factory=list)
    """Where in the source the tags, and the texts that are not shown, stand."""

    @property
    def text(self) -> str:
        lines = ("".join(self.shown)).splitlines()
        joined = "\n".join(" ".join(line.split()) for line in lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()


def read_html(source: str, *, within: int = 0) -> Page:
    """The page's text and what it hides. Linear in the length of ``source``. ``within``: how many pages this
    one stands in."""
    return _read(source, within, BUDGET).page


def _read(source: str, within: int, budget: int) -> "_Reader":
    reader = _Reader(source, parse_sheets(_sheets(source), budget), within)
    reader.feed(source)
    reader.finish()
    return reader


def prose(value: str) -> bool:
    """Whether somebody could be meant to read it: three words or more."""
    return len(_WORD.findall(value[:2000])) >= 3


def _sheets(source: str) -> list[str]:
    """The style sheets in the page."""
    found: list[str] = []
    lower = source.lower()
    at = 0
    while opening := _STYLE.search(source, at):
        end = lower.find("</style", opening.end())
        at = len(source) if end < 0 else end
        found.append(source[opening.end() : at])
    return found


class _Reader(HTMLParser):
    def __init__(self, source: str, sheet: Sheet, within: int) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._source = source
        self.sheet = sheet
        self._within = within
        self._open = [_Open("", "", Sight(), Node(""))]
        self._lines = [0]
        for at, letter in enumerate(source):
            if letter == "\n":
                self._lines.append(at + 1)
        self._events: list[tuple[int, bool]] = []
        """Where each piece of the source begins, and whether a reader sees it."""

    def finish(self) -> None:
        page = self.page
        rest = self.rawdata
        comment = rest.startswith("<!--")
        self._events.append((len(self._source) - len(rest), not comment))
        self._hide("comment" if comment else "unfinished", rest.removeprefix("<!--"))
        page.title = " ".join(page.title.split())
        if not self.sheet.whole:
            page.hidden.append(Hidden("unfinished", "More style rules than are followed."))
        ends = [*self._events, (len(self._source), True)]
        page.gone += [(one[0], two[0]) for one, two in pairwise(ends) if not one[1]]

    def _event(self, *, seen: bool) -> None:
        line, column = self.getpos()
        self._events.append((self._lines[min(line, len(self._lines)) - 1] + column, seen))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._event(seen=False)
        given = {name: value or "" for name, value in attrs}
        self._end_open(tag)
        above = self._open[-1]
        node = _node(tag, given, above)
        above.last = node
        self._attributes(tag, given)
        if tag in _BLOCK and not above.why:
            self.page.shown.append("\n" + _MARKS.get(tag, ""))
        if tag not in _VOID and len(self._open) < _DEPTH:
            how = above.how or _SILENT.get(tag, "")
            if tag in ("title", "desc") and any(one.tag == "svg" for one in self._open[-8:]):
                how = how or "description"
            sight = above.sight if how else look(node, above.sight, self.sheet)
            self._open.append(_Open(tag, how, sight, node))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the nearest open element of that name, and those inside that were left open."""
        self._event(seen=False)
        for back in range(1, min(len(self._open) - 1, 32) + 1):
            if self._open[-back].tag == tag:
                why = self._open[-back].why
                del self._open[-back:]
                if tag in _BLOCK and not why:
                    self.page.shown.append("\n")
                return

    def _end_open(self, tag: str) -> None:
        if tag in _ENDS_P:
            self._end(frozenset({"p"}), frozenset({"button", "td", "th", "table", "object"}))
        if tag in _CLOSED_BY:
            self._end(*_CLOSED_BY[tag])

    def _end(self, tags: frozenset[str], until: frozenset[str]) -> None:
        """Ends the outermost open element of these that stands in front of one of ``until``."""
        ended = 0
        for back in range(1, min(len(self._open) - 1, 32) + 1):
            name = self._open[-back].tag
            if name in until:
                break
            ended = back if name in tags else ended
        if ended:
            del self._open[-ended:]

    def handle_data(self, data: str) -> None:
        inner = self._open[-1]
        why = inner.why
        self._event(seen=not why and inner.tag != "title")
        if why:
            self._hide(why, unescaped(data) if why == "style" else data)
            if why == "style":
                for found in _CONTENT.finditer(data):
                    self._hide("style", unescaped(found[1]))
        elif inner.tag == "title":
            self.page.title += data
        else:
            self.page.shown.append(data)

    def handle_comment(self, data: str) -> None:
        self._event(seen=False)
        self._hide("comment", data)

    def handle_decl(self, decl: str) -> None:
        self._event(seen=False)
        if decl.strip().lower() != "doctype html":
            self._hide("comment", decl)

    def unknown_decl(self, data: str) -> None:
        self._event(seen=False)
        self._hide("comment", data)

    def handle_pi(self, data: str) -> None:
        self._event(seen=False)
        self._hide("comment", data)

    def _hide(self, how: str, text: str) -> None:
        if text.strip():
            self.page.hidden.append(Hidden(how, " ".join(text.split())))

    def _attributes(self, tag: str, given: dict[str, str]) -> None:
        button = given.get("type", "").lower() in _BUTTONS
        for name, value in given.items():
            if name == "srcdoc":
                self._inner(value)
            elif name == "value" and button:
                self.page.shown.append(value)
            elif name.startswith("on"):
                self._hide("script", value)
            elif name == "style":
                self._hide("style", unescaped(value) if '"' in value or "'" in value else "")
            else:
                self._hide("attribute", _said(tag, name, value))

    def _inner(self, source: str) -> None:
        """A page in the page. One in one in one is not followed, and said to be unfinished."""
        if self._within >= 2:
            self._hide("unfinished", source)
            return
        inner = _read(source, self._within + 1, self.sheet.budget)
        page, self.sheet.budget = inner.page, inner.sheet.budget
        why = self._open[-1].why
        self.page.hidden += page.hidden
        if why:
            self._hide(why, page.text)
        else:
            self.page.shown.append("\n" + page.text + "\n")


def _said(tag: str, name: str, value: str) -> str:
    """What an attribute says to somebody; empty when it is for the machine."""
    if name in _ALWAYS or name.startswith("aria-") or name == "value":
        return value if name != "content" or tag == "meta" or prose(value) else ""
    if name in _NEVER:
        return ""
    read = unquote_plus(value) if "%" in value or "+" in value else value
    address = name == "href" and read == value and " " not in value.strip()
    return read if prose(read) and not address else ""


def _node(tag: str, given: dict[str, str], above: _Open) -> Node:
    place = above.last.place + 1 if above.last is not None else 1
    parent = above.node if above.node.tag else None
    if above.last is not None and above.last.before is not None and place > 64:
        above.last.before.before = None  # nothing asks any further back
    return Node(tag, given, parent, above.last, place, frozenset(given.get("class", "").split()[:50]))


_MARKS = {"li": "- ", "h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### "}
