"""Two ways to tell whether a request is within a purpose: by meaning (embeddings) and, without them, by
words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from ringwall.detect.embed import Embedder

from .purpose import PurposeSettings
from .session_turn import stems

_UNCALIBRATED = 0.3
_LOWEST, _HIGHEST = 0.15, 0.45
_MARGIN = 0.08
"""How much nearer a request must be to some other purpose than to the allowed ones."""
_DENIED = 0.3
_OWN = 0.45
"""Similarity from which a general subject is one of the workload's own, and no sign of being elsewhere."""
_PLAIN = 0.5
_FEWEST = 3
_VOCABULARY = 15
"""Words that a purpose must have before a text without any of them means something."""
_ELSEWHERE = (
    "write a poem",
    "tell me a joke",
    "write a short story",
    "write an essay for school",
    "do my homework",
    "solve this equation",
    "what is the capital of a country",
    "explain a historical event",
    "who won the match",
    "write a Python program",
    "fix the bug in my code",
    "give me a recipe for dinner",
    "what is the weather tomorrow",
    "what medicine should I take",
    "what are the symptoms of an illness",
    "is this contract legal",
    "can I sue my landlord",
    "should I buy or sell shares",
    "how do I file my taxes",
    "who should I vote for",
    "what do you think of the president",
    "is there a god",
    "give me relationship advice",
    "plan my holiday trip",
    "recommend a film or a book",
    "translate this text",
    "explain quantum physics",
    "write a job application",
    "what is the meaning of life",
    "help me lose weight",
    "which car should I buy",
    "what happened in the news",
)
"""What people ask general assistants: a request that is near to none of these is not called off topic for
being unusual."""


@dataclass(frozen=True, slots=True)
class Judgement:
    off_topic: bool = False
    denied: bool = False
    score: float = 1.0
    """Nearness to what is allowed, or denied, 0..1."""
    plain: bool = False
    """So near to what people ask elsewhere that what went before excuses nothing."""


class Judge(Protocol):
    name: str
    """``embeddings`` or ``words``: stands in findings and in the control's summary."""
    threshold: float

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement for each text, by itself."""
        ...


class ByMeaning:
    """Nearest allowed purpose or example, against the nearest denied one and the nearest of what people ask
    elsewhere."""

    name = "embeddings"

    def __init__(self, purpose: PurposeSettings, embedder: Embedder) -> None:
        self._embedder = embedder
        self._allowed = self._rows((*purpose.allowed, *purpose.examples))
        self._denied = self._rows(purpose.denied)
        elsewhere = self._rows(_ELSEWHERE)
        if self._allowed is not None:
            elsewhere = elsewhere[(elsewhere @ self._allowed.T).max(axis=1) < _OWN]
        self._elsewhere = elsewhere
        self.threshold = purpose.threshold or self._calibrated(purpose)

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        rows = self._embedder.embed(texts)
        return [self._one(row) for row in rows]

    def _one(self, row: Any) -> Judgement:
        allowed, denied = _nearest(self._allowed, row), _nearest(self._denied, row)
        if denied >= _DENIED and denied > allowed:
            return Judgement(denied=True, score=denied)
        if self._allowed is None or allowed >= self.threshold:
            return Judgement(score=allowed)
        elsewhere = _nearest(self._elsewhere, row)
        return Judgement(elsewhere > allowed + _MARGIN, score=allowed, plain=elsewhere >= _PLAIN)

    def _rows(self, texts: Sequence[str]) -> Any:
        return _embedded(self._embedder, tuple(texts)) if texts else None

    def _calibrated(self, purpose: PurposeSettings) -> float:
        """The similarity that nine in ten examples reach when each is held against all the others."""
        if len(purpose.examples) < _FEWEST:
            return _UNCALIBRATED
        first = len(purpose.allowed)
        alike = self._allowed[first:] @ self._allowed.T
        for index in range(len(purpose.examples)):
            alike[index, first + index] = -1.0
        reached = sorted(float(best) for best in alike.max(axis=1))
        return min(_HIGHEST, max(_LOWEST, reached[len(reached) // 10]))


@lru_cache(32)  # a reload composes anew what it has had
def _embedded(embedder: Embedder, texts: tuple[str, ...]) -> Any:
    return embedder.embed(texts)


def _nearest(rows: Any, row: Any) -> float:
    if rows is None or not len(rows):
        return 0.0
    return min(1.0, max(0.0, float((rows @ row).max())))


class ByWords:
    """Shares no word with what is allowed, or all words of something denied: a weak judge, for want of a
    better."""

    name = "words"
    threshold = 0.0

    def __init__(self, purpose: PurposeSettings) -> None:
        self._allowed = frozenset().union(*map(stems, (*purpose.allowed, *purpose.examples)))
        self._denied = [found for found in map(stems, purpose.denied) if found]

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        return [self._one(stems(text)) for text in texts]

    def _one(self, found: frozenset[str]) -> Judgement:
        if any(denied <= found for denied in self._denied):
            return Judgement(denied=True, score=1.0)
        off = len(self._allowed) >= _VOCABULARY and len(found) >= _FEWEST and not found & self._allowed
        return Judgement(off_topic=off, score=0.0 if off else 1.0)
