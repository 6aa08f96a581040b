"""HTML that a model wrote: parsed as a browser does, and written anew with formatting only.

nh3 (ammonia, html5ever) parses and serialises; what it made is cleaned once more and must stay as it is, so
that a text that changes its meaning when it is read again is refused.
"""

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

import nh3

from ..handling_settings import HtmlHandling
from .unsafe import Unsafe
from .words import words

_TAGS = words("""
    a abbr b bdi blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure h1
    h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp small span strong sub sup table tbody td tfoot th
    thead time tr u ul var wbr
    """)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"lang", "title"},
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_IMAGE = {"src", "alt", "width", "height"}
_GONE = {
    "script",
    "style",
    "template",
    "iframe",
    "object",
    "embed",
    "noscript",
    "noembed",
    "noframes",
    "textarea",
    "title",
}
"""Their content goes with them."""
_MARKUP = 5000
"""Most ``<`` in a text: the parser's work for misnested formatting grows faster than the text."""
_DEPTH = 100
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
_VOID = frozenset(
    {
        "br",
        "hr",
        "img",
        "col",
        "wbr",
        "input",
        "meta",
        "link",
        "area",
        "base",
        "source",
        "embed",
        "track",
        "param",
    }
)
_PASSES = 3
_MOST_REMOVED = 20


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML that shows and does nothing."""

    html: str
    removed: tuple[str, ...]
    """What was taken out, such as ``script`` and ``link``; names only, at most twenty."""


def clean_html(text: str, rules: HtmlHandling) -> SafeHtml:
    """The text as formatting only. Raises Unsafe for one that is too large or that has no stable reading."""
    if len(text) > rules.characters:
        raise Unsafe("size", f"it is longer than {rules.characters} characters")
    if text.count("<") > _MARKUP or _depth(text) > _DEPTH:
        raise Unsafe("nesting", "it holds too much markup")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unsafe("characters", "it holds half of a surrogate pair") from None
    cleaner = _cleaner(rules)
    made = cleaner.clean(text)
    for _ in range(_PASSES):
        again = cleaner.clean(made)
        if again == made:
            return SafeHtml(made, _removed(text, made))
        made = again
    raise Unsafe("ambiguous", "it can be read in more than one way")


def _cleaner(rules: HtmlHandling) -> nh3.Cleaner:
    tags, attributes = set(_TAGS), {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    if rules.images and rules.hosts:
        tags.add("img")
        attributes["img"] = set(_IMAGE)

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if attribute not in ("href", "src"):
            return value
        return value if _leads_well(tag, value, rules) else None

    return nh3.Cleaner(
        tags=tags,
        attributes=attributes,
        clean_content_tags=set(_GONE),
        attribute_filter=kept,
        link_rel="nofollow noopener noreferrer",
        url_schemes=set(rules.schemes),
        url_relative="deny",
    )


def _leads_well(tag: str, value: str, rules: HtmlHandling) -> bool:
    """Whether a link may lead there. Only addresses that every reader splits alike are looked at; a page's
    own links, relative ones, are gone: they would lead wherever the text is shown."""
    if not value.isascii() or not value.isprintable() or any(mark in value for mark in ' \\"<>`'):
        return False
    try:
        split = urlsplit(value)
        host = (split.hostname or "").rstrip(".")
        port = split.port
    except ValueError:
        return False
    if split.scheme not in ("http", "https"):
        return tag == "a"
    if not host or "@" in split.netloc or (port is not None and rules.hosts):
        return False
    if tag == "a" and not rules.hosts:
        return True
    return any(_matches(host, allowed.lower()) for allowed in rules.hosts)


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


def _depth(text: str) -> int:
    """An upper bound of how deep elements nest; ends that close nothing count for nothing."""
    depth = deepest = 0
    for end, name in _TAG.findall(text):
        if end:
            depth = max(0, depth - 1)
        elif name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _removed(before: str, after: str) -> tuple[str, ...]:
    was, left = (Counter(name.lower() for _, name in _TAG.findall(text)) for text in (before, after))
    gone = sorted(name for name in was if name not in _TAGS and was[name] > left[name])
    if len(re.findall(r"(?i)\bhref\s{0,3}=", before)) > len(re.findall(r"href=", after)):
        gone.append("link")
    if re.search(r"(?i)[\s/\"']on[a-z]{3,20}\s{0,3}=", before):
        gone.append("event handler")
    if re.search(r"(?i)[\s/\"']style\s{0,3}=", before):
        gone.append("style attribute")
    return tuple(gone[:_MOST_REMOVED])
