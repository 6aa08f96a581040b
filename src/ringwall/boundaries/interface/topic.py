"""``interface.topic``: requests for what the application is not for."""

import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ConfigError,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    Integrity,
    NoSettings,
    Part,
    PartKind,
    Problem,
    Services,
    Verdict,
    verdict,
)
from ringwall.core.part_control import WITHHELD
from ringwall.detect.embed import available, embedder
from ringwall.detect.language import letters, segments

from .purpose import PurposeSettings
from .session_turn import stems
from .topic_judges import ByMeaning, ByWords, Judge, Judgement

ID = "interface.topic"
log = logging.getLogger("ringwall")
_KEPT = 4096
_PIECES = 8
"""Sentences of a request that are judged."""
_CONTEXT_CHARS = 500
_FOLLOW_WORDS = 12
_FOLLOWS = re.compile(
    r"^\W{0,3}(?:and|but|or|so|then|also|what about|how about|why|when|which|ok|okay|yes|no)\b"
    r"|\b(?:it|its|that|those|these|this|them|they|ones?|same|above|instead|cheaper|bigger|smaller)\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"\b(?:h(?:i|ello|ey)(?: there)?|good (?:morning|afternoon|evening|day|night)|greetings|how are "
    r"you(?: doing)?|"
    r"(?:many )?thank(?:s| you)(?: (?:so|very) much| a lot)?|cheers|please|sorry|bye|goodbye|see "
    r"you|nice|great|"
    r"perfect|awesome|cool|good|fine|ok(?:ay)?|yes|yeah|no|nope|sure|right|wait|help(?: me)?|are you (?:a )?"
    r"(?:bot|human|real|robot|there)|who are you|what can you do|what are "
    r"you|for|your|the|i|you|me|my|a|that|is|"
    r"and|to|it|so|very|much|again|have|day|need)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_ENGLISH = re.compile(
    r"\b(?:the|is|are|what|how|which|where|when|who|why|can|could|would|should|do|does|did|my|your|you|"
    r"i|and|of|for|with|"
    r"to|it|this|that|please|give|tell|write|about|from|have|has|will|need|want|be)\b",
    re.IGNORECASE,
)
"""Both ways know English alone: a text without any of these is not judged."""
_REASONS = {
    "denied": "This assistant does not help with that.",
    "off-topic": "That is outside of what this assistant is for.",
}


class Topic:
    """Judges the newest message of the user, a follow-up with what it follows on. Greetings, small talk and
    texts of a word or two are welcome everywhere."""

    def __init__(self, purpose: PurposeSettings, application: str = "") -> None:
        self.purpose = purpose
        self.judge = _judge(purpose, application)
        self._known: OrderedDict[tuple[str, str], Judgement] = OrderedDict()
        self._stopped: OrderedDict[tuple[str, str], None] = OrderedDict()
        way = f" Judged by {self.judge.name}." if self.judge else ""
        self.declaration = Declaration(
            id=ID,
            boundary=Boundary.INTERFACE,
            summary=f"Stops requests for what the application is not for.{way}",
            crossings=frozenset({CrossingKind.REQUEST}),
            parts=frozenset({PartKind.TEXT}),
            threats=("LLM01@2023", "LLM09@2023", "LLM01@2025", "LLM09@2025", "LLM10@2025"),
            csf=("PR.PS-05", "DE.CM-09"),
            cost=Cost.DEAR,
            deadline=5.0,
            inline=self.judge is None or self.judge.name == "words",
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        mine = [
            (index, part)
            for index, part in enumerate(crossing.parts)
            if part.kind is PartKind.TEXT and part.role == "user" and part.label.integrity is Integrity.USER
        ]
        if self.judge is None or not mine:
            return ALLOW
        withheld = self._withheld(crossing, mine[:-1])
        index, part = mine[-1]
        found = self._judged(part, mine[-2][1] if len(mine) > 1 else None)
        if not (found.denied or found.off_topic):
            return withheld
        given = self._verdict(found, index, len(part.text))
        if given.action is Action.BLOCK:
            self._stopped[crossing.session, part.digest] = None
            _bound(self._stopped)
        return withheld.join(given)

    def _judged(self, part: Part, before: Part | None) -> Judgement:
        key = (part.digest, before.digest if before else "")
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._judge_text(part.text, before.text if before else "")
            _bound(self._known)
        return known

    def _judge_text(self, text: str, before: str) -> Judgement:
        """The whole by its sentences: what most of it is about counts."""
        pieces = [text[one.start : one.end] for one in islice(segments(text), _PIECES) if not one.code]
        pieces = [piece for piece in pieces if self._readable(piece)]
        if not pieces or self.judge is None:
            return Judgement()
        judged = self.judge.judge(pieces)
        weights = [letters(piece) for piece in pieces]
        for found in judged:
            if found.denied:
                return found
        off = [found for found in judged if found.off_topic]
        share = sum(weight for weight, found in zip(weights, judged, strict=True) if found.off_topic)
        if not off or share <= sum(weights) / 2:
            return Judgement(score=max(found.score for found in judged))
        excused = bool(before) and self._follows(text) and not any(found.plain for found in off)
        if excused and not self._off(before[-_CONTEXT_CHARS:] + "\n" + text):
            return Judgement(score=off[0].score)
        return min(off, key=lambda found: found.score)

    def _readable(self, text: str) -> bool:
        if len(_WORD.findall(_SMALL_TALK.sub("", text))) < 2 or len(stems(text)) < 1:
            return False
        return bool(_ENGLISH.search(text))

    def _follows(self, text: str) -> bool:
        return len(text.split(None, _FOLLOW_WORDS)) <= _FOLLOW_WORDS and bool(_FOLLOWS.search(text[:200]))

    def _off(self, text: str) -> bool:
        return any(
            found.off_topic or found.denied for found in (self.judge.judge([text]) if self.judge else ())
        )

    def _verdict(self, found: Judgement, index: int, length: int) -> Verdict:
        engine = self.judge.name if self.judge else ""
        kind = "denied" if found.denied else "off-topic"
        wanted = self.purpose.on_denied if found.denied else self.purpose.off_topic
        blocks = wanted == "block" and (found.denied or engine != "words")
        score = found.score if found.denied else 1 - found.score
        message = f"{_REASONS[kind]} (Judged by {engine}.)"
        finding = Finding(ID, f"{kind} ({engine})", message, index, 0, length, "topic", round(score, 4))
        return verdict(
            Action.BLOCK if blocks else Action.ANNOTATE, _REASONS[kind] if blocks else "", [finding]
        )

    def _withheld(self, crossing: Crossing, earlier: Sequence[tuple[int, Part]]) -> Verdict:
        if not self._stopped:
            return ALLOW
        gone = [(index, part) for index, part in earlier if (crossing.session, part.digest) in self._stopped]
        if not gone:
            return ALLOW
        findings = [
            Finding(ID, "withheld", "This message was stopped when it came.", index, cls="topic")
            for index, _ in gone
        ]
        edits = [Edit(index, 0, len(part.text), WITHHELD) for index, part in gone]
        return verdict(Action.TRANSFORM, findings=findings, edits=edits)


def _bound(book: OrderedDict[tuple[str, str], Any]) -> None:
    if len(book) > _KEPT:
        book.popitem(last=False)


def _judge(purpose: PurposeSettings, application: str) -> Judge | None:
    if not purpose.allowed and not purpose.denied:
        return None
    if purpose.engine != "words" and (purpose.engine == "embeddings" or available()):
        try:
            return ByMeaning(purpose, embedder())
        except RuntimeError as error:
            raise ConfigError(Problem(f"the purpose of {application!r} can't be judged: {error}")) from None
    if purpose.engine == "auto":
        _said(application)
    return ByWords(purpose)


@cache
def _said(application: str) -> None:
    """Once: the same application is composed again at each reload, and often in a drill."""
    log.warning("%s: the purpose of %r is judged by words: embeddings are not installed", ID, application)


def build(_settings: NoSettings, services: Services) -> Topic:
    return Topic(services.get(PurposeSettings), services.get(Application).name)


CONTROL = ControlFactory(ID, NoSettings, build)
