"""Base of the controls that read the answer, whole or while it streams.

While a stream runs the gate is asked about the text that is still held; ``context["stream"]`` is true and
``context["final"]`` says whether this is the rest of it.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from ringwall.core import ALLOW, Crossing, CrossingKind, Declaration, PartKind, Verdict, verdict
from ringwall.core.part_control import at_part

from .call_arguments import spoken


@dataclass(frozen=True, slots=True)
class Seen:
    """What a response control may know beside the text."""

    final: bool
    """No more text will follow."""
    crossing: Crossing
    kind: PartKind = PartKind.TEXT
    """Of the part that is looked at."""

    def fact(self, key: str) -> object:
        return self.crossing.context.get(key)


class ResponseControl(ABC):
    """Looks at each text part by itself. Not cached: an answer is seen once."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration

    @abstractmethod
    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        """The verdict on one text, spans as for part 0."""

    def inspect(self, crossing: Crossing) -> Verdict:
        if crossing.kind not in self.declaration.crossings:
            return ALLOW
        final = finished(crossing)
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind in self.declaration.parts:
                seen = Seen(final, crossing, part.kind)
                if crossing.kind is CrossingKind.TOOL_CALL:
                    given = _as_whole(self.inspect_text(spoken(part.text), seen))
                else:
                    given = self.inspect_text(part.text, seen)
                joined = joined.join(at_part(given, index))
        return joined


def _as_whole(given: Verdict) -> Verdict:
    """A verdict on what the strings of a tool call say, without places: those are not the call's own."""
    if given is ALLOW:
        return ALLOW
    return verdict(
        given.action,
        "The call would have carried internal instructions out.",
        [replace(finding, start=0, end=0) for finding in given.findings],
    )


def finished(crossing: Crossing) -> bool:
    """Whether the text of this crossing is complete."""
    if crossing.kind is not CrossingKind.RESPONSE:
        return True
    return not crossing.context.get("stream") or bool(crossing.context.get("final"))


def left(crossing: Crossing) -> str:
    """What of this answer has left already, as far as controls may look back."""
    before = crossing.context.get("before")
    return before if isinstance(before, str) else ""


_BLANKS = (" ", "\n", "\t", "\r", "\u3000", "\u00a0")
_UNSPACED = re.compile("[^\u0e00-\u0fff\u3000-\u9fff\uac00-\ud7a3]")
"""A character of a script that puts blanks between words."""


def last_word(text: str, most: int, also: tuple[str, ...] = ()) -> int:
    """Where the word begins that the text ends with, at most ``most`` characters back. Characters of scripts
    that don't use blanks can't begin a credential or an address, so the word begins after them."""
    low = max(0, len(text) - most)
    start = max(low, *(text.rfind(blank, low) + 1 for blank in (*_BLANKS, *also)))
    if start < len(text) and not text.isascii():
        first = _UNSPACED.search(text, start)
        return first.start() if first else len(text)
    return start
