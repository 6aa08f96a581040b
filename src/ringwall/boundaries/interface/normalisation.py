"""``interface.normalisation``: characters that a person can't see but a model reads are taken out."""

import re
import unicodedata

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    NoSettings,
    Part,
    PartControl,
    PartKind,
    Services,
    Verdict,
    verdict,
)
from ringwall.detect.confusables import INVISIBLE

from .call_arguments import kept_json

ID = "interface.normalisation"
_SUSPECT = re.compile(
    "["
    + "".join(re.escape(chr(code)) for code in sorted(INVISIBLE) if code < 0xE0000)
    + "\U000e0000-\U000e0fff]+"
)
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{3,6}\U000e007f")
_RTL_MARKS = frozenset("\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u202a\u202b\u202c")
_JOINERS = frozenset("\u200c\u200d")
_NAMES = {
    "tags": "Unicode tag characters, which spell text that only a model reads",
    "bidi": "Direction controls, which show text in another order than a model reads it",
    "selectors": "Variation selectors, which can carry hidden bytes",
    "invisible": "Invisible characters",
}


class Normalisation(PartControl):
    """Emoji sequences, joiners of scripts that need them, direction marks in Arabic or Hebrew text stay."""

    def __init__(self) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Takes out invisible characters that smuggle text past people and detectors.",
                crossings=frozenset(
                    {
                        CrossingKind.REQUEST,
                        CrossingKind.CONTRIBUTION,
                        CrossingKind.RETRIEVAL,
                        CrossingKind.TOOL_RESULT,
                    }
                ),
                parts=frozenset({PartKind.TEXT, PartKind.DOCUMENT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT}),
                threats=("LLM01@2023", "LLM03@2023", "LLM01@2025", "LLM04@2025"),
                csf=("PR.DS-10", "DE.CM-09"),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        text = part.text
        if text.isascii() and text.isprintable():
            return ALLOW
        spans = _smuggled(text)
        if not spans:
            return ALLOW
        findings = [
            Finding(ID, kind, f"{_NAMES[kind]} were taken out.", 0, start, end, "smuggling")
            for start, end, kind in spans
        ]
        edits = [Edit(0, start, end) for start, end, _ in spans]
        if part.kind is PartKind.TOOL_CALL:
            edits = kept_json(text, edits)
        return verdict(Action.TRANSFORM, "Invisible characters were taken out.", findings, edits)


def _smuggled(text: str) -> list[tuple[int, int, str]]:
    """Runs of characters to take out, with their kind."""
    spans: list[tuple[int, int, str]] = []
    rtl: bool | None = None
    flags = [found.span() for found in _FLAG.finditer(text)]
    for run in _SUSPECT.finditer(text):
        for at in range(run.start(), run.end()):
            char = text[at]
            if char in _RTL_MARKS and rtl is None:
                rtl = any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)
            if _legitimate(text, at, bool(rtl), flags):
                continue
            kind = _kind(char)
            if spans and spans[-1][1] == at and spans[-1][2] == kind:
                spans[-1] = (spans[-1][0], at + 1, kind)
            else:
                spans.append((at, at + 1, kind))
    return spans


def _legitimate(text: str, at: int, rtl: bool, flags: list[tuple[int, int]]) -> bool:
    char = text[at]
    before = text[at - 1] if at else ""
    after = text[at + 1 : at + 2]
    if char in _RTL_MARKS:
        return rtl
    if char in _JOINERS:
        return _joins(before, after)
    if char in "\ufe0e\ufe0f":
        return bool(before) and (
            unicodedata.category(before) in ("So", "Sm", "Po", "Sk") or before in "0123456789#*©®"
        )
    if "\U000e0100" <= char <= "\U000e01ef":
        return (
            bool(before)
            and unicodedata.category(before) == "Lo"
            and not "\U000e0100" <= after <= "\U000e01ef"
        )
    if "\U000e0000" <= char <= "\U000e007f":
        return any(start <= at < end for start, end in flags)
    return False


def _joins(before: str, after: str) -> bool:
    """A joiner between emoji, or between letters of a script that shapes its letters."""
    if not before or not after:
        return False
    if char_is_emoji(before) and char_is_emoji(after):
        return True
    return all(
        unicodedata.category(one)[0] in "LM" and 0x0600 <= ord(one) < 0x2000 for one in (before, after)
    )


def char_is_emoji(char: str) -> bool:
    """Symbols, their variation selector and skin tones."""
    return unicodedata.category(char) in ("So", "Sk") or char == "\ufe0f"


def _kind(char: str) -> str:
    code = ord(char)
    if 0xE0000 <= code <= 0xE007F:
        return "tags"
    if char in _RTL_MARKS or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return "bidi"
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return "selectors"
    return "invisible"


def build(_settings: NoSettings, _services: Services) -> Normalisation:
    return Normalisation()


CONTROL = ControlFactory(ID, NoSettings, build)
