"""``interface.injection``: known ways of talking a model out of its instructions, in all that it reads."""

import re
from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate

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
    Edit,
    Finding,
    Integrity,
    Part,
    PartControl,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.core.part_control import WITHHELD
from ringwall.detect import Assessment, Sighting, assess

from .call_arguments import emptied, spoken

ID = "interface.injection"
REMOVED = "[instruction removed: untrusted content]"
_REASON = "The request tries to override the instructions of this assistant."
_WINDOW_PARTS = 6
_WINDOW_CHARS = 4000
_SENTENCE_END = re.compile(r"[.!?。！？]+[\"')\]]*(?:\s|$)|\n+")
_SENTENCE_LIMIT = 1000


class InjectionSettings(Settings):
    block: float = Field(default=0.75, gt=0, le=1)
    """Score from which what a user wrote is blocked."""
    annotate: float = Field(default=0.3, gt=0, le=1)
    """Score from which it is put on record."""
    remove: float = Field(default=0.6, gt=0, le=1)
    """Score from which a sentence of untrusted content (tool results, documents) is taken out."""


class Injection(PartControl):
    """System text is the operator's own and is not looked at."""

    def __init__(self, settings: InjectionSettings) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops known injections and jailbreaks, also disguised or split over messages.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.TOOL_RESULT}),
                parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.DOCUMENT}),
                threats=("LLM01@2023", "LLM01@2025", "LLM07@2025"),
                csf=("DE.CM-09", "DE.AE-02", "PR.DS-10"),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )
        self.settings = settings

    def inspect(self, crossing: Crossing) -> Verdict:
        given = super().inspect(crossing)
        return given.join(self._joined_window(crossing)) if crossing.kind is CrossingKind.REQUEST else given

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        if part.label.integrity is Integrity.SYSTEM:
            return ALLOW
        if part.kind is PartKind.TOOL_CALL:
            return self._past_call(part.text)
        found = assess(part.text)
        if not found.sightings:
            return ALLOW
        if part.kind is not PartKind.TEXT or part.label.integrity is Integrity.UNTRUSTED:
            return self._untrusted(part.text, found)
        return self._from_user(found)

    def _from_user(self, found: Assessment) -> Verdict:
        findings = _findings([one for one in found.sightings if not one.cls.startswith("moderation")])
        if found.attack >= self.settings.block:
            return verdict(Action.BLOCK, _REASON, findings)
        if found.attack >= self.settings.annotate:
            return verdict(Action.ANNOTATE, findings=findings)
        return ALLOW

    def _untrusted(self, text: str, found: Assessment) -> Verdict:
        """Content that came from outside holds data, not orders: only the sentence that gives one goes."""
        attacks = [one for one in found.sightings if not one.cls.startswith("moderation")]
        if not attacks or found.attack < self.settings.annotate:
            return ALLOW
        findings = _findings(attacks)
        strong = [one for one in attacks if one.score >= self.settings.remove]
        if not strong and found.attack < self.settings.block:
            return verdict(Action.ANNOTATE, findings=findings)
        edits = [Edit(0, *sentence(text, one.start, one.end), REMOVED) for one in strong or attacks]
        return verdict(
            Action.TRANSFORM, "An instruction in untrusted content was taken out.", findings, edits
        )

    def _past_call(self, arguments: str) -> Verdict:
        """A call that the client says the model made: where its strings give orders, all of them go."""
        found = assess(spoken(arguments))
        attacks = [one for one in found.sightings if not one.cls.startswith("moderation")]
        if not attacks or found.attack < self.settings.annotate:
            return ALLOW
        findings = [replace(one, start=0, end=len(arguments)) for one in _findings(attacks)]
        if found.attack < self.settings.block and all(one.score < self.settings.remove for one in attacks):
            return verdict(Action.ANNOTATE, findings=findings)
        reason = "An instruction in the arguments of an earlier tool call was taken out."
        return verdict(Action.TRANSFORM, reason, findings, [emptied(arguments)])

    def _joined_window(self, crossing: Crossing) -> Verdict:
        """A payload split over messages: only what crosses the border of two messages counts here."""
        mine = [
            (index, part)
            for index, part in enumerate(crossing.parts)
            if part.kind is PartKind.TEXT and part.label.integrity is not Integrity.SYSTEM
        ][-_WINDOW_PARTS:]
        if len(mine) < 2:
            return ALLOW
        texts = [part.text[-_WINDOW_CHARS // len(mine) :] for _, part in mine]
        last, length = mine[-1][0], len(mine[-1][1].text)
        for glue in (" ", ""):
            starts = [0, *accumulate(len(text) + len(glue) for text in texts)]
            crossed = [one for one in assess(glue.join(texts)).sightings if _crosses(one, starts)]
            strong = [one for one in crossed if one.score >= self.settings.block]
            if strong:
                found = [replace(one, part=last, start=0, end=length) for one in _findings(strong)]
                findings = [replace(one, view="joined-messages") for one in found]
                if mine[-1][1].fresh:
                    return verdict(Action.BLOCK, _REASON, findings)
                # Decided in an earlier turn: it must not block every turn from now on, nor reach the model.
                return verdict(Action.TRANSFORM, "", findings, [Edit(last, 0, length, WITHHELD)])
        return ALLOW


def _crosses(one: Sighting, starts: list[int]) -> bool:
    """Lies in several messages, the newest among them."""
    newest = len(starts) - 2
    return bisect_right(starts, one.start) - 1 < newest <= bisect_right(starts, one.end - 1) - 1


def _findings(sightings: tuple[Sighting, ...] | list[Sighting]) -> list[Finding]:
    return [
        Finding(ID, one.rule, one.message, 0, one.start, one.end, one.cls, one.score, one.view)
        for one in sightings
    ]


def sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence or sentences that the span lies in, at most 1,000 characters to each side."""
    low = max(0, start - _SENTENCE_LIMIT)
    first = low
    for stop in _SENTENCE_END.finditer(text, low, start):
        first = stop.end()
    stop_after = _SENTENCE_END.search(text, max(start, end - 1), min(len(text), end + _SENTENCE_LIMIT))
    last = (
        stop_after.start() + len(stop_after.group().rstrip())
        if stop_after
        else min(len(text), end + _SENTENCE_LIMIT)
    )
    return min(first, start), max(last, end)


def build(settings: InjectionSettings, _services: Services) -> Injection:
    return Injection(settings)


CONTROL = ControlFactory(ID, InjectionSettings, build)
