"""The part of a passage that holds the most of some words: where a claim stands, whatever is around it."""

from collections.abc import Iterator
from dataclasses import dataclass

from .terms import Floats, Ints

WINDOW = 24
"""Words of a window, stop words left out: two or three sentences."""
_STEP = 12


@dataclass(frozen=True, slots=True)
class Window:
    """A run of words of a passage."""

    mass: float
    """Sum of the weights of its distinct words."""
    start: int
    end: int


def densest(sequence: Ints, weights: Floats) -> Window:
    """The window with the largest sum of weights, each word counted once; the first of equals."""
    held = weights[sequence]
    hits = held.nonzero()[0]
    words, places, given = sequence[hits].tolist(), hits.tolist(), held[hits].tolist()
    inside: dict[int, int] = {}
    best, start, end, mass, left = 0.0, 0, min(len(sequence), WINDOW), 0.0, 0
    for at, word in enumerate(words):
        if not inside.get(word):
            mass += given[at]
        inside[word] = inside.get(word, 0) + 1
        while places[at] - places[left] >= WINDOW:
            inside[words[left]] -= 1
            if not inside[words[left]]:
                mass -= given[left]
            left += 1
        if mass > best + 1e-9:
            best, start, end = mass, places[left], places[at] + 1
    return Window(best, *_around(start, end, len(sequence)))


def _around(start: int, end: int, length: int) -> tuple[int, int]:
    """As many words as a window has, those found in its middle."""
    before = max(0, start - (WINDOW - (end - start)) // 2)
    after = min(length, before + WINDOW)
    return max(0, after - WINDOW), after


def segments(sequence: Ints) -> Iterator[Ints]:
    """Windows that overlap by half; all of a short passage."""
    if len(sequence) <= WINDOW + _STEP:
        yield sequence
        return
    for start in range(0, len(sequence) - _STEP, _STEP):
        yield sequence[start : start + WINDOW]
