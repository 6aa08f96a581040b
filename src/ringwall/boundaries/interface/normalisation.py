"""``interface.normalisation``: characters that a person can't see but a model reads are taken out."""

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
    NoSettings,
    Part,
    PartControl,
    PartKind,
    Services,
    Verdict,
    verdict,
)
from ringwall.detect.invisible import smuggled

from .call_arguments import kept_json

ID = "interface.normalisation"
_MOST_FINDINGS = 200
"""Of one text: a text full of them needs no longer list."""
_NAMES = {
    "tags": "Unicode tag characters, which spell text that only a model reads",
    "bidi": "Direction controls, which show text in another order than a model reads it",
    "selectors": "Variation selectors, which can carry hidden bytes",
    "invisible": "Invisible characters",
}


class Normalisation(PartControl):
    """Emoji sequences, joiners of scripts that need them, direction marks in Arabic or Hebrew text stay."""

    def __init__(self) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Takes out invisible characters that smuggle text past people and detectors.",
                crossings=frozenset(
                    {
                        CrossingKind.REQUEST,
                        CrossingKind.CONTRIBUTION,
                        CrossingKind.RETRIEVAL,
                        CrossingKind.TOOL_RESULT,
                    }
                ),
                parts=frozenset({PartKind.TEXT, PartKind.DOCUMENT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT}),
                threats=("LLM01@2023", "LLM03@2023", "LLM01@2025", "LLM04@2025"),
                csf=("PR.DS-10", "DE.CM-09"),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        text = part.text
        if text.isascii() and text.isprintable():
            return ALLOW
        spans = smuggled(text)
        if not spans:
            return ALLOW
        findings = [
            Finding(ID, kind, f"{_NAMES[kind]} were taken out.", 0, start, end, "smuggling")
            for start, end, kind in spans[:_MOST_FINDINGS]
        ]
        edits = [Edit(0, start, end) for start, end, _ in spans]
        if part.kind is PartKind.TOOL_CALL:
            edits = kept_json(text, edits)
        return verdict(Action.TRANSFORM, "Invisible characters were taken out.", findings, edits)


def build(_settings: NoSettings, _services: Services) -> Normalisation:
    return Normalisation()


CONTROL = ControlFactory(ID, NoSettings, build)
