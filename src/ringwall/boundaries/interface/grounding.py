"""``interface.grounding``: an answer that rests on nothing is marked, so that nobody relies on it.

Sources that were not retrieved, figures that stand in no source, words that hardly meet the passages found,
and what policy wants said about a topic. Notices go to the end of the answer; nothing is held for them.
"""

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)
from ringwall.core.streaming import Window

from .figures import figures, known_values
from .response import ResponseControl, Seen
from .sources import Chunk, chunks, claims, overlap, single_source

ID = "interface.grounding"
NOTICE = (
    "\n\n[Note: this answer refers to sources that were not among the documents looked up. Please verify it.]"
)
FIGURES = (
    "\n\n[Note: this answer has figures that are in none of the documents looked up. Please verify them.]"
)
OVERLAP = "\n\n[Note: this answer has little in common with the documents looked up. Please verify it.]"
SINGLE = "\n\n[Note: this answer rests on documents of a single contributor. Please verify it.]"
_BEFORE = 4096
_NOTICES = {"source": NOTICE, "citation": NOTICE, "figure": FIGURES, "overlap": OVERLAP, "single": SINGLE}


class Disclaimer(Settings):
    """What policy wants said where a topic comes up."""

    words: tuple[str, ...] = Field(min_length=1)
    """Any of these in the question or the answer makes it the topic; whole words, any case."""
    text: str = Field(min_length=1, max_length=2000)
    """Put at the end of an answer that does not have it."""


class GroundingSettings(Settings):
    notice: bool = True
    """Whether notices are put at the end of an answer, or what was seen is put on record alone."""
    figures: bool = True
    """Whether numbers, amounts and dates must stand in the passages, tool results, system prompt or question.
    Only where passages were found. Small numbers without a unit, and spelled ones, are not looked at."""
    overlap: float = Field(default=0.15, ge=0, le=1)
    """Least share of the answer's telling words that the same sources must have; 0 switches it off. Answers
    in another language than the passages, and short ones, are not measured."""
    disclaimers: tuple[Disclaimer, ...] = ()
    """Texts that answers on a topic must have."""


class Grounding(ResponseControl):
    def __init__(self, settings: GroundingSettings, prompt: str = "") -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Marks answers whose sources, figures or words are not in what was looked up.",
                crossings=frozenset({CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM09@2023", "LLM09@2025"),
                csf=("DE.CM-09",),
                need=Window(size=1024, overlap=0),
                inline=True,
            )
        )
        self.settings = settings
        self._prompt = prompt

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        known = chunks(seen.fact("retrieved"))
        if not seen.final:
            findings = [_finding(*claim) for claim in claims(text, known)]
            return verdict(Action.ANNOTATE, findings=findings) if findings else ALLOW
        before = seen.fact("before")
        earlier = before[-_BEFORE:] if isinstance(before, str) and seen.fact("stream") else ""
        findings = _claimed(earlier, text, known)
        findings += self._evidence(earlier, text, known, seen)
        if single_source(seen.fact("retrieved"), earlier + text):
            findings.append(_finding("single-source", "What it rests on has too few contributors.", 0, 0))
        missing = self._missing(earlier + text, seen)
        if not findings and not missing:
            return ALLOW
        added = [one.text for one in missing]
        if self.settings.notice:
            kinds = [one.rule.partition("-")[0] for one in findings]
            added += [notice for kind, notice in _NOTICES.items() if kind in kinds]
        findings += [_finding("disclaimer-missing", "What policy wants said is missing.", 0, 0)] * bool(
            missing
        )
        lines = dict.fromkeys(line.strip() for line in added)
        ending = "".join(f"\n\n{line}" for line in lines if line not in text)
        if not ending or _is_json(seen.fact("response_format")):
            return verdict(Action.ANNOTATE, findings=findings)
        return verdict(Action.TRANSFORM, "", findings, [Edit(0, len(text), len(text), ending)])

    def hold_from(self, text: str) -> int:
        """Nothing need be held: the notice goes to the end."""
        return len(text)

    def _evidence(self, earlier: str, text: str, known: list[Chunk], seen: Seen) -> list[Finding]:
        """What the sources do not bear out. Without passages there is nothing to measure by."""
        if not known:
            return []
        passages = [chunk.text for chunk in known]
        sources = [*passages, *_texts(seen.fact("results")), *_texts(seen.fact("user_text")), self._prompt]
        whole, ahead, found = earlier + text, len(earlier), []
        if self.settings.figures:
            values = known_values(sources)
            for one in figures(whole):
                if one.telling and not one.values & values:
                    span = max(0, one.start - ahead), max(0, one.end - ahead)
                    found.append(_finding("figure-missing", "A figure stands in no source.", *span))
        share = overlap(whole, sources, passages) if self.settings.overlap else None
        if share is not None and share < self.settings.overlap:
            found.append(
                _finding("overlap-low", f"{share:.0%} of its telling words are in a source.", 0, len(text))
            )
        return found

    def _missing(self, text: str, seen: Seen) -> list[Disclaimer]:
        asked = " ".join(_texts(seen.fact("user_text"))[-1:])
        words = f" {' '.join(_plain(asked + ' ' + text))} "
        return [
            one
            for one in self.settings.disclaimers
            if one.text.strip() not in text
            and any(f" {' '.join(_plain(word))} " in words for word in one.words if _plain(word))
        ]


def _claimed(earlier: str, text: str, known: list[Chunk]) -> list[Finding]:
    """Claims of the whole answer; those that have left count as one."""
    found, ahead = claims(earlier + text, known), len(earlier)
    here = [
        _finding(rule, message, max(0, start - ahead), end - ahead)
        for rule, message, start, end in found
        if end > ahead
    ]
    message = "An earlier part of the answer cites a missing source."
    return here or ([_finding("source-earlier", message, 0, 0)] if found else [])


def _is_json(wanted: object) -> bool:
    """A notice behind JSON would break it."""
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _plain(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text.lower()).split()


def _texts(given: object) -> list[str]:
    return [text for text in given if isinstance(text, str)] if isinstance(given, (list, tuple)) else []


def _finding(rule: str, message: str, start: int, end: int) -> Finding:
    return Finding(ID, rule, message, 0, start, end, "overreliance", 0.6)


def build(settings: GroundingSettings, services: Services) -> Grounding:
    try:
        prompt = services.get(Application).system_prompt
    except LookupError:  # outside a workload
        prompt = ""
    return Grounding(settings, prompt)


CONTROL = ControlFactory(ID, GroundingSettings, build)
