"""``interface.sinks``: what the application does with answers decides what must not be in them.

A sink is a place that acts on text: a terminal, a spreadsheet, a database, a shell, a page, a script. Links
and active markup are ``interface.links``'s, whatever the sinks.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.detect import RuleWindow, window

from . import cell_text, html_text, json_text, terminal_text
from .markup import LIMIT, TooMuch
from .response import ResponseControl, Seen

ID = "interface.sinks"
Sink: TypeAlias = Literal["html", "markdown", "terminal", "csv", "sql", "shell", "json"]
_MOST = 2000
"""Edits of one text; one that needs more is stopped."""
_STOP = {
    "sql": "The answer held a statement that this application must not run.",
    "shell": "The answer held a command that this application must not run.",
}


class SinksSettings(Settings):
    """Declare each place that acts on answers. Undeclared: terminals, which nobody means to drive."""

    sinks: frozenset[Sink] = frozenset({"markdown", "terminal"})
    """``terminal``: control sequences are taken out. ``csv``: a cell that a spreadsheet would run gets an
    apostrophe. ``sql``, ``shell``: statements and commands that change things, reach out or go on with others
    stop the answer. ``html``: all but formatting becomes text. ``json``: what would end a script is escaped,
    a key that reaches prototypes stops the answer. ``markdown``: as ``interface.links`` always does."""
    allowed: tuple[str, ...] = ()
    """Ids of SQL and shell rules that don't count, such as ``sql-write`` where the application may write."""
    minimum: float = Field(default=0.8, gt=0, le=1)
    """Lowest score of an SQL or shell rule that counts."""


class Sinks(ResponseControl):
    def __init__(self, settings: SinksSettings) -> None:
        self._sinks = settings.sinks
        self._allowed = frozenset(settings.allowed)
        self._minimum = settings.minimum
        self._rules: dict[str, RuleWindow] = {
            name: window(f"output.{name}") for name in ("sql", "shell") if name in settings.sinks
        }
        holders: dict[str, Callable[[str], int]] = {
            "terminal": terminal_text.unfinished,
            "csv": cell_text.unfinished,
            "html": html_text.unfinished,
            "json": json_text.unfinished,
        }
        self._holders = [hold for name, hold in holders.items() if name in settings.sinks]
        self._holders += [rules.hold_from for rules in self._rules.values()]
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Keeps answers harmless to the places that act on them, as they are declared.",
                crossings=frozenset({CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM02@2023", "LLM05@2025"),
                csf=("PR.DS-02", "PR.DS-10", "DE.CM-09"),
                need=Window(size=4096, overlap=LIMIT),
                inline=True,
            )
        )

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        given = seen.fact("before")
        before = given if isinstance(given, str) else ""
        stopped = self._stopped(text, before)
        if stopped is not ALLOW:
            return stopped
        try:
            found = self._edits(text, before)
        except TooMuch:
            found = [(0, len(text), "", "html")] * (_MOST + 1)
        if not found:
            return ALLOW
        findings = [
            Finding(ID, f"{sink}-text", _MESSAGES[sink], 0, start, end, "sink")
            for start, end, _, sink in found[:_MOST]
        ]
        if len(found) > _MOST:
            return verdict(
                Action.BLOCK, "The answer held too much that its application can't take.", findings
            )
        edits = [Edit(0, start, end, new) for start, end, new, _ in found]
        return verdict(
            Action.TRANSFORM, "Characters that would act on the application were taken out.", findings, edits
        )

    def hold_from(self, text: str) -> int:
        """The first place at which any sink must wait for more."""
        return min((hold(text) for hold in self._holders), default=len(text))

    def _stopped(self, text: str, before: str) -> Verdict:
        joined = ALLOW
        for name, rules in self._rules.items():
            findings = [
                Finding(
                    ID, one.rule.id, one.rule.message, 0, one.start, one.end, "sink", one.rule.score, one.view
                )
                for one in rules.scan(text, before)
                if one.rule.id not in self._allowed and one.rule.score >= self._minimum
            ]
            if findings:
                joined = joined.join(verdict(Action.BLOCK, _STOP[name], findings))
        if "json" in self._sinks and (keys := json_text.pollution(text)):
            findings = [Finding(ID, "json-key", _MESSAGES["json-key"], 0, *span, "sink") for span in keys]
            joined = joined.join(
                verdict(Action.BLOCK, "The answer held a key that is not allowed.", findings)
            )
        return joined

    def _edits(self, text: str, before: str) -> list[tuple[int, int, str, str]]:
        edits: list[tuple[int, int, str, str]] = []
        if "terminal" in self._sinks and not text.isprintable():
            edits += [(*one, "terminal") for one in terminal_text.sequences(text)]
        if "csv" in self._sinks:
            edits += [(at, at + 1, f"'{text[at]}", "csv") for at in cell_text.formulas(text, before)]
        if "html" in self._sinks and "<" in text:
            edits += [(*one, "html") for one in html_text.harmless(text)]
        if "json" in self._sinks:
            edits += [(*one, "json") for one in json_text.escapes(text)]
        return edits


_MESSAGES = {
    "terminal": "A control sequence would act on the terminal that shows the answer.",
    "csv": "A cell would be run as a formula.",
    "html": "Markup that is not mere formatting.",
    "json": "A character that would end the script around the JSON.",
    "json-key": "A key that reaches the prototype of objects.",
}


def build(settings: SinksSettings, _services: Services) -> Sinks:
    return Sinks(settings)


CONTROL = ControlFactory(ID, SinksSettings, build)
