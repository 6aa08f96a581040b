"""Control ``data.corroboration``: an answer that rests on one contributor alone is known as such.

A few passages on one question, written to be found, are enough to decide an answer, and one or two of them
look like anybody's. What remains against those is to count who stands behind what was retrieved: passages of
one contributor, of one document, or that are near-copies of each other are one voice. A retrieval is filled
up with passages that hardly touch the question; they bear nothing out, and are no voices.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

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

from .flood.shingles import Shingles, containment, shingles

ID = "data.corroboration"
SINGLE = "single-source"
SHARE = "share"
_COPY = 0.5
_MOST = 64
"""Passages of a retrieval that are held against each other; a store returns fewer."""
_REASON = "What was found comes from a single contributor."


class CorroborationSettings(Settings):
    """How many have to say it."""

    voices: int = Field(default=2, ge=1, le=10)
    """Independent voices that passages must come from."""
    near: float = Field(default=0.5, ge=0.0, le=1.0)
    """Part of the best passage's score that a passage must have to count as a voice, or as trusted: others
    don't answer the question. 0 counts all."""
    single: Literal["annotate", "drop", "block"] = "annotate"
    """What becomes of a retrieval of fewer voices: it is marked, its passages dropped, or it is blocked."""
    max_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Largest share of a retrieval's passages that one contributor may have; at least one passage. 1 sets no
    limit."""
    excess: Literal["annotate", "drop"] = "drop"
    """What becomes of a contributor's passages over the share, the last ranked first."""
    trusted: tuple[str, ...] = ("steward",)
    """Contributors, by subject, who need nobody to bear them out and have no limit. ``steward`` stands for
    the workload's own seed folder."""


class Corroboration:
    """Reads who contributed a passage from its sealed metadata, never from its text."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Marks retrievals that rest on one contributor alone, and limits one contributor's share.",
        crossings=frozenset({CrossingKind.RETRIEVAL}),
        parts=frozenset({PartKind.DOCUMENT}),
        threats=("LLM03@2023", "LLM09@2023", "LLM04@2025", "LLM08@2025", "LLM09@2025"),
        csf=("PR.DS-10", "DE.CM-09", "ID.RA-01"),
        inline=True,
    )

    def __init__(self, settings: CorroborationSettings) -> None:
        self._settings = settings

    def inspect(self, crossing: Crossing) -> Verdict:
        found = [(at, part) for at, part in enumerate(crossing.parts) if part.kind is PartKind.DOCUMENT]
        if not found or crossing.context.get("query_chars") == 0:
            return ALLOW  # a document that was asked for by its name is of one voice, and nobody is misled
        return self._single(found).join(self._over(found))

    def _single(self, found: Sequence[tuple[int, Part]]) -> Verdict:
        least = self._settings.near * max(_score(part) for _, part in found)
        found = [(at, part) for at, part in found if _score(part) >= least]
        if any(_contributor(part) in self._settings.trusted for _, part in found):
            return ALLOW
        count = voices([part for _, part in found])
        if count >= self._settings.voices:
            return ALLOW
        asked = self._settings.voices
        message = f"The passages that answer have {count} of the {asked} independent voices asked for."
        findings = [Finding(ID, SINGLE, message, part=at, cls="corroboration") for at, _ in found]
        if self._settings.single == "block":
            return verdict(Action.BLOCK, _REASON, findings)
        if self._settings.single == "drop":
            edits = [Edit(at, 0, len(part.text), drop=True) for at, part in found]
            return verdict(Action.TRANSFORM, findings=findings, edits=edits)
        return verdict(Action.ANNOTATE, findings=findings)

    def _over(self, found: Sequence[tuple[int, Part]]) -> Verdict:
        """Passages come best first: those that are over are the last ones of their contributor."""
        most = max(1, int(self._settings.max_share * len(found)))
        given: Counter[str] = Counter()
        over = []
        for at, part in found:
            name = _contributor(part)
            given[name] += 1
            if given[name] > most and name not in self._settings.trusted:
                over.append((at, part))
        if not over:
            return ALLOW
        message = "Its contributor has a larger share of what was found than is allowed."
        findings = [Finding(ID, SHARE, message, part=at, cls="corroboration") for at, _ in over]
        if self._settings.excess == "annotate":
            return verdict(Action.ANNOTATE, findings=findings)
        edits = [Edit(at, 0, len(part.text), drop=True) for at, part in over]
        return verdict(Action.TRANSFORM, findings=findings, edits=edits)


def voices(parts: Sequence[Part]) -> int:
    """How many independent voices the passages are: those of one contributor, of one document, or near-copies
    (half of the shorter one's runs of four words) are one. So are those whose contributor is not known."""
    kept = parts[:_MOST]
    texts = [shingles(part.text) for part in kept]
    voice = list(range(len(kept)))
    for at in range(len(kept)):
        for before in range(at):
            if voice[at] != voice[before] and _same(kept[at], texts[at], kept[before], texts[before]):
                old, new = voice[at], voice[before]
                voice = [new if one == old else one for one in voice]
    return len(set(voice))


def _same(left: Part, mine: Shingles, right: Part, other: Shingles) -> bool:
    document = left.data.get("collection") == right.data.get("collection") and left.data.get(
        "document"
    ) == right.data.get("document")
    return _contributor(left) == _contributor(right) or document or containment(mine, other) >= _COPY


def _contributor(part: Part) -> str:
    name = part.data.get("contributor")
    return name if isinstance(name, str) else ""


def _score(part: Part) -> float:
    score = part.data.get("score")
    return max(0.0, float(score)) if isinstance(score, int | float) else 1.0


def _build(settings: CorroborationSettings, services: Services) -> Corroboration:
    return Corroboration(settings)


CONTROL = ControlFactory(ID, CorroborationSettings, _build)
