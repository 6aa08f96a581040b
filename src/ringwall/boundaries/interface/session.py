"""``interface.session``: attacks that no single message shows, only the conversation: crescendo, many-shot,
payloads in pieces, personas that drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

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
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.core.part_control import WITHHELD

from .quota import principal_key
from .session_risk import Contribution, Risk, SessionRisks, remember
from .session_score import MEANING, count_shots, count_turn, take_up
from .session_shapes import FEWEST_SHOTS, shots_of
from .session_turn import OPENING, read_turn, refuses

ID = "interface.session"
_WORTH_STOPPING = 0.03
"""A turn that adds less is not stopped, whatever went before: an innocent question ends a bad
conversation."""
_NAMED = 6
SHOTS = " shots"
"""Behind the digest of the turn that a made-up history came with: it counts once as well."""


class SessionSettings(Settings):
    annotate: float = Field(default=0.6, gt=0)
    """Risk of a session from which a turn that adds to it is put on record."""
    stop: float = Field(default=1.0, gt=0)
    """Risk from which a turn that adds to it is stopped."""
    action: Literal["block", "hold", "annotate"] = "block"
    """What stopping means; ``annotate`` never stops a turn."""
    half_life_min: float = Field(default=240, gt=0)
    """Minutes in which the risk of a session falls to its half."""
    principal_share: float = Field(default=0.5, ge=0, le=1)
    """Share of what a turn adds to its session that is added to its principal, over all sessions: so a new
    session or a history that is left out does not begin from nothing. 0: sessions are looked at alone."""
    principal_half_life_min: float = Field(default=60, gt=0)
    """Minutes in which the risk of a principal falls to its half."""

    @model_validator(mode="after")
    def _ordered(self) -> "SessionSettings":
        if self.annotate > self.stop:
            raise ValueError("annotate lies below stop")
        return self


@dataclass(frozen=True, slots=True)
class _Said:
    """A message of the conversation."""

    index: int
    part: Part
    digest: str

    @property
    def asks(self) -> bool:
        """Whether it is the user's, and not what the client says the assistant answered."""
        return self.part.role != "assistant"


def _counts(part: Part) -> bool:
    mine = part.role == "assistant" or part.label.integrity is Integrity.USER
    return part.kind is PartKind.TEXT and mine and bool(part.text)


