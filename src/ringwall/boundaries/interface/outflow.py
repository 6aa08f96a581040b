"""``interface.outflow``: how many different values of a class one principal, and one session, is shown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
    Label,
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.core.part_control import at_part
from ringwall.core.rate import RateField
from ringwall.detect import Sighting
from ringwall.detect.personal import CLASSES, OVERLAP

from .disclosures import Budget, Count, Disclosures, last_words
from .personal_data import EVERY, SHAPED, ClassName, PersonalData
from .pseudonyms import Place, Pseudonyms
from .quota import principal_key
from .response import finished, left
from .revealing import Revealer
from .settings import InterfaceSection

ID = "interface.outflow"
_WITHHELD = "[withheld: too much data of this kind]"
_REASON = "More data of one kind than is allowed in this time."
_LEARNS = frozenset({CrossingKind.REQUEST, CrossingKind.RETRIEVAL, CrossingKind.TOOL_RESULT})


class OutflowSettings(Settings):
    """Budgets of distinct values. Without any nothing is looked for."""

    principal: dict[ClassName, RateField] = Field(default_factory=dict)
    """Class -> most different values in a time, such as ``50/hour``, that one principal is shown over all
    sessions. Classes are ``pii`` for all, ``pii.email`` and the like, or a data class of the workload."""
    session: dict[ClassName, RateField] = Field(default_factory=dict)
    """The same for one session."""
    exhausted: Literal["block", "redact"] = "block"
    """What becomes of one value more: the answer is stopped, or the value is taken out of it. A call is
    stopped in either case."""
    alert: float = Field(default=0.8, gt=0, le=1)
    """Share of a budget from which every further value is an alert."""
    inside: tuple[str, ...] = ()
    """Tools whose calls stay inside: what they are given is not counted."""


@dataclass(frozen=True, slots=True)
class _Item:
    """Something on its way out. ``start`` equals ``end`` when it has no place of its own."""

    digest: bytes
    classes: frozenset[str]
    start: int
    end: int
    rule: str


class Outflow:
    """Counts what answers show and calls carry, placeholders that are restored included."""

    def __init__(
        self, settings: OutflowSettings, data: PersonalData, revealer: Revealer, disclosures: Disclosures
    ) -> None:
        self._settings = settings
        self._data = data
        self._revealer = revealer
        self._disclosures = disclosures
        names = {*settings.principal, *settings.session}
        self._classified = frozenset(names - {EVERY} - set(CLASSES))
        self._held = tuple(cls for cls in data.classes if cls in SHAPED or cls in names)
        """Classes whose unfinished values a stream waits for. A budget for everything does not make it wait
        for what only a word far ahead gives away."""
        self.declaration = Declaration(
            id=ID,
            boundary=Boundary.INTERFACE,
            summary="Stops a principal or a session that draws out more data of a class than it needs.",
            crossings=frozenset({*_LEARNS, CrossingKind.TOOL_CALL, CrossingKind.RESPONSE}),
            parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.DOCUMENT}),
            threats=("LLM06@2023", "LLM10@2023", "LLM02@2025", "LLM10@2025"),
            csf=("DE.CM-09", "DE.AE-02", "PR.DS-02"),
            need=Window(size=4096, overlap=OVERLAP),
            cost=Cost.MODERATE,
            inline=not data.settings.names,
            deadline=5.0,
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        place = Place.of(crossing)
        if not (self._settings.principal or self._settings.session):
            return ALLOW
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind not in self.declaration.parts:
                continue
            if crossing.kind in _LEARNS:
                self._learn(part, place)
                continue
            if crossing.kind is not CrossingKind.TOOL_CALL:
                items = self._said(part, crossing, place)
                if not finished(crossing):  # what is held is judged again, when it is whole
                    settled = self.hold_from(part.text)
                    items = (item for item in items if item.end <= settled)
            elif part.name not in self._settings.inside:
                items = self._called(part, crossing, place)
            else:
                continue
            joined = joined.join(at_part(self._judged(items, crossing), index))
        return joined

    def hold_from(self, text: str) -> int:
        """A value that has not ended, and the words of a content that may be being repeated."""
        if not (self._settings.principal or self._settings.session):
            return len(text)
        hold = self._revealer.grammar.hold_from(text)
        if self._classified:
            hold = min(hold, last_words(text))
        return self._data.hold_from(text, self._held, hold)

    def _learn(self, part: Part, place: Place | None) -> None:
        classes = part.label.sensitivity & self._classified
        if classes and place:
            values = [part.text[one.start : one.end] for one in self._data.found(part.text)]
            self._disclosures.learn(place.key, part.text, classes, values)

    def _said(self, part: Part, crossing: Crossing, place: Place | None) -> Iterator[_Item]:
        before = left(crossing)
        for one in self._revealer.seen(place, part.text, before):
            known, mention = one.known, one.mention
            yield self._item(
                known.value, known.cls, known.data, (mention.start, mention.end), "restored", place
            )
        for value in self._data.found_after(before, part.text):
            if value.start >= 0:  # else it was counted when its beginning left
                yield self._value(part.text, value, place)
        if place and self._classified:
            for digest, classes in self._disclosures.repeated(place.key, before[-600:] + part.text):
                yield _Item(digest, classes, 0, 0, "repeated")

    def _called(self, part: Part, crossing: Crossing, place: Place | None) -> Iterator[_Item]:
        for one in self._data.found(part.text):
            yield self._value(part.text, one, place)
        labels = crossing.context.get("provenance")
        labels = labels.get(part.ref) if isinstance(labels, Mapping) else None
        if isinstance(labels, Mapping):
            found = [label.sensitivity for label in labels.values() if isinstance(label, Label)]
            classes = frozenset().union(*found) & self._classified
            if classes:
                yield _Item(self._disclosures.digest(part.text), classes, 0, 0, "called")

    def _value(self, text: str, one: Sighting, place: Place | None) -> _Item:
        value = text[one.start : one.end]
        return self._item(value, one.cls, frozenset(), (one.start, one.end), "shown", place)

    def _item(
        self,
        value: str,
        cls: str,
        data: frozenset[str],
        span: tuple[int, int],
        rule: str,
        place: Place | None,
    ) -> _Item:
        if self._classified and place:
            data = data | self._disclosures.classes_of(place.key, value)
        return _Item(self._disclosures.digest(value), frozenset({cls, EVERY}) | data, *span, rule)

    def _judged(self, items: Iterable[_Item], crossing: Crossing) -> Verdict:
        turn = crossing.context.get("turn")
        turn = turn if isinstance(turn, str) else ""
        findings: list[Finding] = []
        edits: list[Edit] = []
        action = Action.ALLOW
        for item in items:
            count = self._disclosures.count(turn, item.digest, self._budgets(item, crossing))
            if not count.granted:
                findings.append(_exhausted(item, count))
                redact = self._settings.exhausted == "redact" and crossing.kind is CrossingKind.RESPONSE
                if not (redact and item.end > item.start):
                    return verdict(Action.BLOCK, _REASON, findings)
                edits.append(Edit(0, item.start, item.end, _WITHHELD))
                action = Action.TRANSFORM
            elif count.fresh:
                findings.append(_counted(item, count, count.level >= self._settings.alert))
                action = max(action, Action.ANNOTATE)
        return verdict(action, _REASON if edits else "", findings, edits) if findings else ALLOW

    def _budgets(self, item: _Item, crossing: Crossing) -> list[Budget]:
        place = Place.of(crossing)
        mine = principal_key(crossing)
        found = [
            Budget(mine, cls, rate) for cls, rate in self._settings.principal.items() if cls in item.classes
        ]
        session = place.key if place else f"{mine} without a session"
        return found + [
            Budget(session, cls, rate) for cls, rate in self._settings.session.items() if cls in item.classes
        ]


_RULES = {
    "restored": "A value was put back for the person whose session it is of; it counts.",
    "shown": "A value was shown; it counts.",
    "repeated": "The answer repeats classified content; it counts.",
    "called": "A call carries classified content; it counts.",
}


def _counted(item: _Item, count: Count, alert: bool) -> Finding:
    rule = "alert" if alert else item.rule
    message = f"{count.level:.0%} of a budget is used." if alert else _RULES[item.rule]
    return Finding(ID, rule, message, 0, item.start, item.end, _named(item), min(1.0, count.level))


def _exhausted(item: _Item, count: Count) -> Finding:
    message = f"The budget of {count.spent} is used up."
    return Finding(ID, "exhausted", message, 0, item.start, item.end, count.spent)


def _named(item: _Item) -> str:
    return min(item.classes - {EVERY}, default=EVERY)


def build(settings: OutflowSettings, services: Services) -> Outflow:
    data = PersonalData(services.get(InterfaceSection).personal, [*settings.principal, *settings.session])
    revealer = Revealer(services.get(Pseudonyms), tuple(CLASSES))
    return Outflow(settings, data, revealer, services.get(Disclosures))


CONTROL = ControlFactory(ID, OutflowSettings, build)
