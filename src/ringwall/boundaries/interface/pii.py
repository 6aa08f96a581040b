"""``interface.pii``: personal data is hidden from the model, and put back into the answer for its reader."""

from collections.abc import Iterable

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
    Verdict,
    Window,
    verdict,
)
from ringwall.core.part_control import WITHHELD, at_part
from ringwall.detect import Sighting
from ringwall.detect.personal import OVERLAP

from .call_arguments import kept_json
from .hiding import Hiding, PiiSettings
from .personal_data import PersonalData
from .pseudonyms import Place, Pseudonyms
from .response import left
from .revealing import Revealed
from .settings import InterfaceSection
from .treatment import Treatment, Treatments, masked, replaced

ID = "interface.pii"
_FINDINGS = 200
"""Of one part. What is found beyond them is treated all the same."""
_LOOK = frozenset({CrossingKind.REQUEST, CrossingKind.RETRIEVAL, CrossingKind.TOOL_RESULT})


class Pii:
    """Nothing is cached by content: what a text becomes depends on whose it is."""

    def __init__(self, settings: PiiSettings, data: PersonalData, vault: Pseudonyms) -> None:
        self._on = bool(settings.classes or settings.answers)
        self._restore, self._keep = settings.restore, settings.keep
        self._treatments = Treatments(settings.classes, settings.answers)
        self._data = data
        self._revealer = Hiding.of(settings, vault).revealer
        self._stopping = self._treatments.stopping(data.classes)
        self.declaration = Declaration(
            id=ID,
            boundary=Boundary.INTERFACE,
            summary="Hides personal data from the model and puts it back for the person it came from.",
            crossings=frozenset({*_LOOK, CrossingKind.TOOL_CALL, CrossingKind.RESPONSE}),
            parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.DOCUMENT}),
            threats=("LLM06@2023", "LLM02@2025"),
            csf=("PR.DS-02", "PR.DS-10", "DE.CM-09"),
            need=Window(size=4096, overlap=OVERLAP),
            cost=Cost.MODERATE,
            inline=not data.settings.names,
            deadline=5.0,
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        if not self._on:
            return ALLOW
        place = Place.of(crossing)
        if place and crossing.kind in _LOOK:
            texts = [part.text for part in crossing.parts if part.kind in self.declaration.parts]
            self._revealer.reserve(place, texts)
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind not in self.declaration.parts:
                continue
            if crossing.kind in _LOOK:
                given = self._incoming(part, crossing.kind, place)
            elif crossing.kind is CrossingKind.TOOL_CALL:
                given = self._called(part)
            else:
                given = self._answered(part, crossing, place)
            joined = joined.join(at_part(given, index))
        return joined

    def hold_from(self, text: str) -> int:
        """The beginning of a placeholder, or of a value that may not be shown."""
        if not self._on:
            return len(text)
        hold = self._revealer.grammar.hold_from(text) if self._restore else len(text)
        return self._data.hold_from(text, self._stopping, hold) if self._stopping else hold

    def _incoming(self, part: Part, kind: CrossingKind, place: Place | None) -> Verdict:
        """On its way to a model. What the operator of the workload wrote is taken as it is."""
        if part.label.integrity is Integrity.SYSTEM:
            return ALLOW
        data = part.label.sensitivity
        if barred := self._treatments.barred(data):
            finding = Finding(ID, "data-class", "Content of this class goes to no model.", cls=barred)
            return _stopped(part, kind, [finding])
        findings: list[Finding] = []
        edits: list[Edit] = []
        for one in self._data.found(part.text):
            treatment = self._treatments.incoming(one.cls, data)
            if treatment is None:
                continue
            findings.append(_finding(one, treatment.word))
            if treatment is Treatment.BLOCK:
                return _stopped(part, kind, findings)
            if treatment is not Treatment.ANNOTATE:
                edits.append(Edit(0, one.start, one.end, self._hidden(part, one, treatment, place)))
        if edits and part.kind is PartKind.TOOL_CALL:
            edits = kept_json(part.text, edits)
        return _changed(findings, edits)

    def _hidden(self, part: Part, one: Sighting, treatment: Treatment, place: Place | None) -> str:
        """What takes the place of a value. One that was seen in a decoded view is none to put back."""
        value = "" if one.view else part.text[one.start : one.end]
        hidden: str | None = None
        if value and place and treatment is Treatment.PSEUDONYMISE:
            hidden = self._revealer.vault.give(place, value, one.cls, part.label.sensitivity)
        elif value and place and treatment is Treatment.ENCRYPT:
            hidden = self._revealer.encrypted(place, value, one.cls)
        return hidden or self._shown(value, one.cls, treatment)

    def _called(self, part: Part) -> Verdict:
        """A call as it would be made, values and all. Its arguments are not changed: they are authorised as
        they are."""
        findings = []
        for one in self._data.found(part.text):
            treatment = self._treatments.answer(one.cls)
            if treatment is not None:
                findings.append(_finding(one, "called"))
            if treatment is Treatment.BLOCK:
                return verdict(Action.BLOCK, _REASON, findings)
        return _changed(findings, [])

    def _answered(self, part: Part, crossing: Crossing, place: Place | None) -> Verdict:
        """Values of placeholders are put back by edits that give way to everybody else's."""
        revealed = self._revealed(part.text, crossing, place)
        findings: list[Finding] = []
        edits: list[Edit] = []
        inside: set[int] = set()
        for one in revealed:
            start, end, cls = one.mention.start, one.mention.end, one.known.cls
            inside.update(range(start, end))
            treatment = self._treatments.answer(cls) or Treatment.ANNOTATE
            if treatment is Treatment.ANNOTATE:
                findings.append(Finding(ID, "restored", _RESTORED, 0, start, end, cls))
                edits.append(Edit(0, start, end, one.known.value, yields=True))
            else:
                findings.append(Finding(ID, treatment.word, _RESTORED, 0, start, end, cls))
                edits.append(Edit(0, start, end, self._shown(one.known.value, cls, treatment)))
        for seen in self._data.found_after(left(crossing), part.text):
            sighting = seen._replace(start=max(0, seen.start))
            asked = self._treatments.answer(sighting.cls)
            if asked is None or (sighting.start in inside and sighting.end - 1 in inside):
                continue
            findings.append(_finding(sighting, asked.word))
            if asked is Treatment.BLOCK:
                return verdict(Action.BLOCK, _REASON, findings[-_FINDINGS:])
            if asked is not Treatment.ANNOTATE:
                start, end = sighting.start, sighting.end
                value = "" if sighting.view or seen.start < 0 else part.text[start:end]
                edits.append(Edit(0, start, end, self._shown(value, sighting.cls, asked)))
        return _changed(findings, edits)

    def _revealed(self, text: str, crossing: Crossing, place: Place | None) -> list[Revealed]:
        return self._revealer.seen(place, text, left(crossing)) if self._restore else []

    def _shown(self, value: str, cls: str, treatment: Treatment) -> str:
        """A value that nobody may see whole."""
        mask = treatment is Treatment.MASK and value
        return masked(value, self._keep) if mask else replaced(cls)