class Session:
    """Each turn counts once, whoever sends it again. Reads the answer too, to know whether it declined: what
    a client says of that may be made up."""

    def __init__(self, settings: SessionSettings, risks: SessionRisks) -> None:
        self.settings = settings
        self._risks = risks
        self.declaration = Declaration(
            id=ID,
            boundary=Boundary.INTERFACE,
            summary="Stops attacks spread over a conversation: crescendo, many-shot, pieces, personas.",
            crossings=frozenset({CrossingKind.REQUEST, CrossingKind.RESPONSE}),
            parts=frozenset({PartKind.TEXT}),
            threats=("LLM01@2023", "LLM01@2025", "LLM07@2025"),
            csf=("DE.CM-09", "DE.AE-02", "DE.AE-03"),
            cost=Cost.MODERATE,  # after identity, quota and limits; beside interface.injection
            inline=True,
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        key = f"{crossing.application}\0{crossing.session}" if crossing.session else ""
        risk = self._risks.get(key) if key else Risk(at=self._risks.clock())
        if crossing.kind is CrossingKind.RESPONSE:
            self._hear(risk, crossing)
            return ALLOW
        owner = "principal\0" + principal_key(crossing)
        person = self._risks.get(owner)
        before = (risk.turns, person.value)
        given = self._judge(risk, person, crossing)
        if key and risk.turns != before[0]:
            self._risks.keep(key, risk)
        if person.value > before[1]:
            self._risks.keep(owner, person)
        return given

    def _hear(self, risk: Risk, crossing: Crossing) -> None:
        """An answer declines in its first sentence: of a stream, all that has come until then."""
        before = crossing.context.get("before")
        ahead = before if isinstance(before, str) else ""
        if crossing.parts and len(ahead) < OPENING:
            risk.refused = refuses(ahead + crossing.parts[0].text)

    def _judge(self, risk: Risk, person: Risk, crossing: Crossing) -> Verdict:
        said = [_Said(index, part, part.digest) for index, part in enumerate(crossing.parts) if _counts(part)]
        asked = [one for one in said if one.asks]
        if not asked:
            return ALLOW
        self._made_up(risk, person, said)
        refused = False
        for one in said:
            if one.asks:
                self._take(risk, person, one, refused=refused or risk.refused)
            refused = not one.asks and refuses(one.part.text)
        return self._verdict(risk, person, asked)

    def _made_up(self, risk: Risk, person: Risk, said: Sequence["_Said"]) -> None:
        """A history longer than what this session can have missed: its exchanges are the client's word."""
        new = [one for one in said if one.digest not in risk.known and one.digest not in risk.counted]
        answers = [one for one in new if not one.asks]
        if len(answers) < FEWEST_SHOTS:
            return
        asks = [one for one in new if one.asks]
        for one in answers:
            remember(risk.known, one.digest)
        shots = shots_of([one.part.text for one in asks], [one.part.text for one in answers])
        amount = count_shots(risk, shots)
        if amount:
            remember(risk.counted, asks[-1].digest + SHOTS, amount)
            self._add(risk, person, amount, asks[-1].digest + SHOTS)

    def _take(self, risk: Risk, person: Risk, said: "_Said", *, refused: bool) -> None:
        if said.digest in risk.counted:
            if (
                said.digest not in risk.known
            ):  # counted before a restart: later turns look back at it all the same
                signs = read_turn(said.part.text)
                take_up(risk, said.part.text, signs, signs.harm, refused=refused)
                remember(risk.known, said.digest)
            return
        level = risk.now(self._risks.clock(), self.settings.half_life_min * 60)
        amount = count_turn(risk, said.part.text, refused=refused, level=level)
        remember(risk.known, said.digest)
        remember(risk.counted, said.digest, amount)
        self._add(risk, person, amount, said.digest)

    def _add(self, risk: Risk, person: Risk, amount: float, digest: str) -> None:
        if amount <= 0:
            return
        now = self._risks.clock()
        risk.add(amount, now, self.settings.half_life_min * 60)
        if digest not in person.counted and self.settings.principal_share:
            remember(person.counted, digest, amount)
            person.add(
                amount * self.settings.principal_share, now, self.settings.principal_half_life_min * 60
            )

    def _verdict(self, risk: Risk, person: Risk, asked: Sequence["_Said"]) -> Verdict:
        last = asked[-1]
        withheld = self._withheld(risk, asked[:-1])
        now = self._risks.clock()
        session_level = risk.now(now, self.settings.half_life_min * 60)
        level = max(session_level, person.now(now, self.settings.principal_half_life_min * 60))
        added = risk.counted.get(last.digest, 0.0) + risk.counted.get(last.digest + SHOTS, 0.0)
        again = last.digest in risk.stopped
        if not again and (level < self.settings.annotate or added <= 0):
            return withheld
        findings = self._findings(risk, level, session_level, last.index)
        stops = again or (level >= self.settings.stop and added >= _WORTH_STOPPING)
        if not stops or self.settings.action == "annotate":
            return withheld.join(verdict(Action.ANNOTATE, findings=findings))
        remember(risk.stopped, last.digest)
        action = Action.HOLD if self.settings.action == "hold" else Action.BLOCK
        return withheld.join(verdict(action, _reason(risk.shown), findings))

    def _withheld(self, risk: Risk, asked: Sequence["_Said"]) -> Verdict:
        """Turns that were stopped then do not reach the model in a later one."""
        gone = [one for one in asked if one.digest in risk.stopped]
        if not gone or self.settings.action == "annotate":
            return ALLOW
        edits = [Edit(one.index, 0, len(one.part.text), WITHHELD) for one in gone]
        findings = [
            Finding(ID, "withheld", "This turn was stopped when it came.", one.index, cls="jailbreak")
            for one in gone
        ]
        return verdict(Action.TRANSFORM, findings=findings, edits=edits)

    def _findings(self, risk: Risk, level: float, session_level: float, index: int) -> list[Finding]:
        score = round(min(1.0, level / self.settings.stop), 4)
        found = [
            Finding(
                ID, one.rule, f"Turn {one.turn}: {MEANING[one.rule]}.", index, cls="jailbreak", score=score
            )
            for one in _weightiest(risk.shown)
        ]
        if level > session_level:
            message = "Other conversations of this principal had built up risk."
            found.append(Finding(ID, "principal", message, index, cls="jailbreak", score=score))
        return found


def _weightiest(shown: Sequence[Contribution]) -> list[Contribution]:
    return sorted(sorted(shown, key=lambda one: -one.amount)[:_NAMED], key=lambda one: one.turn)


def _reason(shown: Sequence[Contribution]) -> str:
    turns = sorted({one.turn for one in _weightiest(shown)})
    named = f" (turns {', '.join(map(str, turns))})" if len(turns) > 1 else ""
    return f"The conversation as a whole leads away from what this assistant is for{named}."


def build(settings: SessionSettings, services: Services) -> Session:
    return Session(settings, services.get(SessionRisks))


CONTROL = ControlFactory(ID, SessionSettings, build)
