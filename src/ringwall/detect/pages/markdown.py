"""Markdown (CommonMark, with the HTML and the footnotes that may stand in it): what a rendered page shows, as
Markdown, and what it hides.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from .html import Hidden, prose, read_html

_LESS = re.compile("<")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,60}|~{3,60})(?P<info>[^\n]{0,2000})$")
_SPAN = re.compile(r"(`{1,20})(?!`)(?:[^`\n]|\n(?!\n)){1,5000}?(?<!`)\1(?!`)")
_ESCAPED = re.compile(r"\\[<>\[\]!\"'()`]")
_TAG = re.compile(
    r"</[A-Za-z][\w\-]{0,63}\s{0,9}>"
    r"|<(?P<name>[A-Za-z][\w\-]{0,63})(?P<given>(?:\s{1,9}[A-Za-z_:][\w.:\-]{0,63}"
    r"(?:\s{0,9}=\s{0,9}(?:\"[^\"]{0,1000}\"|'[^']{0,1000}'|[^\s\"'=<>`]{1,1000}))?){0,40})\s{0,9}/?>"
    r"|<(?:!--|\?|!\[CDATA\[|![A-Za-z])"
)
_BLOCK = re.compile(
    r"</?(?:address|article|aside|base|blockquote|body|caption|center|col|dd|details|dialog|dir|div|dl|dt"
    r"|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|meta"
    r"|nav|noframes|ol|optgroup|option|p|param|pre|script|search|section|style|summary|table|tbody|td|template"
    r"|textarea|tfoot|th|thead|title|tr|track|ul)(?=[\s/>])",
    re.IGNORECASE,
)
_INLINE_NAMES = """
a abbr annotation audio b bdi bdo big br button canvas cite code datalist defs del desc dfn em font i img
input ins kbd label mark math metadata noembed noscript object picture q rp rt ruby s samp select small span
strike strong sub sup svg symbol template text textarea time title tspan u var video
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_TITLE = r"(?:\"[^\"]{0,4000}\"|'[^']{0,4000}'|\([^()]{0,4000}\))"
_DEFINITION = re.compile(
    r"^ {0,3}\[(?P<label>[^\[\]\n]{1,400})\]:[ \t]{0,20}\n?[ \t]{0,20}"
    r"(?P<target><[^<>\n]{0,2000}>|[^\s<][^\s]{0,2000})"
    rf"(?P<title>[ \t]{{0,20}}\n?[ \t]{{0,20}}{_TITLE})?[ \t]{{0,20}}$",
    re.MULTILINE,
)
_FOOTNOTE = re.compile(
    r"^ {0,3}\[\^(?P<label>[^\[\]\n]{1,100})\]:"
    r"(?P<text>[^\n]{0,10000}(?:\n {2,8}[^\n]{1,10000}){0,50})",
    re.MULTILINE,
)
_LINK = re.compile(
    r"(?P<picture>!?)\[(?P<text>[^\[\]\n]{0,1000})\]"
    r"\((?P<target>[ \t]{0,9}(?:<[^<>\n]{0,2000}>|[^\s()<>\"']{0,2000}))"
    rf"(?P<title>[ \t\n]{{1,9}}{_TITLE})?[ \t]{{0,9}}\)"
)
_PICTURE = re.compile(r"!\[(?P<text>[^\[\]\n]{1,1000})\](?P<label>\[[^\[\]\n]{0,400}\])")
_USED = re.compile(r"\[(\^?[^\[\]\n]{1,400})\](?!:)")
_QUOTES = " \t\n\"'()"


def read_markdown(source: str) -> tuple[str, list[Hidden]]:
    """What is shown, still as Markdown but without what a reader does not see; and that. Code stays."""
    code, asides = _code(source)
    hidden = [Hidden("attribute", source[start:end].strip()) for start, end in asides]
    masked = _masked(source, code)
    page = read_html(_LESS.sub(_tag_or_text, masked))
    hidden += [piece for piece in page.hidden if piece.how != "unfinished"]
    blank = bytearray(len(source))
    for start, end in [*page.gone, *asides]:
        blank[start:end] = b"\x01" * (end - start)
    masked = "".join(
        " " if gone and letter != "\n" else letter for letter, gone in zip(masked, blank, strict=True)
    )
    for start, end, how, text in _marks(masked):
        blank[start:end] = b"\x01" * (end - start)
        if text.strip():
            hidden.append(Hidden(how, " ".join(text.split())))
    shown = "".join(letter for letter, gone in zip(source, blank, strict=True) if not gone)
    return shown, hidden


