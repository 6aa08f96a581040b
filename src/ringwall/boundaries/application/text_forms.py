"""Forms of a text under which copies of it are recognised: folded, squeezed, decoded, and in fragments.

All are linear in the text and cut off at fixed sizes.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

MAX_CHARACTERS = 200_000
"""What lies beyond is not searched: bounds in front of this keep messages shorter."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_NOT_WORD = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W_]+(?:[._@+\-][^\W_]+)*")
_MAX_RUNS = 64
SHINGLE = 4
"""Words that make a fragment."""
_SIGNIFICANT = 7


def fold(text: str) -> str:
    """Compatibility form, without case, blanks collapsed."""
    return " ".join(_compatible(text).casefold().split())


def lowered(text: str) -> str:
    """As ``fold``, but letters stay apart that are not the same: "ß" is not "ss", in names of hosts too."""
    return " ".join(_compatible(text).lower().split())


def _compatible(text: str) -> str:
    cut = text[:MAX_CHARACTERS]
    return cut if cut.isascii() else unicodedata.normalize("NFKC", cut)


def squeeze(folded: str) -> str:
    """Letters and digits only."""
    return _NOT_WORD.sub("", folded)


def fingerprint(text: str) -> str:
    """SHA-256 of the folded text, hexadecimal: equal for copies that differ in case or blanks."""
    return hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).hexdigest()


def decoded(text: str) -> Iterator[str]:
    """Readable texts that hide in the text as base64, hexadecimal or percent signs. Two layers at most."""
    for once in _decode(text[:MAX_CHARACTERS]):
        yield once
        yield from _decode(once)


def _decode(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        plain = unquote_plus(text)
        if plain != text:
            yield plain
    for index, run in enumerate(_HEX.finditer(text)):
        if index >= _MAX_RUNS:
            break
        yield from _readable(bytes.fromhex(run.group()))
    for index, run in enumerate(_BASE64.finditer(text)):
        if index >= _MAX_RUNS:
            break
        body = run.group().rstrip("=").replace("-", "+").replace("_", "/")
        if len(body) % 4 == 1:
            body = body[:-1]
        try:
            yield from _readable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
        except binascii.Error:
            continue


def _readable(raw: bytes) -> Iterator[str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        yield text


def fragments(folded: str) -> frozenset[int]:
    """Hashes of runs of ``SHINGLE`` words, and of single words that name something: those that hold a digit
    or a sign as addresses, numbers and codes do, and long ones."""
    words = _WORD.findall(folded)
    found = {hash(tuple(words[i : i + SHINGLE])) for i in range(len(words) - SHINGLE + 1)}
    for word in words:
        if len(word) >= _SIGNIFICANT and not word.isalpha():
            found.add(hash(word))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of one text."""

    folded: str
    lowered: str
    squeezed: str
    """Squeezed text and, after a separator, each decoded one."""
    fragments: frozenset[int]
    """Of the text and of what is decoded from it."""

    @classmethod
    def of(cls, text: str) -> "Forms":
        folded, lower = fold(text), lowered(text)
        views = [folded, *(fold(view) for view in decoded(text))]
        squeezed = "\0".join(squeeze(view) for view in views)
        pieces = frozenset().union(*(fragments(view) for view in views))
        return cls(folded, folded if lower == folded else lower, squeezed, pieces)


class FormsCache:
    """Forms by text, least recently used out first; bounded by the characters kept."""

    def __init__(self, characters: int = 16_000_000) -> None:
        self._limit = characters
        self._kept = 0
        self._forms: OrderedDict[str, Forms] = OrderedDict()

    def get(self, text: str) -> Forms:
        forms = self._forms.get(text)
        if forms is not None:
            self._forms.move_to_end(text)
            return forms
        forms = self._forms[text] = Forms.of(text)
        self._kept += len(text)
        while self._kept > self._limit and len(self._forms) > 1:
            out, _ = self._forms.popitem(last=False)
            self._kept -= len(out)
        return forms
