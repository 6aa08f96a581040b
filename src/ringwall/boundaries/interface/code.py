"""``interface.code``: insecure patterns in the code of an answer are put on record, or stop it."""

from typing import Literal

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.detect import window

from .code_text import LINE, fences, is_code
from .response import ResponseControl, Seen

ID = "interface.code"
_LINES = {"low": 0.0, "medium": 0.7, "high": 0.9}
_CUT = 4000
"""From so many characters of what went before it may be but the rest of it."""


class CodeSettings(Settings):
    """More than ninety patterns in a dozen languages, each with its CWE. It reads lines, not programs."""

    block: Literal["never", "high", "medium", "low"] = "never"
    """Severity from which an answer is stopped. ``never``: findings are put on record and nothing is held."""
    ignore: tuple[str, ...] = ()
    """Ids of rules that don't count."""


class Code(ResponseControl):
    def __init__(self, settings: CodeSettings) -> None:
        self._window = window("code")
        self._blocks = _LINES.get(settings.block, 2.0)
        self._ignore = frozenset(settings.ignore)
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Marks insecure patterns in the code of answers, or stops them by severity.",
                crossings=frozenset({CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM02@2023", "LLM09@2023", "LLM05@2025", "LLM09@2025"),
                csf=("DE.CM-09", "PR.DS-10"),
                need=Window(size=4096, overlap=self._window.reach if self._blocks < 2 else 0),
                inline=True,
            )
        )

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        given = seen.fact("before")
        before = given if isinstance(given, str) else ""
        hits = [one for one in self._window.scan(text, before) if one.rule.id not in self._ignore]
        if not hits:
            return ALLOW
        whole, ahead = before + text, len(before)
        spans = fences(whole, cut=ahead >= _CUT)
        found = [one for one in hits if is_code(whole, one.start + ahead, one.end + ahead, spans)]
        if not found:
            return ALLOW
        findings = [
            Finding(
                ID, one.rule.id, one.rule.message, 0, one.start, one.end, "code", one.rule.score, one.view
            )
            for one in found
        ]
        if any(one.rule.score >= self._blocks for one in found):
            return verdict(Action.BLOCK, "The answer held code with a serious weakness.", findings)
        return verdict(Action.ANNOTATE, findings=findings)

    def hold_from(self, text: str) -> int:
        """Nothing is held for what is only put on record. What could be code is, up to the end of its line,
        which may yet show that it is."""
        if self._blocks >= 2:
            return len(text)
        line = max(text.rfind("\n") + 1, len(text) - LINE)
        begun = [
            line + one.start
            for one in self._window.scan(text[line:])
            if one.rule.score >= self._blocks and one.rule.id not in self._ignore
        ]
        return min(self._window.hold_from(text), *begun) if begun else self._window.hold_from(text)


def build(settings: CodeSettings, _services: Services) -> Code:
    return Code(settings)


CONTROL = ControlFactory(ID, CodeSettings, build)
