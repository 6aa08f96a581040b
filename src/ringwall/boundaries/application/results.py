"""``application.results``: what tools return is bounded, and marked as data."""

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
    Integrity,
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)

from .spotlight import Style, marks

DECLARATION = Declaration(
    id="application.results",
    boundary=Boundary.APPLICATION,
    summary="Tool results that flood the model's context or pass for instructions.",
    crossings=frozenset({CrossingKind.REQUEST, CrossingKind.TOOL_RESULT}),
    parts=frozenset({PartKind.TOOL_RESULT}),
    threats=("LLM01@2023", "LLM04@2023", "LLM07@2023", "LLM01@2025", "LLM10@2025"),
    csf=("PR.DS-10", "PR.IR-04"),
    inline=True,
)
CUT = "\n[cut: the result was longer than is passed on]"


class ResultsSettings(Settings):
    """Bounds and marks of ``application.results``."""

    characters: int = 100_000
    """Longest result that is passed on whole; of a longer one the beginning is."""
    spotlight: Style = "delimit"
    """How untrusted results and passages reach the model: ``delimit`` puts them between marks that their
    author can't know; ``datamark`` also puts a sign between the words; ``encode`` turns them into base64,
    which only strong models read; ``none`` leaves them as they are."""


class ResultsControl:
    """Results of tools that the gateway runs, and those that a client sends back in its messages.

    The marks are edits, so they stand wherever edits are applied. The other forms of spotlighting are given
    to the text on its last step to the model (``spotlight.Spotlight``): an edit of the whole text would put
    back what another control took out.
    """

    declaration = DECLARATION

    def __init__(self, settings: ResultsSettings) -> None:
        self._settings = settings

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TOOL_RESULT:
                joined = joined.join(self._bounded(part, index))
        return joined

    def _bounded(self, part: Part, index: int) -> Verdict:
        length, limit = len(part.text), self._settings.characters
        findings = []
        edits: list[Edit] = []
        tail = ""
        if length > limit:
            tail = CUT
            findings.append(
                Finding(DECLARATION.id, "size", f"Cut to {limit} characters.", index, limit, length, "size")
            )
        if self._settings.spotlight != "none" and part.label.integrity is Integrity.UNTRUSTED:
            before, after = marks(part.text)
            edits.append(Edit(index, 0, 0, before))
            tail += after
        if tail:
            edits.append(Edit(index, min(limit, length), length, tail))
        return verdict(Action.TRANSFORM, "", findings, edits) if edits else ALLOW


def _build(settings: ResultsSettings, services: Services) -> ResultsControl:
    return ResultsControl(settings)


CONTROL = ControlFactory(DECLARATION.id, ResultsSettings, _build)
