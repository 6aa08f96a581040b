"""Signs that an answer tells the system prompt in other words, in another order, or in another language.

None of them proves a leak the way a copied passage does, so each needs much of the prompt at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Word = tuple[str, int, int]
"""Lower case, start, end."""

_SENTENCE = re.compile(r"[.!?。！？]+(?:\s|$)|\n+")
_STEM = 5
_BACK = 800
"""Characters of a sentence that are read."""
_CONTENT = 4
"""Letters of the shortest word that says something."""
_FEW = 6
"""Words with content of the shortest sentence that is compared."""
_SAME = 0.75
"""Share of them that must come back in one sentence of the answer."""
_TRIGRAMS = (12, 60)
"""Least and most word triples of the prompt that count as telling it."""
_SHARE = 0.3
_NAMES = (4, 7)
"""Names and figures of the prompt in another text: worth a note, and enough to stop it."""
_RARE = re.compile(r"[^\W_]*\d[\w.-]*|\w+[_@]\w[\w.]*|[^\W\d_][^\W\d_]+")
_STARTS = re.compile(r"[.!?:]\s{0,4}$")
"""A sentence begins behind it, so that a capital says nothing."""
_WORD = re.compile(r"\w{1,64}")


@dataclass(frozen=True, slots=True)
class Hint:
    rule: str
    start: int
    end: int
    certain: bool


def ends_sentence(text: str) -> bool:
    return _SENTENCE.search(text) is not None


class Hints:
    """Of one prompt."""

    def __init__(self, prompt: str) -> None:
        words = [found.group().lower() for found in _WORD.finditer(prompt)]
        self._trigrams = frozenset(zip(words, words[1:], words[2:], strict=False))
        self._needed = max(_TRIGRAMS[0], min(_TRIGRAMS[1], int(_SHARE * len(self._trigrams))))
        self._sentences = [stems for stems in map(_stems, _SENTENCE.split(prompt)) if len(stems) >= _FEW]
        self._vocabulary = frozenset(words)
        self._names = _names(prompt)

    def order(self, words: Sequence[Word], given: str) -> Hint | None:
        """Much of the prompt, whatever the order and however cut."""
        hits: dict[tuple[str, str, str], int] = {}
        plain = [word for word, _, _ in words]
        for at, trigram in enumerate(zip(plain, plain[1:], plain[2:], strict=False)):
            if trigram in self._trigrams and f" {' '.join(trigram)} " not in given:
                hits.setdefault(trigram, at)
        if len(hits) < self._needed:
            return None
        places = sorted(hits.values())
        return Hint("prompt-pieces", words[places[0]][1], words[places[-1] + 2][2], True)

    def touched(self, words: Sequence[str]) -> bool:
        """Whether new words add anything to ``order`` or ``translation``."""
        if not self._names.isdisjoint(words):
            return True
        trigrams = zip(words, words[1:], words[2:], strict=False)
        return not self._trigrams.isdisjoint(trigrams) if len(words) > 2 else len(words) > 0

    def paraphrase(self, text: str, fresh: int, given: str) -> Hint | None:
        """A sentence that says with nearly the same words what one of the prompt says. Only sentences that
        end behind ``fresh`` are read."""
        if not self._sentences:
            return None
        low = start = max(0, fresh - _BACK)
        for stop in (*_SENTENCE.finditer(text, start), None):
            end = stop.start() if stop else len(text)
            if end > fresh and self._same(_stems(text[low : min(end, low + _BACK)]), given):
                return Hint("prompt-paraphrase", low, end, False)
            low = stop.end() if stop else end
        return None

    def _same(self, said: frozenset[str], given: str) -> bool:
        if len(said) < _FEW - 1 or all(f" {stem}" in given for stem in said):
            return False
        return any(
            len(said & meant) >= _SAME * len(meant) and len(said) <= 2 * len(meant)
            for meant in self._sentences
        )

    def translation(self, words: Sequence[Word], given: str) -> Hint | None:
        """Names and figures of the prompt in a text that has hardly another word of it."""
        if len(self._names) < _NAMES[0] or len(words) < 8:
            return None
        seen = {word: (start, end) for word, start, end in words if word in self._names}
        mine = {word: span for word, span in seen.items() if f" {word} " not in given}
        if len(mine) < _NAMES[0]:
            return None
        known = sum(word in self._vocabulary and word not in self._names for word, _, _ in words)
        if known > len(words) / 4:
            return None
        spans = sorted(mine.values())
        certain = len(mine) >= _NAMES[1] or len(mine) >= max(5, 0.6 * len(self._names))
        return Hint("prompt-translated", spans[0][0], spans[-1][1], certain)


def _stems(sentence: str) -> frozenset[str]:
    return frozenset(
        found.group().lower()[:_STEM]
        for found in _WORD.finditer(sentence)
        if len(found.group()) >= _CONTENT or found.group().isdigit()
    )


def _names(prompt: str) -> frozenset[str]:
    """What survives a translation: words with digits or signs, and names (capitals inside a sentence)."""
    found: set[str] = set()
    for line in prompt.splitlines():
        last = -1
        for token in _RARE.finditer(line):
            word = token.group()
            odd = any(char.isdigit() for char in word) or "_" in word or "@" in word
            inside = last >= 0 and not _STARTS.search(line[last : token.start()])
            last = token.end()
            if len(word) >= 2 and (odd or (inside and word[0].isupper() and len(word) > 2)):
                found.update(part.lower() for part in _WORD.findall(word) if len(part) >= 2)
    return frozenset(found)
