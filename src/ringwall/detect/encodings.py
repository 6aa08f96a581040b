"""Readings of encoded bytes and characters: base64, base32, base58, base85, hexadecimal, binary and decimal
codes, percent and quoted-printable, entities, escapes, punycode.

Each takes a view and yields at most one made from it, in which every run that decodes to text that a person
could read stands decoded where it was; so payloads that are split over several runs come together again.
"""

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from .views import Encoded, Piece, Refine, Span, View, Way, changed
from .wordlist import fluency, words

MAX_INFLATED = 262_144
"""Bytes that one compressed run may give; what follows is left out."""
_HEAD = 400
_FLUENT = -3.4
"""Letter pairs less likely than this are no language."""

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,65536}={0,2}")
_BASE64_PARTS = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{4,120}(?:[ \t]{1,2}|[ \t]{0,8}\r?\n[ \t]{0,8})){1,900}"
    r"[A-Za-z0-9+/_-]{2,120}={0,2}"
)
_BASE32 = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{16,65536}|[a-z2-7]{16,65536})={0,6}(?![A-Za-z0-9])")
_BASE58 = re.compile(r"(?<![A-Za-z0-9])[1-9A-HJ-NP-Za-km-z]{16,512}(?![A-Za-z0-9])")
_BASE85 = re.compile(r"<~[!-u\sz]{10,65536}~>|(?<![!-~])[!-~]{20,65536}")
_HEX = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,;-]{0,2}){5,32768}(?:0x|\\x)?[0-9A-Fa-f]{2}"
)
_HEX_SOLID = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{12,65536}")
_BINARY = re.compile(
    r"(?<![0-9])(?:(?:[01]{8}[ ,\n]{0,2}){2,8192}[01]{8}|(?:[01]{7}[ ,\n]{1,2}){3,8192}+[01]{7})"
)
_NUMBERS = re.compile(r"(?<![0-9.])(?:[0-9]{2,3}[ ,;]{1,3}){6,4096}[0-9]{2,3}(?![0-9.])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){1,4096}")
_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2}){1,4096}|=\r?\n")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,24});?")
_ESCAPE = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u\{?[0-9A-Fa-f]{4,6}\}?|U[0-9A-Fa-f]{8}|[0-7]{3})|\b[Uu]\+[0-9A-Fa-f]{4,6} ?"
)
_PUNYCODE = re.compile(r"\bxn--[a-z0-9-]{2,60}", re.IGNORECASE)
_BASE58_DIGITS = {
    char: at for at, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}


def readable(data: bytes) -> str:
    """The bytes as text, or nothing if a person could not read it."""
    return _read(data)[0]


def _read(data: bytes) -> tuple[str, str]:
    """Text and its encoding; compressed bytes are inflated first, and then have none."""
    if data[:2] == b"\x1f\x8b" or data[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        return _read(_inflated(data))[0], ""
    if len(data) < 6:
        return "", ""
    encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return "", ""
    head = text[:_HEAD]
    good = sum(char in "\t\n\r" or unicodedata.category(char)[0] in "LMNPZS" for char in head)
    letters = sum(char.isalpha() or char == " " or char in "%&;=\\" for char in head)
    return (text, encoding) if good >= 0.92 * len(head) and letters >= len(head) / 2 else ("", "")


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, MAX_INFLATED)
    except zlib.error:
        return b""


def _in_place(
    name: str, view: View, runs: Iterable[Span], decode: Callable[[str], str], refine: Refine | None
) -> Iterator[View]:
    pieces: list[Piece] = []
    done = 0
    for start, end in runs:
        if start < done:
            continue
        run = view.text[start:end]
        new = decode(run)
        if new and new != run:
            pieces.append((start, end, new))
            done = end
    if pieces:
        yield changed(name, view, pieces, refine)


def _spans(pattern: re.Pattern[str], view: View) -> Iterator[Span]:
    return (found.span() for found in pattern.finditer(view.text))


