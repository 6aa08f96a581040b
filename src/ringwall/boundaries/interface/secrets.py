"""``interface.secrets``: credentials are taken out of what comes and goes."""

import re

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Cost,
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
from ringwall.detect import Sighting, scanner

from .call_arguments import kept_json
from .response import ResponseControl, Seen, last_word

ID = "interface.secrets"
OPEN_LIMIT = 8192
"""Characters of an unfinished credential that are held; a longer one stops the answer."""
_OVERLAP = 640
"""Longest bounded match of the credential rules, with room for what must follow it."""
_REASON = "A credential was taken out."
_WORD = re.compile(r"\S+")
_WORDS = 8
"""Words from the name of a credential to its end, quotes and signs between them included."""
_NAMES = (
    "auth", "pass", "pwd", "contrase", "mot", "api", "secret", "client", "access", "refresh", "bearer",
    "private", "encryption", "signing", "token", "key", "aws", "basic",
)  # fmt: skip
"""One of these is in the word that a rule with a context begins with."""
_PEM = re.compile(r"-----BEGIN[A-Z0-9 ]{0,60}(?:$|PRIVATE KEY)")


class SecretsSettings(Settings):
    minimum: float = Field(default=0.6, ge=0, le=1)
    """Lowest score of a rule that counts."""


class Secrets(ResponseControl):
    """Requests and answers alike: the model never sees a credential, nor does the reader."""

    def __init__(self, settings: SecretsSettings) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Takes credentials out of requests, tool results in them, and answers.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.TOOL_RESULT, CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.DOCUMENT}),
                threats=("LLM06@2023", "LLM02@2025"),
                csf=("PR.DS-02", "PR.DS-10", "DE.CM-09"),
                need=Window(size=4096, overlap=_OVERLAP),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )
        self.settings = settings

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        found = self._found(text)
        if not found:
            return ALLOW
        findings = [
            Finding(ID, one.rule, one.message, 0, one.start, one.end, one.cls, one.score, one.view)
            for one in found
        ]
        if not seen.final and any(one.open and one.end - one.start > OPEN_LIMIT for one in found):
            return verdict(Action.BLOCK, "The answer held a credential that did not end.", findings)
        edits = [Edit(0, one.start, one.end, f"[secret:{one.rule}]") for one in found]
        if seen.kind is PartKind.TOOL_CALL:
            edits = kept_json(text, edits)
        return verdict(Action.TRANSFORM, _REASON, findings, edits)

    def _found(self, text: str) -> list[Sighting]:
        return [
            one for one in scanner().scan(text) if one.cls == "secret" and one.score >= self.settings.minimum
        ]

    def hold_from(self, text: str) -> int:
        """A credential has no blanks in it, so the last word is held; further back only a name that announces
        one (``password =``), an armoured block that has not ended, or a finding that reaches the end."""
        hold = last_word(text, _OVERLAP)
        hold = min(hold, _announced(text))
        if "-----BEGIN" in text:
            hold = min(hold, _start_of(_PEM, text, OPEN_LIMIT + 256))
        for one in self._found(text):
            if one.end >= hold or one.open:
                hold = min(hold, one.start)
        return hold


def _announced(text: str) -> int:
    """Start of the earliest of the last few words that may name a credential."""
    low = max(0, len(text) - _OVERLAP)
    tail = text[low:].lower()
    if any(name in tail for name in _NAMES):
        for word in list(_WORD.finditer(tail))[-_WORDS:]:
            if any(name in word.group() for name in _NAMES):
                return low + word.start()
    return len(text)


def _start_of(pattern: re.Pattern[str], text: str, reach: int) -> int:
    tail = max(0, len(text) - reach)
    found = pattern.search(text, tail)
    return found.start() if found else len(text)


def build(settings: SecretsSettings, _services: Services) -> Secrets:
    return Secrets(settings)


CONTROL = ControlFactory(ID, SecretsSettings, build)
