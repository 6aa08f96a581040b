"""``interface.links``: links and images in an answer lead nowhere but to allowed hosts.

An image that a page loads by itself, or a link that someone clicks, carries data out. The same text may be
shown as Markdown or as HTML, so both are looked at, code blocks included; what is defused stays readable.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.detect.confusables import INVISIBLE

from .response import ResponseControl, Seen, last_word
from .settings import InterfaceSection

ID = "interface.links"
LIMIT = 2048
"""Characters of an unfinished construct that are held; a longer one that is not allowed stops the answer."""
_LABEL_LIMIT = 256
_URL = re.compile(
    r"(?:\b|(?<=_))(?:(?:https?|ftps?|wss?|gopher):[\\/]{0,8}(?=[^\s<>\"'`)\]}|*])|(?:file|blob):(?=[\\/h])"
    r"|(?:javascript|vbscript):(?=[\w/(%&])|data:(?=[\w.+-]{0,40}[/;,])|www\.)"
    r"[^\s<>\"'`)\]}|]*|(?:https?|ftp)(?:&#|%3a|&colon;)[^\s<>\"'`)\]}|]*",
    re.IGNORECASE,
)
_DESTINATION = re.compile(r"!?\[(?:[^\[\]\n]|\n(?!\n)|\\[\[\]]){0,256}\](\()|\](\()")
_TARGET = re.compile(
    r"\(\s{0,16}(?:<([^<>\n]{0,2048})>?|((?:[^\s()\\]|\\.|\([^\s()]{0,512}\)){0,2048}))[^)\n]{0,512}\)?"
)
_DEFINITION = re.compile(r"(?:^|\n)[ >\t]{0,8}\[[^\]\n]{1,256}\]:\s{0,8}(<?[^\s>]{1,2048}>?)")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2048})>")
_SCHEMES = re.compile(
    r"(?:https?|ftps?|wss?|gopher|javascript|vbscript|data|file|blob|mailto|&|[\\w.+-]{1,31}://)",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,31})(?=[\s/>\"'=]|$)((?:[^>\"']|\"[^\"]{0,2048}(?:\"|$)|'[^']{0,2048}(?:'|$)){0,2048})(>?)"
)
_ATTRIBUTE = re.compile(
    r"([^\s\"'<>/=]{1,64})\s{0,8}=\s{0,8}(?:\"([^\"]{0,2048})\"?|'([^']{0,2048})'?|([^\s\"'>]{1,2048}))"
)
_CSS = re.compile(r"(?:url\s{0,4}\(|@import|src\s{0,4}\()\s{0,4}[\"']?([^\"')\s;]{0,2048})", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31}):")
_ACTIVE = frozenset(
    [
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "base",
        "meta",
        "link",
        "form",
        "frame",
        "frameset",
        "style",
        "svg",
        "math",
        "template",
        "portal",
        "isindex",
        "noscript",
        "marquee",
        "keygen",
        "xml",
        "layer",
    ]
)
_WITH_URL = frozenset(
    [
        "src",
        "href",
        "srcset",
        "action",
        "formaction",
        "poster",
        "background",
        "data",
        "xlink:href",
        "cite",
        "longdesc",
        "lowsrc",
        "dynsrc",
        "ping",
        "code",
        "archive",
        "codebase",
        "manifest",
        "profile",
        "usemap",
        "imagesrcset",
        "content",
        "to",
        "values",
        "from",
    ]
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HIDDEN_SCHEME = re.compile(r"[A-Za-z]{2,10}%3a|%2f%2f|%5c", re.IGNORECASE)
_HARMLESS = frozenset({"mailto", "tel", "sms"})
_WEB = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})
_BRACKETS = tuple("<>[]()\"'`")
_MARKS = tuple("<[]!:/%&")
"""Without any of these nothing is a link, a tag or the head of one, but for the last word."""


class LinksSettings(Settings):
    allowed_hosts: list[str] = Field(default_factory=list)
    """Hosts that links and images may lead to, beside those of the section: exact names, or ``*.name`` for
    every name below it."""


@dataclass(frozen=True, slots=True)
class _Spot:
    start: int
    end: int
    rule: str
    replacement: str
    finished: bool = True


class Links(ResponseControl):
    def __init__(self, settings: LinksSettings) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Defuses links and images that lead off the allowed hosts, and active content.",
                crossings=frozenset({CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM02@2023", "LLM06@2023", "LLM05@2025", "LLM02@2025"),
                csf=("PR.DS-02", "PR.DS-10", "DE.CM-09"),
                need=Window(size=4096, overlap=LIMIT),
                inline=True,
            )
        )
        self._exact = frozenset(
            h.lower().rstrip(".") for h in settings.allowed_hosts if not h.startswith("*.")
        )
        self._below = tuple(h[1:].lower().rstrip(".") for h in settings.allowed_hosts if h.startswith("*."))

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        if not _worth_a_look(text):
            return ALLOW
        spots = list(self._spots(text, seen.final))
        if not spots:
            return ALLOW
        findings = [
            Finding(ID, spot.rule, _MESSAGES[spot.rule], 0, spot.start, spot.end, "link") for spot in spots
        ]
        if not seen.final and any(spot.end == len(text) and spot.end - spot.start > LIMIT for spot in spots):
            return verdict(Action.BLOCK, "The answer held a link that did not end.", findings)
        edits = [Edit(0, spot.start, spot.end, spot.replacement) for spot in spots]
        return verdict(Action.TRANSFORM, "Links to hosts that are not allowed were removed.", findings, edits)

    def hold_from(self, text: str) -> int:
        """Where the last construct begins that has not ended: a tag, a link, an address, or the last word."""
        low = max(0, len(text) - LIMIT - 64)
        tail = text[low:]
        hold = last_word(tail, len(tail), _BRACKETS)
        if not any(mark in tail for mark in _MARKS):
            return low + hold
        open_tag = tail.rfind("<")
        if open_tag >= 0 and _unfinished_tag(tail, open_tag):
            hold = min(hold, open_tag)
        hold = min(hold, _unfinished_link(tail))
        for spot in self._spots(tail, False) if _worth_a_look(tail) else ():
            if spot.end >= hold or spot.end == len(tail):
                hold = min(hold, spot.start)
        return low + hold

    def _spots(self, text: str, final: bool) -> Iterator[_Spot]:
        yield from self._tags(text, final)
        yield from self._markdown(text)
        for found in _AUTOLINK.finditer(text):
            if _SCHEMES.match(found[1]):
                yield from self._judged(found.start(), found.end(), found[1], "autolink", "link")
        for found in _URL.finditer(text):
            yield from self._judged(found.start(), found.end(), found.group(), "address", "link")

    def _markdown(self, text: str) -> Iterator[_Spot]:
        for found in _DESTINATION.finditer(text):
            target = _TARGET.match(text, found.end() - 1)
            if target is None:
                continue
            address = target[1] if target[1] is not None else target[2]
            what = "image" if text.startswith("!", found.start()) else "link"
            yield from self._judged(found.start(), target.end(), address, f"markdown-{what}", what)
        for found in _DEFINITION.finditer(text):
            yield from self._judged(*found.span(1), found[1].strip("<>"), "reference", "link")

    def _tags(self, text: str, final: bool) -> Iterator[_Spot]:
        for found in _TAG.finditer(text):
            if (
                not found[4]
                and found.end() < len(text)
                and text[found.end()] != "<"
                and found.end() - found.start() < 64
            ):
                continue
            name = found[2].lower()
            if name in _ACTIVE:
                yield _Spot(found.start(), found.end(), "active-element", "", bool(found[4]))
                continue
            yield from self._attributes(found, name)

    def _attributes(self, tag: re.Match[str], name: str) -> Iterator[_Spot]:
        start, end = tag.span()
        for found in _ATTRIBUTE.finditer(tag[3]):
            key = found[1].lower()
            value = next((given for given in found.groups()[1:] if given is not None), "")
            if key.startswith("on") or key in ("srcdoc", "formaction"):
                yield _Spot(start, end, "event-handler", "")
            elif key == "style":
                for css in _CSS.finditer(html.unescape(value)):
                    yield from self._judged(start, end, css[1], "css-address", "image")
            elif key in _WITH_URL:
                what = "link" if name in ("a", "area") else "image"
                for address in re.split(r",\s{1,8}|\s{1,8}", value.strip()) if "srcset" in key else [value]:
                    yield from self._judged(start, end, address, f"html-{what}", what)

    def _judged(self, start: int, end: int, address: str, rule: str, what: str) -> Iterator[_Spot]:
        host = self._off_list(address)
        if host is not None:
            yield _Spot(start, end, rule, f"[{what} removed: {host}]" if host else f"[{what} removed]")

    def _off_list(self, address: str) -> str | None:
        """The host to name in place of an address that is not allowed; None for one that is."""
        for plain in _readings(address):
            host = self._named_host(plain)
            if host is not None:
                return host
        return None

    def _named_host(self, plain: str) -> str | None:
        scheme = _SCHEME.match(plain)
        if plain.lower().startswith("www."):
            plain = "//" + plain
        elif scheme and scheme[1].lower() in _WEB:
            plain = "//" + plain[scheme.end() :].lstrip("/")
        elif scheme and scheme[1].lower() in _HARMLESS:
            return None
        elif scheme and not _host_and_port(plain):
            return ""
        if not plain.startswith("//"):
            return None
        host = _host(plain.lstrip("/"))
        if host in self._exact or any(host.endswith(below) and host != below[1:] for below in self._below):
            return None
        return re.sub(r"[^a-z0-9.:-]", "?", host.removeprefix("www."))[:100]


def _readings(address: str) -> list[str]:
    """As browsers read it: entities decoded, blanks and controls out, backslashes turned; with Markdown's
    backslash escapes and without."""
    decoded = html.unescape(html.unescape(address))
    readings = [decoded]
    if "\\" in decoded:
        readings.append(_ESCAPED.sub(r"\1", decoded))
    return [_turned(reading) for reading in readings]


def _turned(text: str) -> str:
    text = "".join(char for char in text if char > " " and ord(char) not in INVISIBLE and char != "\u00a0")
    if _HIDDEN_SCHEME.match(text):
        text = unquote(text)
    return text.replace("\\", "/")


def _host(rest: str) -> str:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = unquote(authority).rsplit("@", 1)[-1].lower()
    host = host.translate({0x3002: ".", 0xFF0E: ".", 0xFF61: "."})
    if not host.startswith("["):
        host = host.split(":", 1)[0]
    return host.rstrip(".,;!*_~")


def _host_and_port(text: str) -> bool:
    """``name:8080/...`` is no scheme."""
    return bool(re.match(r"[A-Za-z0-9.-]{1,64}:\d{1,5}(?:/|$)", text))


def _worth_a_look(text: str) -> bool:
    return (
        "<" in text
        or "](" in text
        or "]:" in text
        or ":" in text
        or "www." in text.lower()
        or "//" in text
        or "%3" in text
    )


def _unfinished_tag(text: str, at: int) -> bool:
    """An opening bracket whose tag may still come."""
    if at + 1 < len(text) and not (text[at + 1].isalpha() or text[at + 1] in "/!?"):
        return False
    complete = _TAG.match(text, at)
    return not (complete and complete[4])


def _unfinished_link(text: str) -> int:
    """Start of a Markdown construct at the end of the text that the next characters may complete."""
    hold = len(text)
    opened = text.rfind("](")
    if opened >= 0:
        target = _TARGET.match(text, opened + 1)
        if target is None or target.end() == len(text):
            hold = min(hold, _label_start(text, opened))
    defined = re.search(r"(?:^|\n)[ >\t]{0,8}\[[^\]\n]{0,256}(?:\]:?\s{0,8}(?:<?[^\s>]{0,2048})?)?$", text)
    if defined:
        hold = min(hold, defined.start() + (text[defined.start()] == "\n"))
    if text.endswith("]"):
        hold = min(hold, _label_start(text, len(text) - 1))
    label = re.search(r"!?\[(?:[^\[\]\n]|\n(?!\n)){0,256}$|!$", text)
    return min(hold, label.start()) if label else hold


def _label_start(text: str, closing: int) -> int:
    opening = text.rfind("[", max(0, closing - _LABEL_LIMIT), closing)
    if opening < 0:
        return closing
    return opening - 1 if opening and text[opening - 1] == "!" else opening


_MESSAGES = {
    "markdown-image": "An image would be loaded from a host that is not allowed.",
    "markdown-link": "A link leads to a host that is not allowed.",
    "reference": "A link reference leads to a host that is not allowed.",
    "autolink": "A link leads to a host that is not allowed.",
    "address": "An address leads to a host that is not allowed.",
    "html-image": "An element would load from a host that is not allowed.",
    "html-link": "A link leads to a host that is not allowed.",
    "css-address": "A style would load from a host that is not allowed.",
    "event-handler": "An element would run a script.",
    "active-element": "An element is active content.",
}


def build(settings: LinksSettings, services: Services) -> Links:
    try:
        general = services.get(InterfaceSection).allowed_hosts
    except LookupError:  # outside a workload
        general = ()
    return Links(LinksSettings(allowed_hosts=[*general, *settings.allowed_hosts]))


CONTROL = ControlFactory(ID, LinksSettings, build)
