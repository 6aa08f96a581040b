"""Control ``data.treatment``: sensitive data is redacted, tokenised, dropped or held as it comes in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ConfigError,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    NoSettings,
    PartKind,
    Problem,
    Services,
    Verdict,
    verdict,
)
from ringwall.detect.personal import MissingExtra, require

from .names import base
from .sensitive.spans import CLASSES, inspect_text
from .sensitive.tokens import TokenKeys
from .sensitive.treat import Outcome, Treatment
from .settings import DataSection

ID = "data.treatment"
_HELD = "Sensitive data was found: a person decides."
_DROPPED = "It holds sensitive data that may not come in."
_CHANGED = "Sensitive data was taken out."
_FINDINGS = 200


class TreatmentControl:
    """Reads every document and row of a contribution as its collection's ``sensitive`` settings say."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Redacts, tokenises, drops or holds sensitive data before a collection stores it.",
        crossings=frozenset({CrossingKind.CONTRIBUTION}),
        parts=frozenset({PartKind.DOCUMENT, PartKind.TEXT, PartKind.FILE}),
        threats=("LLM06@2023", "LLM10@2023", "LLM02@2025", "LLM08@2025"),
        csf=("PR.DS-01", "ID.AM-07"),
        cost=Cost.MODERATE,
        deadline=10.0,
    )

    def __init__(self, treatments: Mapping[str, Treatment]) -> None:
        self._treatments = treatments

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        by_collection: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, part in enumerate(crossing.parts):
            name = base(str(part.data.get("collection")))
            if name in self._treatments:
                by_collection[name, str(part.data.get("tenant", ""))].append(index)
        for (name, tenant), indexes in by_collection.items():
            parts = [crossing.parts[index] for index in indexes]
            texts = self._treatments[name].treat([part.text for part in parts], tenant)
            titles = self._treatments[name].treat([part.name for part in parts], tenant)
            for index, text, title in zip(indexes, texts, titles, strict=True):
                row = "record" in crossing.parts[index].data
                joined = joined.join(_of_text(index, text, row=row)).join(_of_title(index, title, row=row))
        return joined


def _of_text(part: int, outcome: Outcome, *, row: bool) -> Verdict:
    if not outcome.treated:
        return ALLOW
    findings = _findings(part, outcome, "")
    if outcome.drop:
        return _dropped(part, findings, row=row)
    edits = [Edit(part, start, end, new) for start, end, new in outcome.changes]
    if outcome.hold:
        return verdict(Action.HOLD, _HELD, findings, edits)
    return verdict(Action.TRANSFORM, _CHANGED, findings, edits)


def _of_title(part: int, outcome: Outcome, *, row: bool) -> Verdict:
    """A title can't be edited on its way in: a person decides, or it stays outside."""
    if not outcome.treated:
        return ALLOW
    findings = _findings(part, outcome, "In the title: ")
    if outcome.drop:
        return _dropped(part, findings, row=row)
    return verdict(Action.HOLD, _HELD, findings)


def _dropped(part: int, findings: Sequence[Finding], *, row: bool) -> Verdict:
    """One row of many is left out; a document is refused, with all that it hides."""
    if row:
        return verdict(Action.TRANSFORM, _DROPPED, findings, [Edit(part, 0, 0, drop=True)])
    return verdict(Action.BLOCK, _DROPPED, findings)


def _findings(part: int, outcome: Outcome, where: str) -> Sequence[Finding]:
    at_title = bool(where)
    return [
        Finding(
            *(ID, span.rule, f"{where}{CLASSES.get(span.cls, span.cls).capitalize()} was found.", part),
            *((0, 0) if at_title else (span.start, span.end)),
            cls=span.cls,
            score=span.score,
        )
        for span in outcome.treated[:_FINDINGS]
    ]


def _build(settings: NoSettings, services: Services) -> TreatmentControl:
    section, keys = services.get(DataSection), services.get(TokenKeys)
    treatments = {
        name: Treatment(name, collection.sensitive, keys, apart=collection.isolate_tenants)
        for name, collection in section.collections.items()
        if not collection.sensitive.idle
    }
    if treatments:
        inspect_text("1")  # the rules are compiled at the start, and not within the first deadline
    for name in treatments:
        try:
            require(regions=section.collections[name].sensitive.regions)
        except (MissingExtra, ValueError) as error:
            raise ConfigError(Problem(f"data.collections.{name}.sensitive.regions: {error}")) from None
    return TreatmentControl(treatments)


CONTROL = ControlFactory(ID, NoSettings, _build)
