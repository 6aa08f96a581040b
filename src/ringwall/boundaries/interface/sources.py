"""What an answer claims as its sources, what was looked up, and how much the two have in common."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SINGLE_SOURCE = "single-source"
"""Note on a passage, by ``data.corroboration``."""
Claim = tuple[str, str, int, int]
"""Rule, message, start, end."""

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
_STOP = frozenset((
    "the", "our", "your", "a", "an", "of", "and", "for", "in", "on", "to", "document", "documentation",
    "source", "sources", "page", "website",
))  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{4,40}")
_STEM = 5
_ENOUGH = 12
"""Telling words of the shortest answer that is measured."""
_MOST = 200_000
"""Characters of the sources that are read."""
_COMMON = {
    "en": "the and that this with from have your you for are will not can",
    "de": "der die das und ist nicht mit ein eine sie wir ich auf werden",
    "fr": "les des une est pas vous nous avec pour dans sur qui que sont",
    "es": "los las una que para por con del está como más pero son usted",
    "it": "gli che per una non con del della sono come più alla nel",
    "pt": "os das uma que para com não por mais como seu sua você são",
    "nl": "het een van dat niet met voor zijn wij naar ook maar deze",
}  # fmt: skip
_LANGUAGE = {name: frozenset(words.split()) for name, words in _COMMON.items()}
_TELLING_NOT = frozenset().union(*_LANGUAGE.values())


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that was retrieved; lower case."""

    document: str
    text: str


def chunks(retrieved: object) -> list[Chunk]:
    """Those of ``context["retrieved"]``."""
    if not isinstance(retrieved, (list, tuple)):
        return []
    return [
        Chunk(str(chunk.get("document", "")).lower(), str(chunk.get("text", "")).lower())
        for chunk in retrieved
        if isinstance(chunk, dict)
    ]


def single_source(retrieved: object, answer: str = "") -> bool:
    """Whether the answer rests on passages of which the data boundary noted that they have too few
    independent voices behind them: those that it cites by number, else the best one."""
    if not isinstance(retrieved, (list, tuple)) or not retrieved:
        return False
    cited = {int(found[1]) for found in _NUMBER.finditer(answer)}
    resting = [retrieved[number - 1] for number in cited if 1 <= number <= len(retrieved)] or retrieved[:1]
    notes = [chunk.get("notes") if isinstance(chunk, dict) else None for chunk in resting]
    return all(isinstance(one, (list, tuple)) and SINGLE_SOURCE in one for one in notes)


def claims(text: str, known: Sequence[Chunk]) -> list[Claim]:
    """Citations and named sources that were not retrieved."""
    low = text.lower()
    if "[" not in text and not any(hint in low for hint in _HINTS):
        return []
    out: list[Claim] = []
    for found in _NUMBER.finditer(text):
        if not 1 <= int(found[1]) <= len(known):
            message = "Cites a numbered source that was not retrieved."
            out.append(("citation-missing", message, *found.span()))
    for found in _NAMED.finditer(text):
        if not _supported(found[1] or found[2], known):
            out.append(("source-missing", "Names a source that was not retrieved.", *found.span()))
    return out


def overlap(answer: str, sources: Iterable[str], passages: Iterable[str]) -> float | None:
    """Share of the answer's telling words (by their stems) that are in a source. None where that would say
    nothing: a short answer, or one in another language than the passages."""
    said = _stems(answer)
    if len(said) < _ENOUGH:
        return None
    mine, theirs = _language(answer), _language(" ".join(passages)[:_MOST])
    if mine != theirs:
        return None
    known = _stems(" ".join(sources)[:_MOST])
    return len(said & known) / len(said)


def _stems(text: str) -> frozenset[str]:
    words = (found.group().lower() for found in _WORD.finditer(text))
    return frozenset(word[:_STEM] for word in words if word not in _TELLING_NOT)


def _language(text: str) -> str:
    """By everyday words; the script where there are none; empty when unclear."""
    words = re.findall(r"[^\W\d_]{2,12}", text.lower()[:20_000])
    counts = {name: sum(word in common for word in words) for name, common in _LANGUAGE.items()}
    best = max(counts, key=lambda name: counts[name])
    if counts[best]:
        return best
    letters = [char for char in text[:2000] if char.isalpha()]
    return f"script-{ord(letters[0]) >> 8}" if letters else ""


def _supported(name: str, known: Sequence[Chunk]) -> bool:
    """Any telling word of the name stands in a retrieved document's name or text."""
    words = [word for word in re.findall(r"\w+", name.lower()) if word not in _STOP and len(word) > 1]
    if not words:
        return bool(known)
    return any(word in chunk.document or word in chunk.text for chunk in known for word in words)
