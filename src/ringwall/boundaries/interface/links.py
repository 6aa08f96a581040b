"""``interface.links``: links and images in an answer lead to allowed hosts alone, and carry nothing there.

An image that a page loads by itself, or a link that someone clicks, carries data out. The same text may be
shown as Markdown or as HTML, so both are looked at, code blocks included; what is defused stays readable.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

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

from .link_data import carries, telling
from .link_target import AllowedHosts
from .markup import LIMIT, Address, Markup, Tag, TooMuch, unfinished
from .response import ResponseControl, Seen, last_word
from .settings import InterfaceSection

ID = "interface.links"
_MOST = 500
"""Links that are taken out of one text; one with more of them is stopped."""
_CSS = re.compile(
    r"(?:url\s{0,4}\(|@import|src\s{0,4}\(|image(?:-set)?\s{0,4}\()\s{0,4}[\"']?([^\"')\s;]{0,2048})",
    re.IGNORECASE,
)
_CSS_CODE = re.compile(
    r"expression\s{0,8}\(|behaviou?r\s{0,8}:|-moz-binding|javascript:|vbscript:", re.IGNORECASE
)
_CSS_HIDDEN = re.compile(r"/\*.{0,200}?\*/|\\(?:[0-9A-Fa-f]{1,6}\s?|.)", re.DOTALL)
_DECLARED = re.compile(r"<(?:\?xml|!(?:ENTITY|ELEMENT|ATTLIST|DOCTYPE[^>\[]{0,200}\[))", re.IGNORECASE)
_SCHEMES = re.compile(
    r"(?:https?|ftps?|wss?|gopher|javascript|vbscript|data|file|blob|mailto|&|[\\w.+-]{1,31}://)",
    re.IGNORECASE,
)
_ACTIVE = frozenset((
    "script", "iframe", "object", "embed", "applet", "base", "meta", "link", "form", "frame", "frameset",
    "style", "svg", "math", "template", "portal", "isindex", "noscript", "marquee", "keygen", "xml", "layer",
    "ilayer", "bgsound", "xmp", "plaintext", "noembed", "noframes", "listing", "fencedframe", "foreignobject",
    "animate", "set", "maction", "annotation-xml",
))  # fmt: skip
_WITH_URL = frozenset((
    "src", "href", "srcset", "action", "formaction", "poster", "background", "data", "xlink:href", "cite",
    "longdesc", "lowsrc", "dynsrc", "ping", "code", "archive", "codebase", "manifest", "profile", "usemap",
    "imagesrcset", "content", "to", "values", "from", "classid", "icon", "attributionsrc",
))  # fmt: skip
_BRACKETS = tuple("<>[]()\"'`")
_MARKS = tuple("<[]!:/%&")
"""Without any of these nothing is a link, a tag or the head of one, but for the last word."""


class LinksSettings(Settings):
    allowed_hosts: list[str] = Field(default_factory=list)
    """Hosts that links and images may lead to, beside those of the section: exact names, or ``*.name`` for
    every name below it."""
    data: Literal["remove", "annotate", "ignore"] = "remove"
    """What becomes of an image on an allowed host whose address carries words of the conversation or encoded
    text, and of such a link where the text is encoded. Other such links are put on record."""


Conversation: TypeAlias = Callable[[], frozenset[str]]
"""Asked only where an address could carry something."""


@dataclass(frozen=True, slots=True)
class _Spot:
    start: int
    end: int
    rule: str
    replacement: str | None
    """None: put on record, left alone."""


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
        self._data = settings.data
        self._hosts = AllowedHosts(settings.allowed_hosts)

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        if not _worth_a_look(text):
            return ALLOW
        try:
            spots = self._found(text, partial(_conversation, seen) if self._data != "ignore" else None)
        except TooMuch:
            finding = Finding(ID, "too-much-markup", _MESSAGES["too-much-markup"], 0, 0, len(text), "link")
            return verdict(Action.BLOCK, "The answer held too many links or too much markup.", [finding])
        if not spots:
            return ALLOW
        findings = [
            Finding(ID, spot.rule, _MESSAGES[spot.rule], 0, spot.start, spot.end, "link") for spot in spots
        ]
        if not seen.final and any(spot.end == len(text) and spot.end - spot.start > LIMIT for spot in spots):
            return verdict(Action.BLOCK, "The answer held a link that did not end.", findings)
        edits = [
            Edit(0, spot.start, spot.end, spot.replacement) for spot in spots if spot.replacement is not None
        ]
        if not edits:
            return verdict(Action.ANNOTATE, findings=findings)
        return verdict(Action.TRANSFORM, "Links to hosts that are not allowed were removed.", findings, edits)

    def hold_from(self, text: str) -> int:
        """Where the first construct begins that has not ended: a tag, link, address, or the last word."""
        low = max(0, len(text) - LIMIT - 64)
        tail = text[low:]
        hold = last_word(tail, len(tail), _BRACKETS)
        if not any(mark in tail for mark in _MARKS):
            return low + hold
        hold = min(hold, unfinished(tail))
        try:
            for spot in self._found(tail, None) if _worth_a_look(tail) else ():
                if spot.end >= hold or spot.end == len(tail):
                    hold = min(hold, spot.start)
        except TooMuch:
            return low
        return low + hold

    def _found(self, text: str, conversation: Conversation | None) -> list[_Spot]:
        spots: list[_Spot] = []
        for spot in self._spots(Markup(text), conversation):
            spots.append(spot)
            if len(spots) > _MOST:
                raise TooMuch
        return spots

    def _spots(self, markup: Markup, conversation: Conversation | None) -> Iterator[_Spot]:
        for found in _DECLARED.finditer(markup.text):
            yield _Spot(*found.span(), "active-element", "")
        for tag in markup.tags():
            yield from self._tag(tag, len(markup.text), conversation)
        removed = 0
        for one in markup.addresses():
            if one.rule.startswith("markdown") and one.end <= removed:
                continue
            if one.rule == "autolink" and not _SCHEMES.match(one.address):
                continue
            for spot in self._judged(one, conversation):
                removed = max(removed, spot.end) if one.rule.startswith("markdown") else removed
                yield spot

    def _tag(self, tag: Tag, length: int, conversation: Conversation | None) -> Iterator[_Spot]:
        if tag.name in _ACTIVE and (tag.closed or tag.end == length):
            yield _Spot(tag.start, tag.end, "active-element", "")
            return
        if not tag.closed and tag.end < length:
            if tag.attributes.strip():  # whatever comes later could end it: a blank makes it text
                yield _Spot(tag.start, tag.start + 1, "open-tag", "< ")
            return
        for key, value in tag.pairs():
            yield from self._attribute(tag, key, value, conversation)

    def _attribute(
        self, tag: Tag, key: str, value: str, conversation: Conversation | None
    ) -> Iterator[_Spot]:
        start, end = tag.start, tag.end
        if key.startswith("on") or key in ("srcdoc", "formaction"):
            yield _Spot(start, end, "event-handler", "")
        elif key == "style":
            css = _CSS_HIDDEN.sub(_css_plain, html.unescape(value))
            if _CSS_CODE.search(css):
                yield _Spot(start, end, "event-handler", "")
            for found in _CSS.finditer(css):
                yield from self._judged(Address(start, end, found[1], "css-address", True), conversation)
        elif key in _WITH_URL:
            link = tag.name in ("a", "area")
            rule = "html-link" if link else "html-image"
            for address in re.split(r",\s{1,8}|\s{1,8}", value.strip()) if "srcset" in key else [value]:
                yield from self._judged(Address(start, end, address, rule, not link), conversation)

    def _judged(self, one: Address, conversation: Conversation | None) -> Iterator[_Spot]:
        what = "image" if one.image else "link"
        host = self._hosts.stranger(one.address)
        if host is not None:
            label = f"[{what} removed: {host}]" if host else f"[{what} removed]"
            yield _Spot(one.start, one.end, one.rule, label)
        elif conversation is not None and len(one.address) >= _SHORT_DATA:
            coded = carries(one.address, frozenset(), image=one.image)
            if coded or carries(one.address, conversation(), image=one.image):
                gone = self._data == "remove" and (one.image or coded)
                yield _Spot(one.start, one.end, f"{what}-data", f"[{what} removed]" if gone else None)


_SHORT_DATA = 16


def _css_plain(found: re.Match[str]) -> str:
    """Comments out, escapes as the characters that they stand for."""
    written = found.group()
    if written.startswith("/*"):
        return ""
    digits = written[1:].strip()
    try:
        code = int(digits, 16)
    except ValueError:
        return written[1:]
    return chr(code) if 0 < code <= 0x10FFFF else ""


def _conversation(seen: Seen) -> frozenset[str]:
    """Telling words of what the user wrote and of what was looked up, the latest of each."""
    given, chunks = seen.fact("user_text"), seen.fact("retrieved")
    texts = list(given) if isinstance(given, (list, tuple)) else []
    texts += [one.get("text") for one in chunks if isinstance(one, dict)] if isinstance(chunks, list) else []
    return telling(tuple(text[-20_000:] for text in texts[-20:] if isinstance(text, str)))


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
    "open-tag": "An element does not end.",
    "image-data": "The address of an image carries data of the conversation.",
    "link-data": "The address of a link carries data of the conversation.",
    "too-much-markup": "There is more markup than an answer has.",
}


def build(settings: LinksSettings, services: Services) -> Links:
    try:
        general = services.get(InterfaceSection).allowed_hosts
    except LookupError:  # outside a workload
        general = ()
    return Links(settings.model_copy(update={"allowed_hosts": [*general, *settings.allowed_hosts]}))


CONTROL = ControlFactory(ID, LinksSettings, build)
