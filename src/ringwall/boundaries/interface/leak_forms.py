"""The system prompt in other dresses: what it looks like encoded, and where a text holds a run of that.

Encoding the prompt finds what decoding the answer can't: an encoding without a mark to know it by, cut
anywhere, or with anything between its characters. A run of ``2 * gram - 1`` symbols is always found, a
shorter one sometimes; ordinary text never has one.
"""

import base64
import codecs
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from ringwall.detect.confusables import plain

GAP = 12
"""Other characters between two symbols of one run."""
_CODE = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- "
    "--.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip(string.ascii_lowercase + string.digits, _CODE.split(), strict=True))
_UPPER, _LOWER = string.ascii_uppercase, string.ascii_lowercase
_LETTERS = {**dict(zip(_UPPER, _LOWER, strict=True)), **{char: char for char in _LOWER}}
_LEET = {**_LETTERS, **dict(zip("013457@$!|", "oieastasii", strict=True))}
_HEX = {char: char.lower() for char in string.hexdigits}
_BASE64 = {**{char: char for char in string.ascii_letters + string.digits + "+/"}, "-": "+", "_": "/"}
_BASE32 = {char: char for char in _UPPER + "234567"}
_ATBASH = str.maketrans(_LOWER, _LOWER[::-1])


@dataclass(frozen=True, slots=True)
class Form:
    """One dress."""

    name: str
    shape: str
    """The prompt in it, in its own symbols."""
    symbols: Mapping[str, str]
    """The characters that count in a text, and the symbol that each stands for; others may stand between."""
    gram: int
    """Symbols that are compared at a time."""
    least: int = 6
    """Symbols at the end of a text from which a run may be under way."""
    _grams: frozenset[str] = field(init=False, repr=False)
    _table: bytes = field(init=False, repr=False)
    _dropped: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        size, codes = self.gram, {ord(char): ord(to) for char, to in self.symbols.items()}
        grams = {self.shape[at : at + size] for at in range(max(0, len(self.shape) - size + 1))}
        object.__setattr__(self, "_grams", frozenset(grams))
        object.__setattr__(self, "_table", bytes(codes.get(code, code) for code in range(256)))
        object.__setattr__(self, "_dropped", bytes(code for code in range(256) if code not in codes))

    def find(self, text: bytes) -> tuple[int, int] | None:
        """Where a run of the form stands in the text."""
        read = self._read(text)
        for at in range(0, len(read) - self.gram + 1, self.gram):
            if read[at : at + self.gram] in self._grams:
                places = [place for place, code in enumerate(text) if code not in self._dropped]
                run = places[at : at + self.gram]
                if all(b - a <= GAP + 1 for a, b in pairwise(run)):
                    return run[0], run[-1] + 1
        return None

    def under_way(self, text: bytes) -> int:
        """Where the run begins that the text ends with; ``len(text)`` when there is none."""
        places = self._last(text, self.least)
        if len(places) < self.least or self._at(text, places) not in self.shape:
            return len(text)
        places = self._last(text, 2 * self.gram)
        low, high = self.least, len(places)
        while low < high:
            middle = (low + high + 1) // 2
            if self._at(text, places[:middle]) in self.shape:
                low = middle
            else:
                high = middle - 1
        return places[low - 1]

    def _read(self, text: bytes) -> str:
        return text.translate(self._table, self._dropped).decode("latin-1")

    def _at(self, text: bytes, places: list[int]) -> str:
        return self._read(bytes(text[at] for at in reversed(places)))

    def _last(self, text: bytes, most: int) -> list[int]:
        """Places of the last symbols, from the end on, with no wide gap between them."""
        places: list[int] = []
        last = len(text)
        for at in range(len(text) - 1, -1, -1):
            if last - at > GAP + 1 or len(places) == most:
                break
            if text[at] not in self._dropped:
                places.append(at)
                last = at
        return places


def forms_of(prompt: str) -> list[Form]:
    """The dresses of a prompt that is long enough to be told from chance."""
    shown = folded(prompt).decode("ascii").lower()
    letters = _alpha(shown)
    initials = "".join(word.strip(string.punctuation)[:1] for word in shown.split())
    data = prompt.encode("utf-8", "replace")
    coded = (base64.b64encode(b"\0" * shift + data).decode()[4:].rstrip("=") for shift in range(3))
    found = [
        Form("letters", letters, _LETTERS, 24),
        Form("leet", letters, _LEET, 24),
        Form("rot13", codecs.encode(letters, "rot13"), _LETTERS, 16),
        Form("reversed", letters[::-1], _LETTERS, 16),
        Form("words-reversed", _alpha("".join(reversed(shown.split()))), _LETTERS, 24),
        Form("atbash", letters.translate(_ATBASH), _LETTERS, 16),
        Form("initials", _alpha(initials), _LETTERS, 14, 10),
        Form("hex", data.hex(), _HEX, 20, 8),
        Form("binary", "".join(f"{byte:08b}" for byte in data), {"0": "0", "1": "1"}, 64, 24),
        Form("decimal", "".join(map(str, data)), {char: char for char in string.digits}, 20, 8),
        morse_of(prompt, 48),
        Form("base64", "\n".join(coded), _BASE64, 16, 10),
        Form("base32", base64.b32encode(data).decode().rstrip("="), _BASE32, 16, 10),
    ]
    return [form for form in found if len(form.shape) >= 2 * form.gram]


def morse_of(text: str, gram: int) -> Form:
    """The text in Morse code; what stands between letters and words does not matter."""
    shape = "".join(_MORSE.get(char, "") for char in folded(text).decode("ascii").lower())
    return Form("morse", shape, {".": ".", "-": "-"}, gram, min(16, gram))


def _alpha(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def folded(text: str) -> bytes:
    """One byte for each character: look-alikes as ASCII, dots and dashes of every kind as ``.`` and ``-``,
    anything else as a blank."""
    if text.isascii():
        return text.encode()
    return bytes(map(_byte, text))


def _byte(char: str) -> int:
    if char.isascii():
        return ord(char)
    if char in _DOTS:
        return ord(".")
    if char in _DASHES:
        return ord("-")
    shown = plain(char)
    return ord(shown) if len(shown) == 1 and shown.isascii() else 32


def initials_of(text: bytes) -> tuple[bytes, bytes]:
    """First letters of the lines, and of the words: an acrostic spells a text by them."""
    lower = text.lower()
    lines = b"".join(line.strip(b" \t>*-#0123456789.)")[:1] for line in lower.split(b"\n"))
    return lines, b"".join(word[:1] for word in lower.split())


_DOTS = "\u00b7\u2022\u2219\u22c5\u30fb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc"
