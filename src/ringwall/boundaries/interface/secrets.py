"""``interface.secrets``: credentials are taken out of what comes and goes."""

import re
from collections import Counter, defaultdict
from functools import cache

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
from ringwall.detect import MAX_HITS, Sighting, builtin, scanner

from .call_arguments import kept_json
from .response import ResponseControl, Seen, last_word

ID = "interface.secrets"
OPEN_LIMIT = 8192
"""Characters of an unfinished credential that are held; a longer one stops the answer."""
_OVERLAP = 832
"""Longest bounded match of the credential rules, with room for what must follow it."""
_REASON = "A credential was taken out."
_QUOTES = ("'", '"', "`")
_QUOTED = 132
"""Longest value in quotation marks that may hold blanks."""
_HEAD = 72
"""Characters behind the first line of an armoured key that show whether a key follows."""
_ARMOUR = ("-- BEGIN", "--BEGIN")
_PEM = re.compile(r"----[- ]?BEGIN[A-Za-z0-9 ]{0,60}(?:$|PRIVATE KEY|Static key)")


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
        if max(Counter(one.rule for one in found).values()) >= MAX_HITS:
            return verdict(Action.BLOCK, "More credentials than can be taken out one by one.", findings)
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
        hold = _announced(text, last_word(text, _OVERLAP))
        found = self._found(text)
        if any(head in text for head in _ARMOUR):
            hold = min(hold, _armoured(text, found))
        for one in found:
            if one.end >= hold or one.open:
                hold = min(hold, one.start)
        return hold


@cache
def _names() -> dict[int, tuple[str, ...]]:
    """Words that announce a credential, by how far from it they may stand."""
    reaches: dict[str, int] = {}
    for rule in builtin():
        if rule.cls == "secret":
            for name in rule.names:
                reaches[name] = max(rule.reach, reaches.get(name, 0))
    by_reach: dict[int, list[str]] = defaultdict(list)
    for name, reach in reaches.items():
        by_reach[reach].append(name)
    return {reach: tuple(names) for reach, names in by_reach.items()}


def _announced(text: str, word: int) -> int:
    """Start of the earliest word that may name the credential which begins with the last word, or behind the
    last quotation mark."""
    begins = {word}
    quote = max(text.rfind(mark, max(0, word - _QUOTED)) for mark in _QUOTES)
    if quote >= 0 and "\n" not in text[quote:]:
        begins.add(min(word, quote))
    hold = word
    for begin in begins:
        for reach, names in _names().items():
            low = max(0, begin - reach)
            near = text[low:].replace("\u0130", "I").lower()
            places = [near.find(name) for name in names if name in near]
            if places:
                place = min(hold, low + min(places))
                hold = min(hold, last_word(text[: place + 1], _OVERLAP), place)
    return hold


def _armoured(text: str, found: list[Sighting]) -> int:
    """Start of the first armoured key that is not over, or may be one."""
    low = max(0, len(text) - OPEN_LIMIT - 256)
    for head in _PEM.finditer(text, low):
        over = any(one.start <= head.start() < one.end and not one.open for one in found)
        seen = any(one.start <= head.start() < one.end for one in found)
        if not over and (seen or len(text) - head.end() < _HEAD):
            return head.start()
    return len(text)


def build(settings: SecretsSettings, _services: Services) -> Secrets:
    return Secrets(settings)


CONTROL = ControlFactory(ID, SecretsSettings, build)