_RESTORED = "A value was put back for the person whose session it is of."
_REASON = "It held personal data that may not pass here."


def _finding(one: Sighting, rule: str) -> Finding:
    return Finding(
        ID, rule, one.message or "Personal data.", 0, one.start, one.end, one.cls, one.score, one.view
    )


def _changed(findings: Iterable[Finding], edits: list[Edit]) -> Verdict:
    kept = list(findings)[:_FINDINGS]
    if not kept and not edits:
        return ALLOW
    firm = any(not edit.yields for edit in edits)
    reason = "Personal data was taken out." if firm else ""
    return verdict(Action.TRANSFORM if edits else Action.ANNOTATE, reason, kept, edits)


def _stopped(part: Part, kind: CrossingKind, findings: list[Finding]) -> Verdict:
    """A request and a tool result are stopped; a passage goes without the others; an earlier message, which
    would stop every later turn, is withheld."""
    if kind is CrossingKind.RETRIEVAL:
        return verdict(Action.TRANSFORM, "", findings[-_FINDINGS:], [Edit(0, 0, len(part.text), drop=True)])
    if not part.fresh:
        gone = "{}" if part.kind is PartKind.TOOL_CALL else WITHHELD
        return verdict(Action.TRANSFORM, "", findings[-_FINDINGS:], [Edit(0, 0, len(part.text), gone)])
    return verdict(Action.BLOCK, _REASON, findings[-_FINDINGS:])


def build(settings: PiiSettings, services: Services) -> Pii:
    data = PersonalData(services.get(InterfaceSection).personal, [*settings.classes, *settings.answers])
    return Pii(settings, data, services.get(Pseudonyms))


CONTROL = ControlFactory(ID, PiiSettings, build)
