"""Many words at once: an Aho-Corasick automaton over the folded spelling of a text.

Chosen by measurement: 5,000 words are built in 0.1 s and found in 4 KB in well under 1 ms, where the rule
engine needs 11 s and six times as long.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .folding import PADDING, fold, folded
from .normalise import views
from .views import View

LONGEST = 200
"""Characters of the longest word or phrase."""
MAX_FOUND = 500
"""Places of one text: more would tell nothing new."""
_CONTEXT = 16
_UNSPACED = re.compile("[\u0e00-\u0fff\u3000-\u9fff\uac00-\ud7a3]")
"""Scripts that don't put blanks between words: there, a word has no borders to look for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A word that was found: its index in the list, its span in the original, the view it was seen in."""

    word: int
    start: int
    end: int
    view: str = ""


class Lexicon:
    """Words and phrases to find, in any case, with or without diacritics. Thread-safe, immutable."""

    def __init__(self, words: Sequence[str], *, whole: bool | Sequence[bool] = True) -> None:
        """``whole``: only as a whole word; one answer for all or one for each. Raises ValueError for a word
        that is empty or too long, RuntimeError without the package ahocorasick-rs."""
        self._words = [fold(word).strip() for word in words]
        for word, spelled in zip(self._words, words, strict=True):
            if not word or "\x00" in word or len(word) > LONGEST:
                raise ValueError(f"{spelled[:40]!r} is no word: 1 to {LONGEST} characters that can be read")
        self._whole = [whole] * len(words) if isinstance(whole, bool) else list(whole)
        self._automaton = _automaton(self._words) if words else None
        self._starts = _beginnings(zip(self._words, self._whole, strict=True))
        self.longest = max(map(len, self._words), default=0)

    def find(self, text: str, *, before: str = "", decoded: bool = True) -> list[Place]:
        """Every place, ordered; one within another counts as well. ``before`` is what stood ahead of the
        text: a word goes on across the cut. ``decoded``: also in what is encoded in the text; without it
        only as written, look-alikes and invisible characters folded."""
        if self._automaton is None or not text:
            return []
        inside = fold(before[-_CONTEXT:])[-1:]
        seen: dict[tuple[int, int, int], Place] = {}
        for view in views(text):
            if view.depth and not decoded:
                continue
            spelled = folded(view)
            for word, start, end in self._matches(spelled.text, "" if view.depth else inside):
                span = spelled.locate(start, end)
                seen.setdefault((word, *span), Place(word, *span, view.name))
                if len(seen) >= MAX_FOUND:
                    return _ordered(seen.values())
        return _ordered(seen.values())

    def hold_from(self, text: str) -> int:
        """Where the earliest word may begin that the next characters could still complete: exact, and
        ``len(text)`` when there is none."""
        if not self._starts or not text:
            return len(text)
        low = max(0, len(text) - 2 * PADDING * (self.longest + 1))
        held = (self._unfinished(view) for view in views(text[low:]) if not view.depth)
        return low + min((at for at in held if at is not None), default=len(text) - low)

    def _unfinished(self, view: View) -> int | None:
        """In the offsets of the original."""
        spelled = folded(view)
        text = spelled.text
        for start in range(max(0, len(text) - self.longest), len(text)):
            inside = self._starts.get(text[start:])
            if inside is not None and (inside or _border(text, start)):
                return spelled.locate(start, len(text))[0]
        return None

    def _matches(self, text: str, before: str) -> Iterator[tuple[int, int, int]]:
        found = self._automaton.find_matches_as_indexes(text, overlapping=True) if self._automaton else ()
        for word, start, end in found:
            begins = _border(text, start) if start else _border(before + text[:1], len(before))
            if not self._whole[word] or (begins and _border(text, end)):
                yield word, start, end


def _ordered(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (place.start, place.end, place.word))


def _border(text: str, at: int) -> bool:
    """Whether a word may begin or end between two characters."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if not (before.isalnum() or before == "_") or not (after.isalnum() or after == "_"):
        return True
    return bool(_UNSPACED.match(before) or _UNSPACED.match(after))


def _beginnings(words: Iterable[tuple[str, bool]]) -> dict[str, bool]:
    """Every beginning of every word, and whether one of its words may stand inside another word. A word that
    is whole and complete is among them, since what follows decides whether it is one."""
    found: dict[str, bool] = {}
    for word, whole in words:
        for end in range(1, len(word) + (1 if whole else 0)):
            found[word[:end]] = found.get(word[:end], False) or not whole
    return found


def _automaton(words: Sequence[str]) -> Any:
    try:
        return import_module("ahocorasick_rs").AhoCorasick(list(words))
    except ImportError:
        raise RuntimeError("word lists need the package ahocorasick-rs: pip install ahocorasick-rs") from None
