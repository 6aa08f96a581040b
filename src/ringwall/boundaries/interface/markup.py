"""Links, images and tags in a text that may be shown as Markdown or as HTML: found, not judged.

Both readings count, code included, since nobody knows what will show the text. So tags inside the
attributes of other tags are found as well; ``Markup`` counts its steps, and gives up on a text that would
take more of them than its length allows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LIMIT = 2048
"""Characters of the longest construct."""
_HEAD = 400
"""Characters of a destination that are read before it is known to matter."""
_LABEL = 256
_FEW = 64
"""Destinations in ``LIMIT`` characters that are looked at one by one; of more, all are held."""
_STEPS = 20_000
"""Steps that any text may take; one more for every two characters."""

_OPEN = re.compile(r"<(/?)([A-Za-z][^\s/>\"'=<]{0,255})")
_STOP = re.compile(r"[\"'>]")
_VALUE_NEXT = re.compile(r"=\s{0,64}$")
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'<>/=])([^\s\"'<>/=]{1,256})\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s\"'>][^\s>]*+))"
)
_TARGET = re.compile(
    r"\(\s{0,16}(?:<([^<>\n]*+)>?|((?:[^\s()\\]++|\\.|\([^\s()]*+\))*+))[^)\n]{0,512}+\)?", re.DOTALL
)
_NO_HOST = re.compile(r"\(\s{0,16}<?[^\s:/\\&%wW\u0080-\U0010ffff]{0,64}[\s>)]")
"""A destination that can't name a host or a scheme."""
_DEFINITION = re.compile(
    r"(?:^|\n)[ \t>*+\-\d.)]{0,16}\[(?:[^\[\]\\\n]|\\.|\n(?!\n)){1,256}\]:\s{0,8}(<?[^\s>]{1,2048}>?)"
)
_OPEN_DEFINITION = re.compile(
    r"(?:^|\n)[ \t>*+\-\d.)]{0,16}\[(?:[^\[\]\\\n]|\\.|\n(?!\n)){0,256}(?:\]:?\s{0,8}(?:<?[^\s>]{0,2048})?)?$"
)
_OPEN_LABEL = re.compile(r"!?\[(?:[^\[\]\n]|\n(?!\n)){0,256}$|!$")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2048})>")
_URL = re.compile(
    r"(?:\b|(?<=_))(?:(?:https?|ftps?|wss?|gopher):[\\/]{0,8}(?=[^\s<>\"'`)\]}|*])|(?:file|blob):(?=[\\/h])"
    r"|(?:javascript|vbscript):(?=[\w/(%&])|data:(?=[\w.+-]{0,40}[/;,])|www\.)"
    r"[^\s<>\"'`)\]}|]*|(?:https?|ftp)(?:&#|%3a|&colon;)[^\s<>\"'`)\]}|]*",
    re.IGNORECASE,
)


class TooMuch(Exception):
    """The text holds more markup than any answer does."""


@dataclass(frozen=True, slots=True)
class Tag:
    start: int
    end: int
    name: str
    """Lower case."""
    attributes: str
    closed: bool
    """Whether its ``>`` is there."""

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Names in lower case, with their values as written."""
        for found in _ATTRIBUTE.finditer(self.attributes):
            yield found[1].lower(), next((given for given in found.groups()[1:] if given is not None), "")

    def spans(self) -> Iterator[tuple[str, int, int]]:
        """Names in lower case, with the place of name and value in the text."""
        base = self.end - self.closed - len(self.attributes)
        for found in _ATTRIBUTE.finditer(self.attributes):
            yield found[1].lower(), base + found.start(), base + found.end()


@dataclass(frozen=True, slots=True)
class Address:
    """An address in the place of a link: Markdown's or a bare one."""

    start: int
    end: int
    address: str
    rule: str
    image: bool = False


