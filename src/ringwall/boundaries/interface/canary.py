"""``interface.canary``: the planted string of the system prompt, in any dress, stops the answer."""

import base64
import re
import string

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Finding,
    NoSettings,
    PartKind,
    Services,
    Verdict,
    Window,
    verdict,
)
from ringwall.detect.confusables import plain

from .leak_forms import folded, morse_of
from .response import ResponseControl, Seen

ID = "interface.canary"
_MORSE_GRAM = 24
GAP = 16
"""Separators between two characters of the canary; a wider gap ends the match."""


class Canary(ResponseControl):
    def __init__(self, canary: str) -> None:
        self._needles = _needles(canary)
        self._morse = morse_of(canary, _MORSE_GRAM) if self._needles else None
        self._longest = max((len(needle) for needle in self._needles), default=1)
        self._heads = frozenset(needle[:end] for needle in self._needles for end in range(1, len(needle) + 1))
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops an answer or call that holds the prompt's canary, plain or encoded.",
                crossings=frozenset({CrossingKind.RESPONSE, CrossingKind.TOOL_CALL}),
                parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL}),
                threats=("LLM01@2023", "LLM06@2023", "LLM07@2025", "LLM02@2025"),
                csf=("DE.CM-09", "PR.DS-10"),
                need=Window(size=4096, overlap=self._longest * (GAP + 1)),
                inline=True,
            )
        )

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        span = self._morse.find(folded(text)) if self._morse else None
        if span:
            return _stopped("morse", *span)
        rough = _rough(text)
        if not any(needle in rough for needle in self._needles):
            return ALLOW
        squeezed, places = _squeeze(text)
        for needle, dress in self._needles.items():
            at = squeezed.find(needle)
            if at >= 0:
                return _stopped(dress, places[at], places[at + len(needle) - 1] + 1)
        return ALLOW

    def hold_from(self, text: str) -> int:
        """Where the longest tail begins that is the head of some form of the canary."""
        hold = self._head_from(text)
        low = max(0, len(text) - 2048)
        return min(hold, low + self._morse.under_way(folded(text[low:]))) if self._morse else hold

    def _head_from(self, text: str) -> int:
        reach = max(0, len(text) - self._longest * (GAP + 1) - 1)
        length = self._head(_rough(text[reach:]))
        if not length:
            return len(text)
        reach = max(reach, len(text) - length * (GAP + 1) - 1)
        squeezed, places = _squeeze(text[reach:])
        exact = self._head(squeezed)
        return reach + places[-exact] if exact else len(text)

    def _head(self, squeezed: str) -> int:
        """Length of the longest end of it that some form begins with."""
        for length in range(min(len(squeezed), self._longest), 0, -1):
            if squeezed[-length:] in self._heads:
                return length
        return 0


def _stopped(dress: str, start: int, end: int) -> Verdict:
    message = "The answer holds the string that was planted in the system prompt."
    view = "" if dress == "plain" else dress
    finding = Finding(ID, f"canary-{dress}", message, 0, start, end, "leak", view=view)
    return verdict(Action.BLOCK, "The answer was about to disclose internal instructions.", [finding])


def _rough(text: str) -> str:
    """As ``_squeeze``, without places and without regard to gaps: quick, and never misses."""
    if text.isascii():
        return text.encode().lower().translate(None, _SEPARATORS).decode()
    return _NOT_ALNUM.sub("", "".join(map(plain, text)).lower())


def _needles(canary: str) -> dict[str, str]:
    """Squeezed form -> how the canary was dressed. Empty for an application without one."""
    if not canary:
        return {}
    forms: dict[str, str] = {}
    for form in {canary, canary.upper(), canary.lower()}:
        data = form.encode()
        forms["".join(f"{byte:02x}" for byte in data)] = "hex"
        forms["".join(f"x{byte:02x}" for byte in data)] = "escapes"
        forms["".join(f"u{byte:04x}" for byte in data)] = "escapes"
        forms["".join(str(byte) for byte in data)] = "entities"
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
            skip = (0, 2, 3)[shift]
            cut = len(coded) if (len(data) + shift) % 3 == 0 else len(coded) - 1
            inner = _squeeze(coded[skip:cut])[0]
            forms[inner] = "base64"
        for shift in range(5):
            coded = base64.b32encode(b"\0" * shift + data).decode().rstrip("=")
            skip = (0, 2, 4, 5, 7)[shift]
            cut = len(coded) if (len(data) + shift) % 5 == 0 else len(coded) - 1
            forms[coded[skip:cut].lower()] = "base32"
        forms["".join(f"{byte:08b}" for byte in data)] = "binary"
        forms["".join(f"{byte:o}" for byte in data)] = "octal"
    plainly, _ = _squeeze(canary)
    for shift in range(1, 26):
        forms[_turned(plainly, shift)] = "rot13" if shift == 13 else "rotated"
    forms[plainly.translate(_ATBASH)] = "atbash"
    forms[plainly.translate(_LEET)] = "leet"
    forms[_squeeze("".join(reversed(canary)))[0]] = "reversed"
    forms[plainly] = "plain"
    return {
        needle: dress
        for needle, dress in sorted(forms.items(), key=lambda item: item[1] != "plain")
        if len(needle) >= 6
    }


def _turned(text: str, shift: int) -> str:
    """The alphabet turned by ``shift`` letters."""
    turned = string.ascii_lowercase[shift:] + string.ascii_lowercase[:shift]
    return text.translate(str.maketrans(string.ascii_lowercase, turned))


def _squeeze(text: str) -> tuple[str, list[int]]:
    """Letters and digits only, lower case, look-alikes folded, with their places. A wide gap is a newline."""
    out: list[str] = []
    places: list[int] = []
    last = -1
    for at, char in enumerate(text):
        kept = char.lower() if char.isascii() else plain(char).lower()
        for one in kept:
            if not one.isalnum():
                continue
            if at - last > GAP + 1 and out:
                out.append("\n")
                places.append(at)
            out.append(one)
            places.append(at)
            last = at
    return "".join(out), places


_ATBASH = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[::-1])
_LEET = str.maketrans("013457", "oieast")
_NOT_ALNUM = re.compile(r"[\W_]+")
_SEPARATORS = bytes(code for code in range(128) if not chr(code).isalnum())


def build(_settings: NoSettings, services: Services) -> Canary:
    return Canary(services.get(Application).canary)


CONTROL = ControlFactory(ID, NoSettings, build)
