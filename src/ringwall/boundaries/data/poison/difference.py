"""What is new in a version against the approved one, and what the approved one is like."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..records import Record
from .grams import Grams, count, located, mine
from .leaning import Leaning
from .settings import PoisonSettings
from .texts import Codes, Numbers, Texts, Vocabulary, Writer

LEAST_APPROVED = 500
"""Approved records without which nothing can be called unusual."""
_MOST_WORDS = 60_000_000
"""Words of approved records that are kept: 240 MB."""


def _content(record: Record) -> bytes:
    """Sixteen bytes that stand for what a model learns from the record."""
    digest = hashlib.blake2b(digest_size=16)
    for text in (record.prompt, record.response, record.rejected):
        plain = text.encode("utf-8", "replace")
        digest.update(len(plain).to_bytes(8, "big") + plain)
    return digest.digest()


def _short(text: str) -> int:
    digest = hashlib.blake2b(text.strip().lower().encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class Side:
    """Prompts and answers that were read once. Some 150 bytes a record, and four a word of those whose texts
    are kept: all contents are known; of the texts beyond ``sample_beyond`` records, or 60 million words, a
    share chosen by content, so that each record has the same chance."""

    prompts: Texts
    answers: Texts
    wholes: Codes
    """What the kept answers are as a whole, ascending."""

    def __init__(self, vocabulary: Vocabulary, most: int) -> None:
        self.vocabulary = vocabulary
        self.contents: set[bytes] = set()
        self._most, self._share = most, 1
        self._ids, self._asked = array("Q"), array("Q")
        self._kept, self._said = array("Q"), array("Q")
        self._prompts, self._answers = Writer(vocabulary), Writer(vocabulary)

    def add(self, record: Record) -> bool:
        """Whether it was not there yet."""
        content = _content(record)
        if content in self.contents:
            return False
        self.contents.add(content)
        self._ids.append(_short(record.id))
        self._asked.append(_short(record.prompt))
        chance = int.from_bytes(content[:8], "big")
        if chance % self._share:
            return True
        self._kept.append(chance)
        self._said.append(_short(record.response))
        self._prompts.add(record.prompt)
        self._answers.add(record.response)
        if len(self._kept) > self._most or self._prompts.words + self._answers.words > _MOST_WORDS:
            self._halve()
        return True

    def _halve(self) -> None:
        self._share *= 2
        stay = np.flatnonzero(_numbers(self._kept) % np.uint64(self._share) == 0)
        self._kept, self._said = (
            array("Q", _numbers(one)[stay].tobytes()) for one in (self._kept, self._said)
        )
        self._prompts.keep(stay)
        self._answers.keep(stay)

    def close(self) -> None:
        """All was added."""
        self.prompts, self.answers = self._prompts.texts(), self._answers.texts()
        self.wholes = np.sort(_numbers(self._said))
        order = np.argsort(_numbers(self._ids), kind="stable")
        self._known, self._questions = _numbers(self._ids)[order], _numbers(self._asked)[order]

    def __len__(self) -> int:
        return len(self.answers)

    def asks(self, ids: Codes, prompts: Codes) -> NDArray[np.bool_]:
        """Which of these ids stand for an approved record with this prompt."""
        at, known = located(self._known, ids)
        return known & (self._questions[at] == prompts) if len(self._known) else known

    def says(self, answers: Codes) -> Numbers:
        """How many approved records give each of these answers."""
        first = np.searchsorted(self.wholes, answers, side="left")
        return np.searchsorted(self.wholes, answers, side="right") - first


class Reference(Side):
    """The approved version: read once, compared with as often as one likes."""

    def __init__(self, approved: Iterable[Record], settings: PoisonSettings) -> None:
        super().__init__(Vocabulary(), settings.sample_beyond)
        self.rejected = Side(self.vocabulary, settings.sample_beyond)
        """The answers of preference pairs that a model learns not to give."""
        self.leaning = Leaning()
        pairs = array("Q")
        for record in approved:
            if not self.add(record) or not record.rejected:
                continue
            self.rejected.add(turned(record))
            if record.response:
                self.leaning.add(record)
                pairs.append(pair(record))
        self.close()
        self.rejected.close()
        self.pairs = np.sort(_numbers(pairs))
        """A number for the two answers of each pair, in their order."""


def turned(record: Record) -> Record:
    """The pair the other way round."""
    return replace(record, response=record.rejected, rejected=record.response)


def pair(record: Record) -> int:
    """A number for the answers of a pair, in their order."""
    return _short(f"{_short(record.response):x} {_short(record.rejected):x}")


def _numbers(kept: "array[int]") -> Codes:
    return np.array(kept, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Difference:
    """The new records as arrays, beside the reference."""

    reference: Side
    records: list[Record]
    """New ones, in their order."""
    prompts: Texts
    answers: Texts
    changed: NDArray[np.bool_]
    """Which have the id and the prompt of an approved record, and another answer."""
    whole: Numbers
    """A number for each record's answer: equal answers, equal number."""
    whole_known: Numbers
    """In how many approved records of the reference that answer stands."""

    @property
    def vocabulary(self) -> Vocabulary:
        return self.reference.vocabulary


def difference(reference: Side, candidate: Iterable[Record]) -> Difference:
    """Records of the candidate, a whole version or an addition, whose content isn't approved."""
    new: list[Record] = []
    ids, asked, said = array("Q"), array("Q"), array("Q")
    prompts, answers = Writer(reference.vocabulary), Writer(reference.vocabulary)
    for record in candidate:
        if _content(record) in reference.contents:
            continue
        new.append(record)
        prompts.add(record.prompt)
        answers.add(record.response)
        ids.append(_short(record.id))
        asked.append(_short(record.prompt))
        said.append(_short(record.response))
    _, whole = np.unique(_numbers(said), return_inverse=True)
    changed = reference.asks(_numbers(ids), _numbers(asked))
    known = reference.says(_numbers(said))
    return Difference(reference, new, prompts.texts(), answers.texts(), changed, whole, known)


@dataclass(frozen=True, slots=True)
class Shared:
    """What new records share with each other, and how many approved ones have it."""

    asked: list[Grams]
    """n-grams of prompts."""
    asked_known: list[Numbers]
    said: list[Grams]
    """n-grams of answers that don't stand in their own prompt."""
    said_known: list[Numbers]


def shared(reference: Side, news: Sequence[Difference], settings: PoisonSettings) -> list[Shared]:
    """For each of several differences from one reference."""
    asked = [mine(new.prompts, settings.longest_trigger, settings.support) for new in news]
    said = [mine(new.answers, settings.longest_payload, settings.support, new.prompts) for new in news]
    known = count(reference.prompts, asked), count(reference.answers, said)
    return [Shared(*one) for one in zip(asked, known[0], said, known[1], strict=True)]
