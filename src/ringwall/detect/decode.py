"""Readings of an encoded run: base64, hexadecimal, percent, entities, escapes, ROT13, spaced letters, leet.

Each takes a view and yields views made from it. Only runs that could hide an instruction are decoded: the
result must be text that a person could read.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import unquote

from .unify import selected
from .views import InStep, Mirrored, View, Whole, changed, named

MAX_RUN = 65_536
"""Characters of one encoded run that are decoded; what follows is left as it is."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,65536}={0,2}")
_BASE64_LINES = re.compile(r"(?:[A-Za-z0-9+/]{60,80}\r?\n){1,900}[A-Za-z0-9+/]{0,80}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]?){8,32768}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,24});?")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u\{?[0-9A-Fa-f]{4,6}\}?|U[0-9A-Fa-f]{8}|[0-7]{3})")
_SPACED = re.compile(r"(?:(?<![^\W_])[^\W_](?:[ .\-_*|/,+~]{1,3})){4,2000}[^\W_](?![^\W_])")
_SEPARATOR = re.compile(r"[ .\-_*|/,+~]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,65536}")
_LEET = str.maketrans("013457@$!|", "oieastasii")
_LEET_L = str.maketrans("013457@$!|", "oleastasil")
_JOINED = re.compile(
    "(ignore|disregard|forget|override|bypass|previous|prior|above|earlier|instructions?|rules?|system|prompts?|"
    "reveal|show|print|repeat|your|the|all|any|every|guidelines?|safety|filters?|developer|mode|without|"
    "restrictions?|jailbreak|unrestricted|password|secret|hidden|messages?|everything|initial|now|you|are|and|no|tell|me)",
    re.IGNORECASE,
)


def readable(data: bytes) -> str:
    """The bytes as text, or nothing if a person could not read it."""
    if len(data) < 8:
        return ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = data.decode("utf-16-le") if data[1:2] == b"\0" else ""
        except UnicodeDecodeError:
            return ""
    if not text:
        return ""
    head = text[:400]
    good = sum(char in "\t\n\r" or unicodedata.category(char)[0] in "LNPZS" for char in head)
    return (
        text
        if good >= 0.92 * len(head) and sum(c.isalpha() or c == " " for c in head) >= len(head) / 2
        else ""
    )


def from_base64(view: View) -> Iterator[View]:
    runs = list(_BASE64_LINES.finditer(view.text)) if "\n" in view.text else []
    for run in [*runs, *_BASE64.finditer(view.text)]:
        packed = "".join(run.group().split()).replace("-", "+").replace("_", "/").rstrip("=")
        packed = packed[: len(packed) - (len(packed) % 4 == 1)]
        try:
            text = readable(base64.b64decode(packed + "=" * (-len(packed) % 4)))
        except (binascii.Error, ValueError):
            continue
        if text:
            yield _decoded("base64", text, view, run)


def from_hex(view: View) -> Iterator[View]:
    for run in _HEX.finditer(view.text):
        digits = re.sub(r"0x|\\x|[ :,]", "", run.group())
        text = readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
        if text:
            yield _decoded("hex", text, view, run)


def from_selectors(view: View) -> Iterator[View]:
    """Bytes hidden in variation selectors (VS1-16 are 0-15, VS17-256 are 16-255)."""
    for run in _SELECTORS.finditer(view.text):
        text = selected(run.group())
        if text:
            yield _decoded("variation-selectors", text, view, run)


def _decoded(name: str, text: str, view: View, run: re.Match[str]) -> View:
    return View(named(view, name), text, view, Whole(run.start(), run.end()), view.depth + 1)


def from_percent(view: View) -> Iterator[View]:
    yield from _substituted("url", view, _PERCENT, lambda run: unquote(run, errors="replace"))


def from_entities(view: View) -> Iterator[View]:
    yield from _substituted("html", view, _ENTITY, html.unescape)


def from_escapes(view: View) -> Iterator[View]:
    yield from _substituted("escapes", view, _ESCAPE, _unescape)


def _unescape(run: str) -> str:
    digits = run[1:] if run[1] in "01234567" else run[2:].strip("{}")
    code = int(digits, 8 if run[1] in "01234567" else 16)
    return chr(code) if code <= 0x10FFFF else run


def from_spaced(view: View) -> Iterator[View]:
    yield from _substituted("spaced", view, _SPACED, _unspace)


def _unspace(run: str) -> str:
    """``i g n o r e  a l l`` -> ``ignore all``; without wider gaps, known words are set apart."""
    words = re.split(r"\s{2,}", run)
    joined = [_SEPARATOR.sub("", word) for word in words]
    if len(joined) > 1:
        return " ".join(joined)
    return " ".join(_JOINED.sub(r" \1 ", joined[0]).split())


def _substituted(
    name: str, view: View, pattern: re.Pattern[str], change: Callable[[str], str]
) -> Iterator[View]:
    pieces = []
    for run in pattern.finditer(view.text):
        new = change(run.group())
        if new != run.group():
            pieces.append((run.start(), run.end(), new))
    if pieces:
        yield changed(name, view, pieces)


def from_leet(view: View) -> Iterator[View]:
    yield _translated("leet", view, view.text.translate(_LEET))
    if "1" in view.text or "!" in view.text:
        yield _translated("leet", view, view.text.translate(_LEET_L))


def from_rot13(view: View) -> Iterator[View]:
    yield _translated("rot13", view, codecs.encode(view.text, "rot13"))


def _translated(name: str, view: View, text: str) -> View:
    return View(named(view, name), text, view, InStep(), view.depth + 1)


def from_reversed(view: View) -> Iterator[View]:
    yield View(named(view, "reversed"), view.text[::-1], view, Mirrored(len(view.text)), view.depth + 1)


DECODERS: Mapping[str, Callable[[View], Iterable[View]]] = {
    "base64": from_base64,
    "hex": from_hex,
    "url": from_percent,
    "html": from_entities,
    "escapes": from_escapes,
    "spaced": from_spaced,
    "leet": from_leet,
    "rot13": from_rot13,
    "reversed": from_reversed,
}
TRIGGERS: Mapping[str, str] = {
    "base64": r"[A-Za-z0-9+/_-]{20}",
    "hex": r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]?){10}",
    "url": r"%[0-9A-Fa-f]{2}[^%]{0,3}%[0-9A-Fa-f]{2}",
    "html": r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|lt|gt|quot|apos|amp|colon|Tab|NewLine|lpar|nbsp|zwnj"
    r"|shy)",
    "escapes": r"\\(?:x[0-9A-Fa-f]{2}|u\{?[0-9A-Fa-f]{4})",
    "spaced": r"\b[A-Za-z0-9][ .\-_*|/,+~]{1,3}[A-Za-z0-9][ .\-_*|/,+~]{1,3}[A-Za-z0-9][ .\-_*|/,+~]{1,3}"
    r"[A-Za-z0-9][ .\-_*|/,+~]{1,3}[A-Za-z0-9]\b",
    "leet": r"[A-Za-z][013457@$!|]{1,2}[A-Za-z]",
    "rot13": r"\b(?:[Vv]tabe[er]{1,2}|vtaber|cerivbhf|vafgehpgvbaf?|flfgrz|cebzcg|eriny|erirny"
    r"|[Qq]vfertneq|sbetrg|[Oo]lcnff)\b",
    "reversed": r"\b(?:erongi|suoiverp|snoitcurtsni|tpmorp|metsys|drageridsid|drager[sS]id|tegrof|laever)\b",
}
"""Cheap signs that a decoder may find something; most text has none of them."""
