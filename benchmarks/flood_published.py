"""Forms of the floods published with PoisonedRAG (Zou et al. 2024): alone, and buried in real text."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ringwall.boundaries.data.flood import Passage
from ringwall.boundaries.data.passages import passages

FORMS = (
    "plain", "question first", "words first", "gibberish first", "among 2 to 5", "middle of 8",
    "among 2 to 5, question before the claim",
)  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_MARKS = "{}[];:!?#@~%&*<>|"
_HELD = 0.6
"""Part of a claim's words that a passage has which holds it, where a text is cut in several."""


@dataclass(frozen=True)
class Around:
    """What claims are buried in."""

    documents: Sequence[Sequence[str]]
    """Sentences of each."""
    words: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Around":
        cut = [[one for one in _SENTENCE.split(text) if 20 < len(one) < 400] for text in texts]
        return cls([one for one in cut if len(one) >= 8], [word for text in texts for word in text.split()])

    def sentences(self, chance: random.Random, count: int) -> list[str]:
        """In a row, of one document: no two claims have the same around them."""
        document = chance.choice(self.documents)
        start = chance.randrange(len(document) - count + 1)
        return list(document[start : start + count])

    def gibberish(self, chance: random.Random, count: int = 24) -> str:
        """As a search over tokens leaves it: pieces of words, with odd marks."""
        drawn = chance.choices(self.words, k=count)
        ends = ("", "", chance.choice(_MARKS), "##ing", "##ly")
        return " ".join(word[chance.randrange(3) :] + chance.choice(ends) for word in drawn)


def texts(row: dict[str, Any], form: str, chance: random.Random, around: Around) -> Iterator[Passage]:
    """The passages that hold the claim, as an index cuts them at 900 characters."""
    for at, claim in enumerate(row["adv_texts"]):
        text = _put(claim, str(row["question"]), form, chance, around)
        cut = list(passages(text, 900))
        words = set(claim.lower().split())
        for ordinal, piece in enumerate(cut):
            if len(cut) == 1 or len(words & set(piece.text.lower().split())) >= _HELD * len(words):
                yield Passage(f"{row['id']}-{at}", piece.text, ordinal, "", chance.choice("abcdef"))


def _put(claim: str, question: str, form: str, chance: random.Random, around: Around) -> str:
    asked = question.rstrip("?.") + "."
    if form == "plain":
        return claim
    if form == "question first":
        return f"{asked} {claim}"
    if form == "words first":
        return " ".join(chance.choices(around.words, k=24)) + " " + claim
    if form == "gibberish first":
        return f"{around.gibberish(chance)} {claim}"
    count = 8 if form == "middle of 8" else chance.randrange(2, 6)
    place = 4 if form == "middle of 8" else chance.choice((0, count // 2, count))
    said = f"{asked} {claim}" if form.endswith("claim") else claim
    carrier = around.sentences(chance, count)
    return " ".join([*carrier[:place], said, *carrier[place:]])
