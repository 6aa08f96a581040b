"""``interface.grounding``: an answer that names sources it can't have is marked."""

import re

from ringwall.core import (
    ALLOW,
    Action,
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

from .response import ResponseControl, Seen

ID = "interface.grounding"
NOTICE = (
    "\n\n[Note: this answer refers to sources that were not among the documents looked up. Please verify it.]"
)
_NUMBER = re.compile(r"\[(\d{1,2})\](?![(\[:])")
_NAMED = re.compile(
    r"\b(?:sources?|references?|quelle|fuente)\s?:\s{0,2}([^\n.;\]]{2,80})"
    r"|\b(?:according to|as stated in|as described in|per|based on|cited in|quoted from) (?:the |our |your )?"
    r"((?:\w[\w'&-]{0,24} ){0,4}(?:handbook|manual|polic(?:y|ies)|documentation|document|guide|faq|report|"
    r"article|study|terms|knowledge base|website|page|contract|agreement|law))\b",
    re.IGNORECASE,
)
_HINTS = (
    "source", "reference", "quelle", "fuente", "according to", "as stated", "as described", "per ",
    "based on", "cited in", "quoted from",
)  # fmt: skip
_STOP = frozenset(
    [
        "the",
        "our",
        "your",
        "a",
        "an",
        "of",
        "and",
        "for",
        "in",
        "on",
        "to",
        "document",
        "documentation",
        "source",
        "sources",
        "page",
        "website",
    ]
)


class GroundingSettings(Settings):
    notice: bool = True
    """Whether a notice is put at the end of an answer that names sources it can't have."""


class Grounding(ResponseControl):
    def __init__(self, settings: GroundingSettings) -> None:
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Marks answers that cite sources which were not retrieved.",
                crossings=frozenset({CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM09@2023", "LLM09@2025"),
                csf=("DE.CM-09",),
                need=Window(size=1024, overlap=0),
                inline=True,
            )
        )
        self.settings = settings

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        before = seen.fact("before")
        known = _chunks(seen.fact("retrieved"))
        findings = _claims(text, known)
        if seen.fact("stream") and seen.final and isinstance(before, str):
            earlier = bool(_claims(before[-4096:], known))
        else:
            earlier = False
        if not findings and not earlier:
            return ALLOW
        if not findings:
            findings = [
                _finding("ungrounded-earlier", "An earlier part of the answer cites a missing source.", 0, 0)
            ]
        if self.settings.notice and seen.final and NOTICE.strip() not in text:
            return verdict(Action.TRANSFORM, "", findings, [Edit(0, len(text), len(text), NOTICE)])
        return verdict(Action.ANNOTATE, findings=findings)

    def hold_from(self, text: str) -> int:
        """Nothing need be held: the notice goes to the end."""
        return len(text)


def _claims(text: str, known: list[tuple[str, str]]) -> list[Finding]:
    low = text.lower()
    if "[" not in text and not any(hint in low for hint in _HINTS):
        return []
    out = []
    for found in _NUMBER.finditer(text):
        if not 1 <= int(found[1]) <= len(known):
            out.append(
                _finding("citation-missing", "Cites a numbered source that was not retrieved.", *found.span())
            )
    for found in _NAMED.finditer(text):
        name = found[1] or found[2]
        if not _supported(name, known):
            out.append(_finding("source-missing", "Names a source that was not retrieved.", *found.span()))
    return out


def _supported(name: str, known: list[tuple[str, str]]) -> bool:
    """Any telling word of the name stands in a retrieved document's name or text."""
    words = [word for word in re.findall(r"\w+", name.lower()) if word not in _STOP and len(word) > 1]
    if not words:
        return bool(known)
    return any(word in document or word in body for document, body in known for word in words)


def _chunks(retrieved: object) -> list[tuple[str, str]]:
    if not isinstance(retrieved, (list, tuple)):
        return []
    return [
        (str(chunk.get("document", "")).lower(), str(chunk.get("text", "")).lower())
        for chunk in retrieved
        if isinstance(chunk, dict)
    ]


def _finding(rule: str, message: str, start: int, end: int) -> Finding:
    return Finding(ID, rule, message, 0, start, end, "overreliance", 0.6)


def build(settings: GroundingSettings, _services: Services) -> Grounding:
    return Grounding(settings)


CONTROL = ControlFactory(ID, GroundingSettings, build)
