"""Control ``data.export``: what leaves a collection, by whom, to where, and what is in it."""

from collections.abc import Iterable, Sequence
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
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.detect import Sighting, scanner
from ringwall.detect.batch import SECRETS, batches
from ringwall.detect.personal import find

from .settings import DataSection

ID = "data.export"
_IDENTIFIERS = (
    "pii.email", "pii.phone", "pii.card", "pii.iban", "pii.bank-account", "pii.national-id", "pii.tax-id",
    "pii.health-id", "pii.passport", "pii.driving-licence", "pii.birth-date", "pii.crypto",
)  # fmt: skip
_FINDINGS = 200
_WARM = "Caf\u00e9 aGVsbG8gd29ybGQsIGhlbGxv &#104; %68 1234567"

Treatment = Literal["block", "redact"]


class ExportSettings(Settings):
    """What is done about personal data and credentials in what leaves."""

    personal_classes: tuple[str, ...] = ()
    """Data classes of the workload that stand for personal data: what carries one of them may hold some, and
    goes only where that class may go. In everything else personal data is undeclared."""
    personal: Treatment = "block"
    """What is done about undeclared personal data."""
    secrets: Treatment = "block"
    """What is done about credentials, whatever the data is labelled."""
    identifiers: tuple[str, ...] = _IDENTIFIERS
    """Classes of personal data that are looked for, as ``ringwall.detect`` names them."""
    minimum: float = Field(default=0.6, ge=0.0, le=1.0)
    """Lowest score of a finding that counts."""
    encoded: bool = True
    """Whether texts are also read as somebody may have encoded them (Base64, leetspeak, invisible
    characters). Without, an export is many times faster, and who encodes on purpose is not noticed."""


class Export:
    """Judges by the workload's own lists, never by what the crossing says of them."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Stops exports by the wrong people, to the wrong places, or with undeclared personal data.",
        crossings=frozenset({CrossingKind.EXPORT}),
        parts=frozenset({PartKind.DOCUMENT}),
        threats=("LLM06@2023", "LLM10@2023", "LLM02@2025"),
        csf=("PR.AA-05", "PR.DS-10", "DE.CM-09"),
        cost=Cost.MODERATE,
        deadline=20.0,
    )

    def __init__(self, settings: ExportSettings, section: DataSection) -> None:
        self._settings = settings
        self._section = section
        if section.exports:  # else nothing may leave, and nothing is looked into
            self._seen([_WARM])  # compiles its rules now, not within the first crossing's deadline

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = self._lists(crossing)
        if joined.action is Action.BLOCK:
            return joined
        seen = self._seen([part.text for part in crossing.parts])
        for index, (part, found) in enumerate(zip(crossing.parts, seen, strict=True)):
            joined = joined.join(self._content(part, index, found))
        return joined

    def _lists(self, crossing: Crossing) -> Verdict:
        name, place = crossing.context.get("collection"), crossing.context.get("target")
        settings = self._section.collections.get(name) if isinstance(name, str) else None
        target = self._section.exports.get(place) if isinstance(place, str) else None
        if settings is None:
            return _refused("collection", "The workload has no such collection.")
        if not crossing.principal.authenticated or not crossing.principal.roles & set(settings.exporters):
            return _refused("role", "The principal holds no exporter role of the collection.")
        if target is None:
            return _refused("target", "The workload has no such target.")
        if target.collections and name not in target.collections:
            return _refused("target-collection", "The collection may not go to this target.")
        held = set(settings.sensitivity).union(*(part.label.sensitivity for part in crossing.parts))
        if not held <= set(target.classes):
            return _refused("class", "It carries a data class that may not go to this target.")
        return ALLOW

    def _seen(self, texts: Sequence[str]) -> list[list[Sighting]]:
        """Credentials and personal data in each text."""
        settings = self._settings
        if not settings.encoded:
            return batches(frozenset({SECRETS, *settings.identifiers})).find(texts, minimum=settings.minimum)
        return [
            [
                *(
                    one
                    for one in scanner().scan(text)
                    if one.cls == SECRETS and one.score >= settings.minimum
                ),
                *find(text, settings.identifiers, minimum=settings.minimum),
            ]
            for text in texts
        ]

    def _content(self, part: Part, index: int, found: Sequence[Sighting]) -> Verdict:
        settings = self._settings
        secrets = [(one.rule, one.start, one.end) for one in found if one.cls == SECRETS]
        joined = _treated(settings.secrets, "secret", "It holds a credential.", secrets, index)
        if part.label.sensitivity.isdisjoint(settings.personal_classes):
            personal = [(one.cls, one.start, one.end) for one in found if one.cls != SECRETS]
            message = "It holds personal data that no data class declares."
            joined = joined.join(_treated(settings.personal, "personal", message, personal, index))
        return joined


def _treated(
    how: Treatment, rule: str, message: str, found: Iterable[tuple[str, int, int]], index: int
) -> Verdict:
    spans = list(found)
    if not spans:
        return ALLOW
    findings = [
        Finding(ID, rule, message, index, start, end, cls=name) for name, start, end in spans[:_FINDINGS]
    ]
    if how == "block":
        return verdict(Action.BLOCK, message, findings)
    edits = [Edit(index, start, end, f"[{rule}:{name}]") for name, start, end in spans]
    return verdict(Action.TRANSFORM, "What may not leave was taken out.", findings, edits)


def _refused(rule: str, message: str) -> Verdict:
    return verdict(Action.BLOCK, message, [Finding(ID, rule, message, cls="export")])


def _build(settings: ExportSettings, services: Services) -> Export:
    return Export(settings, services.get(DataSection))


CONTROL = ControlFactory(ID, ExportSettings, _build)
