"""``interface.moderation``: requests for serious harm, and answers that do it, are stopped by class."""

from collections.abc import Iterable
from typing import Any

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
    Integrity,
    Part,
    PartControl,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.core.part_control import at_part
from ringwall.detect import Sighting, assess, window
from ringwall.detect.assess import joined
from ringwall.detect.moderation import weighed

ID = "interface.moderation"
_REQUEST = "The request asks for help with serious harm."
_ANSWER = "The answer held content that this application does not give."
_CARE = (
    "This can't be discussed here. If you are thinking about harming yourself, please talk to somebody you "
    "trust, or call a crisis line or the emergency number where you are."
)


class Thresholds(Settings):
    """Score from which each class is blocked; 1 never blocks. Scores rank, they are no probabilities."""

    hate: float = Field(default=0.7, gt=0, le=1)
    """Hate or violence against a group of people, and slurs."""
    harassment: float = Field(default=0.75, gt=0, le=1)
    """Insults, degradation, stalking, bullying."""
    sexual: float = Field(default=0.75, gt=0, le=1)
    """Sexually explicit text."""
    sexual_minors: float = Field(default=0.6, gt=0, le=1)
    """Sexualised minors."""
    violence: float = Field(default=0.8, gt=0, le=1)
    """How to hurt people, threats, attacks."""
    self_harm: float = Field(default=0.8, gt=0, le=1)
    """Suicide and self-harm, sought or urged."""
    weapons: float = Field(default=0.8, gt=0, le=1)
    """How to make explosives and weapons of mass harm."""
    drugs: float = Field(default=0.8, gt=0, le=1)
    """How to make illegal drugs."""
    crime: float = Field(default=0.8, gt=0, le=1)
    """How to commit other crimes, on computers and off."""
    extremism: float = Field(default=0.75, gt=0, le=1)
    """Praise of and recruiting for violent extremism."""
    fraud: float = Field(default=0.8, gt=0, le=1)
    """Deceiving people for money."""


class ModerationSettings(Settings):
    """A lexicon in several languages: it finds what is said outright and misses what is only meant."""

    thresholds: Thresholds = Thresholds()
    """By class."""
    annotate: float = Field(default=0.4, gt=0, le=1)
    """Score from which it is put on record."""
    requests: bool = True
    """Whether what users write is looked at."""
    answers: bool = True
    """Whether answers are looked at."""


class Moderation(PartControl):
    """Of requests, what the user wrote; system text and untrusted content (tool results, documents) may speak
    of harm and are left to the answer."""

    def __init__(self, settings: ModerationSettings) -> None:
        self._window = window("moderation")
        kinds = {CrossingKind.REQUEST: settings.requests, CrossingKind.RESPONSE: settings.answers}
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops requests for serious harm, and answers that hold it, by class and threshold.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM02@2023", "LLM01@2023", "LLM05@2025", "LLM01@2025"),
                csf=("DE.CM-09", "PR.DS-10"),
                need=Window(size=4096, overlap=self._window.reach),
                cost=Cost.MODERATE,
                inline=True,
            )
        )
        self._looked_at = frozenset(kind for kind, wanted in kinds.items() if wanted)
        self._annotate = settings.annotate
        self._blocks = {
            f"moderation.{name.replace('_', '-')}": score
            for name, score in settings.thresholds.model_dump().items()
        }

    def inspect(self, crossing: Crossing) -> Verdict:
        if crossing.kind not in self._looked_at:
            return ALLOW
        if crossing.kind is not CrossingKind.RESPONSE:
            return super().inspect(crossing)
        given, before = ALLOW, _text(crossing.context.get("before"))
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TEXT:
                given = given.join(at_part(self._answer(part.text, before), index))
        return given

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        if part.label.integrity is not Integrity.USER:
            return ALLOW
        seen = [one for one in assess(part.text).sightings if one.cls.startswith("moderation")]
        return self._judged(seen, _REQUEST)

    def hold_from(self, text: str) -> int:
        """Where a match may be under way."""
        return self._window.hold_from(text) if CrossingKind.RESPONSE in self._looked_at else len(text)

    def _answer(self, text: str, before: str) -> Verdict:
        hits = self._window.scan(text, before)
        if not hits:
            return ALLOW
        ahead = len(before)
        seen = []
        for hit in hits:
            rule, start, end = hit.rule, hit.start + ahead, hit.end + ahead
            there = Sighting(rule.id, rule.cls, rule.family, rule.score, rule.message, start, end, hit.view)
            one = weighed(before + text, there)
            seen.append(
                Sighting(
                    rule.id, rule.cls, rule.family, one.score, rule.message, hit.start, hit.end, hit.view
                )
            )
        return self._judged(seen, _ANSWER)

    def _judged(self, seen: Iterable[Sighting], reason: str) -> Verdict:
        by_class: dict[str, list[Sighting]] = {}
        for one in seen:
            by_class.setdefault(one.cls, []).append(one)
        scores = {cls: joined(sightings) for cls, sightings in by_class.items()}
        noted = {cls for cls, score in scores.items() if score >= min(self._annotate, self._line(cls))}
        if not noted:
            return ALLOW
        findings = [
            Finding(ID, one.rule, one.message, 0, one.start, one.end, one.cls, one.score, one.view)
            for cls in sorted(noted)
            for one in by_class[cls]
        ]
        over = {cls for cls in noted if scores[cls] >= self._line(cls) and self._line(cls) < 1}
        if not over:
            return verdict(Action.ANNOTATE, findings=findings)
        return verdict(Action.BLOCK, _CARE if over == {"moderation.self-harm"} else reason, findings)

    def _line(self, cls: str) -> float:
        return float(self._blocks.get(cls, 1.0))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def build(settings: ModerationSettings, _services: Services) -> Moderation:
    return Moderation(settings)


CONTROL = ControlFactory(ID, ModerationSettings, build)
