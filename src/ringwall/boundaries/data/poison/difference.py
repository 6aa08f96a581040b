"""What is new in a version against the approved one, and what the approved one is like."""

import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import Record
from .grams import Grams, count, located, mine
from .settings import PoisonSettings
from .texts import Codes, Numbers, Texts, Vocabulary, Writer

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


class Reference:
    """The approved version: read once, compared with as often as one likes. Some 150 bytes a record, and four
    a word of those whose texts are kept."""

    def __init__(self, approved: Iterable[Record], settings: PoisonSettings) -> None:
        """All contents are known; of the texts beyond ``sample_beyond`` records, or 60 million words, a share
        chosen by content, so that each record has the same chance."""
        self.vocabulary = Vocabulary()
        self.contents: set[bytes] = set()
        ids, asked = array("Q"), array("Q")
        kept, said = array("Q"), array("Q")
        prompts, answers = Writer(self.vocabulary), Writer(self.vocabulary)
        share = 1
        for record in approved:
            content = _content(record)
            if content in self.contents:
                continue
            self.contents.add(content)
            ids.append(_short(record.id))
            asked.append(_short(record.prompt))
            chance = int.from_bytes(content[:8], "big")
            if chance % share:
                continue
            kept.append(chance)
            said.append(_short(record.response))
            prompts.add(record.prompt)
            answers.add(record.response)
            if len(kept) > settings.sample_beyond or prompts.words + answers.words > _MOST_WORDS:
                share *= 2
                stay = np.flatnonzero(np.array(kept, dtype=np.uint64) % np.uint64(share) == 0)
                kept, said = (array("Q", _numbers(one)[stay].tobytes()) for one in (kept, said))
                prompts.keep(stay)
                answers.keep(stay)
        self.prompts, self.answers = prompts.texts(), answers.texts()
        self.wholes = np.sort(_numbers(said))
        order = np.argsort(_numbers(ids), kind="stable")
        self._ids, self._asked = _numbers(ids)[order], _numbers(asked)[order]

    def __len__(self) -> int:
        return len(self.answers)

    def asks(self, ids: Codes, prompts: Codes) -> NDArray[np.bool_]:
        """Which of these ids stand for an approved record with this prompt."""
        at, known = located(self._ids, ids)
        return known & (self._asked[at] == prompts) if len(self._ids) else known

    def says(self, answers: Codes) -> Numbers:
        """How many approved records give each of these answers."""
        first = np.searchsorted(self.wholes, answers, side="left")
        return np.searchsorted(self.wholes, answers, side="right") - first


def _numbers(kept: "array[int]") -> Codes:
    return np.array(kept, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Difference:
    """The new records as arrays, beside the reference."""

    reference: Reference
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


def difference(reference: Reference, candidate: Iterable[Record]) -> Difference:
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


def shared(new: Difference, settings: PoisonSettings) -> Shared:
    asked = mine(new.prompts, settings.longest_trigger, settings.support)
    said = mine(new.answers, settings.longest_payload, settings.support, new.prompts)
    known = count(new.reference.prompts, asked), count(new.reference.answers, said)
    return Shared(asked, known[0], said, known[1])