def _by_bits(alphabet: re.Pattern[str], bits: int, decode: Callable[[str], bytes]) -> Refine:
    """For codes of which each digit carries so many bits."""

    def refine(run: str, new: str) -> Way | None:
        encoding = _read(decode(run))[1]
        if not encoding:
            return None

        def places() -> Sequence[Span]:
            digits = [found.start() for found in alphabet.finditer(run)]
            top = len(digits) - 1
            return [
                (digits[min(8 * at // bits, top)], digits[min((8 * at + 7) // bits, top)] + 1)
                for at in range(len(digits) * bits // 8 or 1)
            ]

        return Encoded(new, encoding, places)

    return refine


def _base64(run: str) -> bytes:
    packed = "".join(run.split()).replace("-", "+").replace("_", "/").rstrip("=")
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return b""


def _base64_text(run: str) -> str:
    if (
        len(run) > _HEAD
        and not readable(_base64(run[:_HEAD]))
        and run[:2] not in ("H4", "eJ", "eA", "eN", "eF")
    ):
        return ""
    return readable(_base64(run))


_BASE64_DIGIT = re.compile(r"[A-Za-z0-9+/_-]")


def from_base64(view: View) -> Iterator[View]:
    yield from _in_place(
        "base64", view, _base64_runs(view.text), _base64_text, _by_bits(_BASE64_DIGIT, 6, _base64)
    )


def _base64_runs(text: str) -> Iterator[Span]:
    """Runs that go on over spaces and lines, words taken off; then single ones."""
    runs = [found.span() for found in _BASE64.finditer(text)]
    for found in _BASE64_PARTS.finditer(text):
        runs += [span for span in _packed(text, *found.span()) if _base64_text(text[span[0] : span[1]])]
    yield from sorted(runs, key=lambda run: (run[0], -run[1]))


def _packed(text: str, start: int, end: int) -> Iterator[Span]:
    """Stretches of tokens that are no words."""
    known = words()
    first = last = -1
    for token in _TOKEN.finditer(text, start, end):
        word = token.group()
        if word.lower() in known or (word.isalpha() and word[1:].islower()):
            if 0 <= first < last:
                yield first, last
            first = -1
            continue
        if first < 0:
            first, last = token.start(), -1
            end_of_first = token.end()
            continue
        last = max(token.end(), end_of_first)
    if 0 <= first < last:
        yield first, last


_TOKEN = re.compile(r"\S{1,200}")


def _base32(run: str) -> bytes:
    packed = run.rstrip("=").upper()
    packed = packed[: len(packed) - (len(packed) % 8 in (1, 3, 6))]
    try:
        return base64.b32decode(packed + "=" * (-len(packed) % 8))
    except (binascii.Error, ValueError):
        return b""


_BASE32_DIGIT = re.compile(r"[A-Za-z2-7]")


def from_base32(view: View) -> Iterator[View]:
    refine = _by_bits(_BASE32_DIGIT, 5, _base32)
    yield from _in_place("base32", view, _spans(_BASE32, view), lambda run: readable(_base32(run)), refine)


def from_base58(view: View) -> Iterator[View]:
    yield from _in_place("base58", view, _spans(_BASE58, view), lambda run: _ascii(_base58(run)), None)


def _base58(run: str) -> bytes:
    number = 0
    for char in run:
        number = number * 58 + _BASE58_DIGITS[char]
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _ascii(data: bytes) -> str:
    """For codes that decode anything: plain ASCII text alone counts."""
    text = readable(data)
    return (
        text
        if text.isascii() and sum(char.isalpha() or char == " " for char in text) > 0.8 * len(text)
        else ""
    )


def from_base85(view: View) -> Iterator[View]:
    yield from _in_place("base85", view, _spans(_BASE85, view), _base85, None)


def _base85(run: str) -> str:
    if run.isalnum():
        return ""
    framed = run.startswith("<~") and run.endswith("~>")
    try:
        text = _ascii(base64.a85decode(run, adobe=framed))
    except ValueError:
        text = ""
    if text or framed:
        return text
    try:
        return _ascii(base64.b85decode(run))
    except ValueError:
        return ""


_HEX_NOISE = re.compile(r"0x|\\x|[ :,;-]")
_HEX_DIGIT = re.compile(r"(?<![0-9A-Fa-f\\])0x|\\x|(?P<digit>[0-9A-Fa-f])")


def _hex(run: str) -> bytes:
    digits = _HEX_NOISE.sub("", run)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _hex_way(run: str, new: str) -> Way | None:
    encoding = _read(_hex(run))[1]
    if not encoding:
        return None
    digits = [found.start() for found in _HEX_DIGIT.finditer(run) if found["digit"]]
    return Encoded(
        new, encoding, lambda: [(a, b + 1) for a, b in zip(digits[::2], digits[1::2], strict=False)]
    )


def from_hex(view: View) -> Iterator[View]:
    """Runs over gaps first, then solid ones: a word before the code may look like a part of it."""
    runs = sorted([*_spans(_HEX, view), *_spans(_HEX_SOLID, view)], key=lambda run: (run[0], -run[1]))
    yield from _in_place("hex", view, runs, lambda run: readable(_hex(run)), _hex_way)


def from_binary(view: View) -> Iterator[View]:
    yield from _in_place("binary", view, _spans(_BINARY, view), lambda run: _ascii(_bits(run)), _bits_way)


def _bit_groups(run: str) -> list[re.Match[str]]:
    size = 7 if re.match(r"[01]{7}(?:[^01]|$)", run) else 8
    return list(re.compile(f"[01]{{{size}}}").finditer(run))


def _bits(run: str) -> bytes:
    return bytes(int(group.group(), 2) for group in _bit_groups(run))


def _bits_way(run: str, new: str) -> Way | None:
    return Encoded(new, "ascii", lambda: [group.span() for group in _bit_groups(run)])


_NUMBER = re.compile(r"[0-9]{2,3}")


def from_numbers(view: View) -> Iterator[View]:
    """Decimal and octal codes of characters."""
    yield from _in_place("codes", view, _spans(_NUMBERS, view), _numbers, _numbers_way)


def _numbers(run: str) -> str:
    for base in (10, 8):
        try:
            codes = [int(number, base) for number in _NUMBER.findall(run)]
        except ValueError:
            continue
        if all(32 <= code < 127 or code in (9, 10, 13) for code in codes):
            text = _ascii(bytes(codes))
            if text and fluency("".join(filter(str.isalpha, text)).lower()) > _FLUENT:
                return text
    return ""


def _numbers_way(run: str, new: str) -> Way | None:
    return Encoded(new, "ascii", lambda: [number.span() for number in _NUMBER.finditer(run)])


def from_percent(view: View) -> Iterator[View]:
    def decode(run: str) -> str:
        return bytes.fromhex(run.replace("%", "")).decode("utf-8", "replace")

    yield from _in_place("url", view, _spans(_PERCENT, view), decode, _threes)


def _threes(run: str, new: str) -> Way | None:
    data = bytes.fromhex(re.sub("[%=]", "", run)) if len(run) % 3 == 0 else b""
    if new.encode() != data:
        return None
    return Encoded(new, "utf-8", lambda: [(at, at + 3) for at in range(0, len(run), 3)])


def from_printable(view: View) -> Iterator[View]:
    pieces: list[Piece] = []
    for run in _PRINTABLE.finditer(view.text):
        old = run.group()
        new = "" if old[1:2] in "\r\n" else bytes.fromhex(old.replace("=", "")).decode("utf-8", "replace")
        pieces.append((run.start(), run.end(), new))
    if pieces:
        yield changed("quoted-printable", view, pieces, _threes)


def from_entities(view: View) -> Iterator[View]:
    yield from _in_place("html", view, _spans(_ENTITY, view), html.unescape, None)


def from_escapes(view: View) -> Iterator[View]:
    yield from _in_place("escapes", view, _spans(_ESCAPE, view), _unescape, None)


def _unescape(run: str) -> str:
    octal = run[0] == "\\" and run[1] in "01234567"
    code = int(run[1:] if octal else run[2:].strip("{} "), 8 if octal else 16)
    return chr(code) if code <= 0x10FFFF else run


def from_punycode(view: View) -> Iterator[View]:
    yield from _in_place("punycode", view, _spans(_PUNYCODE, view), _label, None)


def _label(run: str) -> str:
    try:
        return run[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return ""