def _tag_or_text(found: re.Match[str]) -> str:
    """``<`` where it begins a tag, as CommonMark 0.31 has it (4.6, 6.6); else a letter that is none."""
    text, at = found.string, found.start()
    line = text.rfind("\n", max(0, at - 4), at) + 1
    if _BLOCK.match(text, at) and (line or at < 4) and not text[line:at].strip():
        return "<"
    tag = _TAG.match(text, at)
    if not tag:
        return "\x00"
    known = not tag["name"] or tag["given"] or tag["name"].lower() in _INLINE or _BLOCK.match(text, at)
    return "<" if known else "\x00"


def _code(source: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where code stands, in which nothing is mark-up; and what stands behind the language of a fence, which
    nobody sees."""
    found: list[tuple[int, int]] = []
    asides: list[tuple[int, int]] = []
    fence, start, at, plain = "", 0, 0, 0
    blank = True
    for line in source.splitlines(keepends=True):
        opening = _FENCE.match(line.rstrip("\n"))
        if fence:
            if opening and opening["fence"].startswith(fence) and not opening["info"].strip():
                found.append((start, at))
                fence, plain = "", at + len(line)
        elif opening and not (opening["fence"][0] == "`" and "`" in opening["info"]):
            _spans(source, plain, at, found)
            fence, start = opening["fence"], at + len(line)
            if prose(opening["info"]):
                asides.append((at + opening.start("info") + len(opening["info"].split()[0]), start - 1))
        elif blank and line.startswith(("    ", "\t")) and line.strip():
            found.append((at, at + len(line)))
            at += len(line)
            continue  # the next line may go on with it
        blank = not line.strip()
        at += len(line)
    if fence:
        found.append((start, at))
    else:
        _spans(source, plain, at, found)
    return found, asides


def _spans(source: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
    found += [one.span() for one in _SPAN.finditer(source, start, end)]
    found += [one.span() for one in _ESCAPED.finditer(source, start, end)]


def _masked(source: str, code: list[tuple[int, int]]) -> str:
    """Code made into letters that are no mark-up; of the same length."""
    pieces: list[str] = []
    at = 0
    for start, end in sorted(code):
        if start < at:
            continue
        pieces += [source[at:start], "".join("\n" if letter == "\n" else "x" for letter in source[start:end])]
        at = end
    return "".join([*pieces, source[at:]])


def _marks(masked: str) -> Iterator[tuple[int, int, str, str]]:
    """What Markdown's own marks hide: start, end, how, and what."""
    used = {label.casefold() for label in _USED.findall(masked)}
    for one in _FOOTNOTE.finditer(masked):
        if f"^{one['label']}".casefold() not in used:
            yield (*one.span(), "comment", one["text"])
    for one in _DEFINITION.finditer(masked):
        title = (one["title"] or "").strip(_QUOTES)
        if one["label"].casefold() in used and title:
            yield (*one.span("title"), "attribute", title)
        elif one["label"].casefold() not in used and not one["label"].startswith("^"):
            label = one["label"] if prose(one["label"]) else ""
            yield (*one.span(), "comment", f"{label} {title} {_target(one['target'])}")
    for one in _LINK.finditer(masked):
        yield from _link(one)
    for one in _PICTURE.finditer(masked):
        yield (*one.span("text"), "attribute", one["text"])


def _link(found: re.Match[str]) -> Iterator[tuple[int, int, str, str]]:
    if found["title"]:
        yield (*found.span("title"), "attribute", found["title"].strip(_QUOTES))
    if found["picture"]:
        yield (*found.span("text"), "attribute", found["text"])
    elif not found["text"].strip():
        yield (*found.span(), "attribute", _target(found["target"]))


def _target(target: str) -> str:
    """What an address says to somebody who reads it; empty when it is only an address."""
    read = unquote_plus(target.strip("<>"))
    return read if prose(read) else ""
