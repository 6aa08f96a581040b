"""Texts as arrays of word numbers: what the counting of n-grams runs on."""

import hashlib
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.signedinteger]
Codes = NDArray[np.uint64]

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]{{1,32}}|[^\w\s]")
_HEAD, _TAIL = 8_000, 4_000
"""Characters that are read of a long text: what is planted stands at an end, or again and again."""


def words(text: str) -> list[str]:
    """Words, single signs of scripts without spaces, and punctuation, in lower case, in order.

    Of a text of more than 12,000 characters the first 8,000 and the last 4,000.
    """
    if len(text) > _HEAD + _TAIL:
        text = text[:_HEAD] + "\n" + text[-_TAIL:]
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts one after another; text ``i`` is ``ids[starts[i]:starts[i + 1]]``."""

    ids: Numbers
    starts: Numbers
    table: Codes
    """A code for each number, which depends on the word alone and not on when it was first seen."""

    def codes(self) -> Codes:
        return self.table[self.ids]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Numbers:
        return np.diff(self.starts)

    def of(self) -> Numbers:
        """The text that each word belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def one(self, index: int) -> Numbers:
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def take(self, indices: Numbers) -> "Texts":
        """These texts alone, in this order."""
        lengths = self.lengths[indices]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.starts[indices] - starts[:-1], lengths) + np.arange(starts[-1])
        return Texts(self.ids[at], starts, self.table)

    def blocks(self, most: int = 4_000_000) -> Iterator["Texts"]:
        """The texts in their order, some at a time: not many more than ``most`` words in each."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.starts, self.starts[first] + most, side="right")) - 1
            last = min(len(self), max(first + 1, last))
            begin = self.starts[first]
            ids = self.ids[begin : self.starts[last]]
            yield Texts(ids, self.starts[first : last + 1] - begin, self.table)
            first = last

    def holding(self, size: int) -> Numbers:
        """For each number of a word below ``size``, how many of the texts hold it."""
        total = np.zeros(size, dtype=np.int64)
        for some in self.blocks():
            pairs = some.ids.astype(np.int64) * len(some) + some.of()
            pairs.sort()
            first = np.ones(len(pairs), dtype=np.bool_)
            first[1:] = pairs[1:] != pairs[:-1]
            total += np.bincount(pairs[first] // len(some), minlength=size)
        return total


def _code(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


BEGIN, END = "\u2402", "\u2403"
"""Stand before and after each text, so that n-grams know its ends."""


class Vocabulary:
    """Numbers words in the order in which they are first seen; 0 and 1 are the ends of a text."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {BEGIN: 0, END: 1}
        self._words: list[str] = [BEGIN, END]
        self._codes = array("Q", [_code(BEGIN), _code(END)])

    def __len__(self) -> int:
        return len(self._words)

    def codes(self) -> Codes:
        return np.array(self._codes, dtype=np.uint64)

    def word(self, number: int) -> str:
        return self._words[number]

    def say(self, numbers: Iterable[int]) -> str:
        """The words of these numbers, as a person would write them."""
        return " ".join(self._words[number] for number in numbers if number > 1)

    def numbers(self, text: str) -> list[int]:
        known, listed = self._numbers, self._words
        found = [0]
        for word in words(text):
            number = known.get(word)
            if number is None:
                number = known[word] = len(listed)
                listed.append(word)
                self._codes.append(_code(word))
            found.append(number)
        found.append(1)
        return found


class Writer:
    """Builds Texts one by one in compact memory."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._ids = array("i")
        self._starts = array("q", [0])

    def add(self, text: str) -> None:
        self._ids.extend(self._vocabulary.numbers(text))
        self._starts.append(len(self._ids))

    @property
    def words(self) -> int:
        return len(self._ids)

    def keep(self, indices: Numbers) -> None:
        """Forgets all texts but these."""
        kept = self.texts().take(indices)
        self._ids = array("i", kept.ids.tobytes())
        self._starts = array("q", kept.starts.astype(np.int64).tobytes())

    def texts(self) -> Texts:
        ids, starts = np.array(self._ids, dtype=np.int32), np.array(self._starts, dtype=np.int64)
        return Texts(ids, starts, self._vocabulary.codes())
