"""``interface.injection``: attempts to talk a model out of its instructions, in all that it reads."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate
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
from ringwall.detect import Judgement, Sighting, Tier, assess, best_tier, judge

from .call_arguments import emptied, spoken
from .sentences import sentence, sentences

ID = "interface.injection"
REMOVED = "[instruction removed: untrusted content]"
_REASON = "The request tries to override the instructions of this assistant."
_TOLD = {
    "injection": "It reads like an order to the model against its operator's.",
    "jailbreak": "It reads like an attempt to lift the model's restraint.",
}
_WINDOW_PARTS = 6
_WINDOW_CHARS = 4000
_SENTENCES = {Tier.NGRAMS: 400, Tier.ENCODER: 32}
"""Most sentences that are judged by themselves to find those to take out; of more, all go."""


class InjectionSettings(Settings):
    """Scores are calibrated; ``ringwall calibrate`` sets the thresholds by your own traffic."""

    block: float = Field(default=0.75, gt=0, le=1)
    """Score from which what a user wrote is blocked."""
    annotate: float = Field(default=0.4, gt=0, le=1)
    """Score from which it is put on record."""
    remove: float = Field(default=0.75, gt=0, le=1)
    """Score from which a sentence of untrusted content (tool results, documents) is taken out."""
    tier: Literal["best", "ngrams", "encoder"] = "best"
    """Detectors beside the signatures: ``ngrams`` (0.2 ms for 1 KB), ``encoder`` (also the transformer,
    some ms for each
    message; needs the extra ``transformer`` and refuses to start without it), ``best`` (the encoder if it
    is installed)."""


class Injection(PartControl):
    """System text is the operator's own and is not looked at."""

    def __init__(self, settings: InjectionSettings) -> None:
        self._tier = best_tier() if settings.tier == "best" else Tier(settings.tier)
        judge("ready?", tier=self._tier)  # loads the weights: a missing extra is known at the start
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops injections and jailbreaks, also disguised or split over messages.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.TOOL_RESULT}),
                parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.DOCUMENT}),
                threats=("LLM01@2023", "LLM01@2025", "LLM07@2025"),
                csf=("DE.CM-09", "DE.AE-02", "PR.DS-10"),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=self._tier is Tier.NGRAMS,
                deadline=10.0,  # the encoder shares its cores with other requests
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
        if part.kind is not PartKind.TEXT or part.label.integrity is Integrity.UNTRUSTED:
            return self._untrusted(part.text)
        return self._from_user(judge(part.text, tier=self._tier))

    def _from_user(self, found: Judgement) -> Verdict:
        if found.attack >= self.settings.block:
            return verdict(Action.BLOCK, _REASON, _findings(found, "blocked", self.settings.block))
        if found.attack >= self.settings.annotate:
            return verdict(
                Action.ANNOTATE, findings=_findings(found, "put on record", self.settings.annotate)
            )
        return ALLOW

    def _untrusted(self, text: str) -> Verdict:
        """Content that came from outside holds data, not orders: only what gives one is taken out."""
        found = judge(text, untrusted=True, tier=self._tier)
        if found.attack < self.settings.annotate:
            return ALLOW
        if found.attack < self.settings.remove:
            return verdict(
                Action.ANNOTATE, findings=_findings(found, "put on record", self.settings.annotate)
            )
        findings = _findings(found, "taken out", self.settings.remove)
        edits = [Edit(0, start, end, REMOVED) for start, end in self._orders(text, found)]
        reason = "An instruction in untrusted content was taken out."
        return verdict(Action.TRANSFORM, reason, findings, edits)

    def _orders(self, text: str, found: Judgement) -> list[tuple[int, int]]:
        """The sentences that give orders: those with a signature, else those of the worst window that are
        judged an attack by themselves, else the window."""
        signed = _attacks(found.sightings)
        strong = [one for one in signed if one.score >= self.settings.remove] or signed
        if strong:
            return [sentence(text, one.start, one.end) for one in strong]
        low, high = found.opinion.span
        if found.opinion.view:
            return [(low, high)]
        told = sentences(text, low, high)
        if len(told) > _SENTENCES[self._tier]:
            return [(low, high)]
        alone = [
            (start, end)
            for start, end in told
            if judge(text[start:end], untrusted=True, tier=self._tier).attack >= self.settings.remove
        ]
        return alone or [(low, high)]

    def _past_call(self, arguments: str) -> Verdict:
        """A call that the client says the model made: where its strings give orders, all of them go.
        Signatures only: what
        a call asks for is an order by its nature, and the policies decide on it."""
        found = assess(spoken(arguments))
        attacks = _attacks(found.sightings)
        if not attacks or found.attack < self.settings.annotate:
            return ALLOW
        findings = [replace(one, start=0, end=len(arguments)) for one in _signatures(attacks)]
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
                found = [replace(one, part=last, start=0, end=length) for one in _signatures(strong)]
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


def _findings(found: Judgement, deed: str, bar: float) -> list[Finding]:
    """Of the signatures, and one that says what all tiers together make of it, and which threshold (of the
    deed) that crossed."""
    kind = "jailbreak" if found.jailbreak > found.injection else "injection"
    rule = "encoder" if found.opinion.encoder else "ngrams"
    message = f"{_TOLD[kind]} All detectors together give it {found.attack:.2f}: {deed} from {bar:.2f} on."
    told = Finding(ID, rule, message, 0, *found.opinion.span, kind, found.attack, found.opinion.view)
    return [told, *_signatures(_attacks(found.sightings))]


def _attacks(sightings: Iterable[Sighting]) -> list[Sighting]:
    return [one for one in sightings if not one.cls.startswith("moderation")]


def _signatures(sightings: Iterable[Sighting]) -> list[Finding]:
    return [
        Finding(ID, one.rule, one.message, 0, one.start, one.end, one.cls, one.score, one.view)
        for one in sightings
    ]


def build(settings: InjectionSettings, _services: Services) -> Injection:
    return Injection(settings)


CONTROL = ControlFactory(ID, InjectionSettings, build)
