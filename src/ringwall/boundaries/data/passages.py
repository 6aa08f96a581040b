"""Cut a document into passages that keep paragraphs and sentences whole where they fit."""

import re
from dataclasses import dataclass

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_SENTENCE = re.compile(r"(?<=[.!?])\s|\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of the document's text, and the heading that it stands under."""

    text: str
    heading: str = ""


def passages(text: str, longest: int) -> list[Passage]:
    """Passages of at most ``longest`` characters, in order; together they hold all of the text but white
    space. A heading of level 1 to 3 begins a new passage."""
    found: list[Passage] = []
    pending, heading = "", ""
    for block in _blocks(text):
        lead = _heading(block)
        if pending and (lead or len(pending) + len(block) + 2 > longest):
            found.append(Passage(pending, heading))
            pending = ""
        heading = lead or heading
        pending = f"{pending}\n\n{block}" if pending else block
        if len(pending) > longest:
            *whole, pending = _split(pending, longest)
            found.extend(Passage(piece, heading) for piece in whole)
    if pending:
        found.append(Passage(pending, heading))
    return found


def _blocks(text: str) -> list[str]:
    return [block for piece in _PARAGRAPH.split(text) if (block := piece.strip())]


def _heading(block: str) -> str:
    line = block.split("\n", 1)[0]
    marks = len(line) - len(line.lstrip("#"))
    return line[marks:].strip()[:200] if 1 <= marks <= 3 and line[marks : marks + 1] == " " else ""


def _split(block: str, longest: int) -> list[str]:
    """At the last end of a sentence that fits, else the last space, else hard."""
    pieces: list[str] = []
    at = 0
    while len(block) - at > longest:
        window = block[at : at + longest]
        cuts = [match.end() for match in _SENTENCE.finditer(window)]
        cut = cuts[-1] if cuts and cuts[-1] > longest // 3 else window.rfind(" ") + 1
        cut = cut if cut > longest // 3 else longest
        if piece := window[:cut].strip():
            pieces.append(piece)
        at += cut
    return [*pieces, block[at:].strip()]
