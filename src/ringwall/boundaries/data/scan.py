"""Control ``data.scan``: documents with planted instructions, secrets or hidden text wait for a person."""

import re
from typing import Literal

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.detect.files.told import MESSAGES

from .signals import INSTRUCTION, LEARNED, Scanner, Signal, in_place, invisible, orders, scan, warmed

ID = "data.scan"
_REASON = "The document was put aside until a person has looked at it."
_HIDDEN_LINE = re.compile(r"^\[([a-z-]{1,20})\] ", re.MULTILINE)
_FINDINGS = 200
_NOTED = 0.5
"""Score of the learned detectors from which a text that reads like an order is noted."""


class ScanSettings(Settings):
    """What makes a document wait."""

    hold_score: float = Field(default=0.5, ge=0.0, le=1.0)
    """Score from which an instruction to a model puts the document aside; lower ones are noted."""
    orders: float = Field(default=0.75, ge=0.0, le=1.0)
    """Score of the learned detectors from which a document that reads like an order is put aside, whatever
    its length: in a long one it takes more to reach it. From 0.5 on it is noted."""
    secrets: bool = True
    """Whether a credential in a document puts it aside."""
    hidden: tuple[str, ...] = (
        *("invisible", "unfinished", "white", "faint", "tiny", "off-page", "covered", "clipped", "layer"),
        *("stand-in", "trailing-data"),
    )
    """Kinds of hidden text that put it aside whatever they say. Others (``comment``, ``metadata``,
    ``deleted``, ``attribute``, ``script``…) do when they hold instructions or secrets."""
    files: tuple[str, ...] = (
        *("active-content", "embedded-object", "frames", "macros", "mismatch", "polyglot", "program"),
        *("trailing-data", "unread"),
    )
    """What there may be about a file, beside its text, that puts it aside. ``unread``: something in it could
    not be read. Others are noted: ``embedded-file``, ``external-link``, ``script``."""
    rows: Literal["known", "all"] = "known"
    """What rows of training sets are held for: known injections, secrets and invisible characters, or also
    for what the learned detectors take for an order. Most rows of an instruction set are orders."""
    noted_in_rows: tuple[str, ...] = ("chat-markup",)
    """Rules that are only noted in rows: sets come with the marks of chat templates in their texts."""


class Scan:
    """Looks at the document's text, its title and what it hides."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Puts documents with planted instructions, secrets or hidden text into quarantine.",
        crossings=frozenset({CrossingKind.CONTRIBUTION}),
        parts=frozenset({PartKind.DOCUMENT, PartKind.TEXT, PartKind.FILE}),
        threats=("LLM01@2023", "LLM03@2023", "LLM06@2023", "LLM01@2025", "LLM04@2025", "LLM08@2025"),
        csf=("PR.DS-01", "DE.CM-09", "ID.RA-01"),
        cost=Cost.MODERATE,
        deadline=30.0,  # the learned detectors read up to 200 windows of a long document
    )

    def __init__(self, settings: ScanSettings, scanner: Scanner = scan) -> None:
        self._settings = settings
        self._scanner = warmed(scanner)

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            joined = joined.join(self._part(part, index))
        return joined

    def _part(self, part: Part, index: int) -> Verdict:
        found = [*self._in_text(part), *invisible(part.text)]
        found += [_at_whole(signal) for signal in (*self._scanner(part.name), *invisible(part.name))]
        if part.data.get("hidden") is True:
            found += self._hidden(part.text)
        else:
            found += _marked(part)
        if not found:
            return ALLOW
        noted = self._settings.noted_in_rows if "record" in part.data else ()
        held = {at for at, one in enumerate(found) if one.rule not in noted and self._holds(one)}
        first = [
            *sorted(held),
            *(at for at in range(len(found)) if at not in held),
        ]  # what a reviewer is shown
        findings = [
            Finding(
                *(ID, signal.rule, signal.message, index, signal.start, signal.end),
                cls=signal.cls,
                score=signal.score,
                view=signal.view,
            )
            for signal in (found[at] for at in first[:_FINDINGS])
        ]
        return verdict(Action.HOLD if held else Action.ANNOTATE, _REASON if held else "", findings)

    def _in_text(self, part: Part) -> list[Signal]:
        found = self._scanner(part.text)
        if "record" not in part.data:
            found = in_place(part.text, found)
        elif self._settings.rows != "all":
            return found
        bar = min(_NOTED, self._settings.orders)
        return [*found, *(one for one in orders(part.text) if one.score >= bar)]

    def _holds(self, signal: Signal) -> bool:
        if signal.rule == LEARNED:
            return signal.score >= self._settings.orders
        if signal.cls.split(".")[0] in INSTRUCTION:
            return signal.score >= self._settings.hold_score
        if signal.cls.split(".")[0] == "secret":
            return self._settings.secrets
        if signal.cls == "file":
            return signal.rule in self._settings.files
        return signal.cls == "invisible" or signal.rule in self._settings.hidden

    def _hidden(self, text: str) -> list[Signal]:
        """One line each: ``[how] text`` (``Reading.hidden_text``)."""
        lines = list(_HIDDEN_LINE.finditer(text))
        ends = [line.start() for line in lines[1:]] + [len(text)]
        return [
            Signal(line[1], "hidden", f"It hides text from its reader ({line[1]}).", line.end(), end, 0.6)
            for line, end in zip(lines, ends, strict=False)
            if line[1] in self._settings.hidden
        ][:50]


def _marked(part: Part) -> list[Signal]:
    """What the reader of a file had to say beside its text; empty for rows and text files."""
    marks = part.data.get("marks")
    codes = [code for code in marks if isinstance(code, str)] if isinstance(marks, list) else []
    return [Signal(code, "file", MESSAGES.get(code, MESSAGES["unread"]), 0, 0, 0.6) for code in codes[:50]]


def _at_whole(signal: Signal) -> Signal:
    """Something in the title: no place in the text."""
    return Signal(signal.rule, signal.cls, f"In the title: {signal.message}", 0, 0, signal.score, signal.view)


def _build(settings: ScanSettings, services: Services) -> Scan:
    return Scan(settings)


CONTROL = ControlFactory(ID, ScanSettings, _build)
