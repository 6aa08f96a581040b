"""Control ``data.retrieved``: passages that give orders to the model don't reach it."""

from collections import OrderedDict

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.core.part_control import at_part

from .signals import INSTRUCTION, Scanner, Signal, invisible, scan, warmed

ID = "data.retrieved"
_CACHE = 8192
_FINDINGS = 50


class RetrievedSettings(Settings):
    """When a passage is dropped."""

    drop_score: float = Field(default=0.8, ge=0.0, le=1.0)
    """Score from which a passage with an instruction to the model is dropped."""
    note_score: float = Field(default=0.4, ge=0.0, le=1.0)
    """Score from which it is noted."""


class Retrieved:
    """Verdicts are cached by content: a passage that many people are given is scanned once."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Drops retrieved passages that carry instructions to the model.",
        crossings=frozenset({CrossingKind.RETRIEVAL}),
        parts=frozenset({PartKind.DOCUMENT, PartKind.TEXT}),
        threats=("LLM01@2023", "LLM03@2023", "LLM01@2025", "LLM08@2025"),
        csf=("PR.DS-10", "DE.CM-09"),
        inline=True,
    )

    def __init__(self, settings: RetrievedSettings, scanner: Scanner = scan) -> None:
        self._settings = settings
        self._scanner = warmed(scanner)
        self._seen: OrderedDict[tuple[str, str], Verdict] = OrderedDict()

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind in self.declaration.parts:
                joined = joined.join(at_part(self._cached(part), index))
        return joined

    def _cached(self, part: Part) -> Verdict:
        key = (part.name, part.digest)
        known = self._seen.get(key)
        if known is None:
            known = self._judge(part)
            self._seen[key] = known
            if len(self._seen) > _CACHE:
                self._seen.popitem(last=False)
        return known

    def _judge(self, part: Part) -> Verdict:
        found = [*_orders(self._scanner(part.text)), *invisible(part.text)]
        title = [*_orders(self._scanner(part.name)), *invisible(part.name)]
        worst = max((signal.score for signal in (*found, *title)), default=0.0)
        if worst < self._settings.note_score or not (found or title):
            return ALLOW
        drop = worst >= self._settings.drop_score
        places = [(signal, signal.start, signal.end) for signal in found]
        places += [(signal, 0, 0) for signal in title]
        findings = [
            Finding(
                *(ID, signal.rule, signal.message, 0, start, end),
                cls=signal.cls,
                score=signal.score,
                view=signal.view,
            )
            for signal, start, end in places[:_FINDINGS]
        ]
        edits = [Edit(0, 0, len(part.text), drop=True)] if drop else []
        return verdict(Action.TRANSFORM if drop else Action.ANNOTATE, findings=findings, edits=edits)


def _orders(signals: list[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.cls.split(".")[0] in INSTRUCTION]


def _build(settings: RetrievedSettings, services: Services) -> Retrieved:
    return Retrieved(settings)


CONTROL = ControlFactory(ID, RetrievedSettings, _build)
