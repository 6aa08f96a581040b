"""``interface.language``: only the languages that the workload serves, in what users write and what they
read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ringwall.core import (
    ALLOW,
    END_OF_STREAM,
    Action,
    Boundary,
    ConfigError,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Integrity,
    Part,
    PartControl,
    PartKind,
    Problem,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.core.part_control import at_part
from ringwall.detect.language import KNOWN, LONGEST, SHORTEST, Guess, Segment, guess, letters, ready, segments

ID = "interface.language"
_IMPLAUSIBLE = 0.05
"""Probability of all allowed languages together below which a longer segment is none of them, whatever it
is."""
_REASON = "This application is served in other languages: {}."


def _code(written: str) -> str:
    if written not in KNOWN:
        raise ValueError(f"{written!r} is no language code: write en, de, fr, …")
    return written


class LanguageSettings(Settings):
    allowed: tuple[Annotated[str, AfterValidator(_code)], ...] = ()
    """Codes of the languages that are served, such as ``en``; empty: every language. ``"no"`` wants quotes:
    YAML reads it as a truth value."""
    action: Literal["annotate", "block"] = "annotate"
    """What another language means."""
    directions: tuple[Literal["request", "response"], ...] = ("request", "response")
    """What is looked at: what users send, what they receive."""
    confidence: float = Field(default=0.6, gt=0, lt=1)
    """Probability from which a language counts as recognised."""
    tolerance: float = Field(default=0.25, ge=0, lt=1)
    """Share of a request that may be in another language: a quotation is no question. In answers every
    sentence counts by itself."""


@dataclass(frozen=True, slots=True)
class _Judged:
    segment: Segment
    guess: Guess
    weight: int
    foreign: bool


class Language(PartControl):
    """Sentence by sentence. Short texts, code, addresses and numbers are not judged."""

    def __init__(self, settings: LanguageSettings) -> None:
        self.settings = settings
        self._allowed = frozenset(settings.allowed)
        if settings.allowed:
            try:
                ready()
            except RuntimeError as error:
                raise ConfigError(Problem(f"{ID}: {error}")) from None
        holds = settings.allowed and settings.action == "block" and "response" in settings.directions
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops requests and answers in languages that the application does not serve.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM01@2023", "LLM01@2025"),
                csf=("PR.DS-10", "DE.CM-09"),
                need=Window(size=4096, overlap=LONGEST) if holds else END_OF_STREAM,
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        which = "response" if crossing.kind is CrossingKind.RESPONSE else "request"
        if not self._allowed or which not in self.settings.directions:
            return ALLOW
        return self._answer(crossing) if which == "response" else super().inspect(crossing)

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        """What the user wrote: what comes from elsewhere is read in any language."""
        if part.label.integrity is not Integrity.USER:
            return ALLOW
        judged = list(self._judged(part.text, in_code=False))
        foreign = [one for one in judged if one.foreign]
        share = sum(one.weight for one in foreign) / max(1, sum(one.weight for one in judged))
        return self._verdict(foreign) if share > self.settings.tolerance else ALLOW

    def hold_from(self, text: str) -> int:
        """A sentence leaves once it is complete, or as long as one can get."""
        if self.declaration.need is END_OF_STREAM:
            return len(text)
        *_, last = [None, *segments(text)]
        return len(text) if last is None or last.complete else last.start

    def _answer(self, crossing: Crossing) -> Verdict:
        before = crossing.context.get("before")
        in_code = isinstance(before, str) and before.count("```") % 2 == 1
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TEXT:
                foreign = [one for one in self._judged(part.text, in_code=in_code) if one.foreign]
                joined = joined.join(at_part(self._verdict(foreign), index))
        return joined

    def _judged(self, text: str, *, in_code: bool) -> Iterator[_Judged]:
        for segment in segments(text, in_code=in_code):
            words = text[segment.start : segment.end]
            found = None if segment.code else guess(words)
            if found:
                weight = letters(words)
                yield _Judged(segment, found, weight, self._foreign(found, weight))

    def _foreign(self, found: Guess, weight: int) -> bool:
        chance = found.share(self._allowed)
        if found.confidence >= self.settings.confidence:
            return chance < 1 - self.settings.confidence
        return chance < _IMPLAUSIBLE and weight >= 2 * SHORTEST

    def _verdict(self, foreign: list[_Judged]) -> Verdict:
        if not foreign:
            return ALLOW
        findings = [
            Finding(
                ID,
                one.guess.language,
                f"Written in another language than is served, by the look of it '{one.guess.language}'.",
                0,
                one.segment.start,
                one.segment.end,
                "language",
                round(one.guess.confidence, 4),
            )
            for one in foreign
        ]
        action = Action.BLOCK if self.settings.action == "block" else Action.ANNOTATE
        return verdict(action, _REASON.format(", ".join(self.settings.allowed)), findings)


def build(settings: LanguageSettings, _services: Services) -> Language:
    return Language(settings)


CONTROL = ControlFactory(ID, LanguageSettings, build)