@dataclass
class Markup:
    """One text, read once. Raises TooMuch."""

    text: str
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        self.steps = _STEPS + len(self.text) // 2

    def _spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch

    def tags(self) -> Iterator[Tag]:
        """Every tag, also inside others. One that is not closed within ``LIMIT`` characters, or is cut off by
        the end of the text, is not ``closed``."""
        text, ahead = self.text, -1
        for found in _OPEN.finditer(text):
            start, stop = found.start(), min(len(text), found.start() + LIMIT)
            if 0 <= ahead < found.end() or ahead == -1:
                ahead = text.find(">", found.end())
                ahead = len(text) if ahead < 0 else ahead
            end = self._end(found.end(), stop) if ahead < stop else -1
            closed = end >= 0
            last = end if closed else stop
            self._spend(1 + (last - start) // 64)
            yield Tag(start, last, found[2].lower(), text[found.end() : last - closed], closed)

    def _end(self, at: int, stop: int) -> int:
        """Behind the ``>`` that ends the tag, as browsers find it: quotes count only where a value begins."""
        text, begin = self.text, at
        while True:
            self._spend(1)
            found = _STOP.search(text, at, stop)
            if found is None:
                return -1
            at = found.end()
            if found.group() == ">":
                return at
            if _VALUE_NEXT.search(text[max(begin, found.start() - 66) : found.start()]):
                at = text.find(found.group(), at, stop) + 1
                if not at:
                    return -1

    def addresses(self) -> Iterator[Address]:
        """Every address that Markdown would make a link or an image of, and every bare one."""
        yield from self._inline()
        for found in _DEFINITION.finditer(self.text):
            yield Address(*found.span(1), found[1].strip("<>"), "reference")
        for found in _AUTOLINK.finditer(self.text):
            yield Address(*found.span(), found[1], "autolink")
        for found in _URL.finditer(self.text):
            yield Address(*found.span(), found.group(), "address")

    def _inline(self) -> Iterator[Address]:
        text, closing = self.text, self.text.find("](")
        while closing >= 0:
            opening = closing + 1
            if not _NO_HOST.match(text, opening):
                self._spend(2)
                target = _TARGET.match(text, opening, opening + _HEAD)
                if target and target.end() == opening + _HEAD:
                    self._spend(8)
                    target = _TARGET.match(text, opening, opening + LIMIT + 512)
                if target:
                    start = label_start(text, closing)
                    address = target[1] if target[1] is not None else target[2]
                    image = text.startswith("!", start)
                    yield Address(start, target.end(), address, _INLINE[image], image)
            closing = text.find("](", closing + 2)


_INLINE = {False: "markdown-link", True: "markdown-image"}


def label_start(text: str, closing: int) -> int:
    """Where the label begins whose bracket closes there, ``!`` included."""
    opening = text.rfind("[", max(0, closing - _LABEL), closing)
    if opening < 0:
        return closing
    return opening - 1 if opening and text[opening - 1] == "!" else opening


def unfinished(text: str) -> int:
    """Offset of the first construct that what follows may complete; ``len(text)`` when there is none. Of the
    text only the last ``LIMIT`` characters count: what is longer is dealt with as it is."""
    low = max(0, len(text) - LIMIT)
    tail = text[low:]
    return low + min(_open_tag(tail), _open_link(tail))


def _open_tag(text: str) -> int:
    begun = text.rfind("<") if text.endswith(("<", "</", "<!", "<?")) else len(text)
    try:
        open_tags = [tag.start for tag in Markup(text).tags() if not tag.closed]
    except TooMuch:
        return len(text)  # the verdict on this text is a block
    return min(open_tags, default=begun)


def _open_link(text: str) -> int:
    hold, at = len(text), text.find("](")
    few = text.count("](") <= _FEW
    while at >= 0:
        target = _TARGET.match(text, at + 1) if few else None
        if target is None or target.end() == len(text):
            hold = label_start(text, at)
            break
        at = text.find("](", at + 2)
    defined = _OPEN_DEFINITION.search(text)
    if defined:
        hold = min(hold, defined.start() + text.startswith("\n", defined.start()))
    if text.endswith("]"):
        hold = min(hold, label_start(text, len(text) - 1))
    label = _OPEN_LABEL.search(text)
    return min(hold, label.start()) if label else hold
