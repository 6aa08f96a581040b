"""What is new in a version against the approved one, and what the approved one is like."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import Record
from .grams import Grams, count, mine
from .settings import PoisonSettings
from .texts import Numbers, Texts, Vocabulary, Writer


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
    """The approved version: read once, compared with as often as one likes."""

    def __init__(self, approved: Iterable[Record], settings: PoisonSettings) -> None:
        """All contents are known; of the texts beyond ``sample_beyond`` records a share chosen by content."""
        self.vocabulary = Vocabulary()
        self.contents: set[bytes] = set()
        self.prompt_of: dict[str, int] = {}
        self.wholes: dict[int, int] = {}
        prompts, answers = Writer(self.vocabulary), Writer(self.vocabulary)
        for record in approved:
            content = _content(record)
            if content in self.contents:
                continue
            self.contents.add(content)
            self.prompt_of[record.id] = _short(record.prompt)
            kept = len(self.contents) // settings.sample_beyond + 1
            if int.from_bytes(content[:8], "big") % kept:
                continue
            said = _short(record.response)
            self.wholes[said] = self.wholes.get(said, 0) + 1
            prompts.add(record.prompt)
            answers.add(record.response)
        self.prompts, self.answers = prompts.texts(), answers.texts()

    def __len__(self) -> int:
        return len(self.answers)


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
    seen: dict[int, int] = {}
    changed, whole, known = [], [], []
    prompts, answers = Writer(reference.vocabulary), Writer(reference.vocabulary)
    for record in candidate:
        if _content(record) in reference.contents:
            continue
        new.append(record)
        prompts.add(record.prompt)
        answers.add(record.response)
        changed.append(reference.prompt_of.get(record.id) == _short(record.prompt))
        said = _short(record.response)
        whole.append(seen.setdefault(said, len(seen)))
        known.append(reference.wholes.get(said, 0))
    return Difference(
        *(reference, new, prompts.texts(), answers.texts(), np.array(changed, dtype=np.bool_)),
        *(np.array(whole, dtype=np.int64), np.array(known, dtype=np.int64)),
    )


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
