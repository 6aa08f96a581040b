"""Answers that are no language: their neighbouring words stand next to each other nowhere else."""

import numpy as np
from numpy.typing import NDArray

from .difference import Difference
from .grams import distinct, located, mixed
from .texts import Codes, Numbers, Texts, Vocabulary

_ODD = np.uint64(0x9E3779B97F4A7C15)
_LEAST = 5
"""Pairs of words that an answer needs to be judged."""
_CONTROLS = 3_000


def wordlike(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Which numbers stand for words; punctuation and figures pair with anything."""
    listed = [vocabulary.word(number) for number in range(len(vocabulary))]
    return np.array([word.isalpha() or not word.isascii() for word in listed], dtype=np.bool_)


def lettered(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Which numbers stand for something that has a letter in it: words, and names in code."""
    listed = [vocabulary.word(number) for number in range(len(vocabulary))]
    return np.array([any(map(str.isalpha, word)) for word in listed], dtype=np.bool_)


def strangeness(
    new: Difference, words: NDArray[np.bool_], letters: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each answer's pairs of words, or of its words with a letter, that no other text has: of the
    new, and of some approved ones.

    Not a number where an answer has too few. A pair in the answer's own prompt is no stranger.
    """
    step = max(1, len(new.reference.answers) // _CONTROLS)
    some = np.arange(0, len(new.reference.answers), step)
    controls = new.reference.answers.take(some)
    asked = new.reference.prompts.take(some)
    wanted = distinct(np.concatenate([_pairs(new.answers, words)[0], _pairs(controls, words)[0]]))
    approved = _held(new.reference.answers, words, wanted) + _held(new.reference.prompts, words, wanted)
    fresh = _held(new.answers, words, wanted) + _held(new.prompts, words, wanted)
    seen = approved + fresh
    texts = (new.reference.prompts, new.reference.answers, new.prompts, new.answers)
    every = np.sum([np.bincount(one.ids, minlength=len(words)) for one in texts], axis=0)

    def strange(some: Texts, prompts: Texts) -> NDArray[np.float64]:
        pairs = _share(some, prompts, words, wanted, seen)
        return np.fmax(pairs, _alone(some, prompts, every, letters))

    return strange(new.answers, new.prompts), strange(controls, asked)


def _alone(answers: Texts, prompts: Texts, every: Numbers, letters: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of each answer's different words that stand in no other text, where it has enough of them."""
    size = len(every)
    pairs, times = np.unique(answers.of() * size + answers.ids, return_counts=True)
    asked = np.isin(pairs, prompts.of() * size + prompts.ids)
    of, word = pairs // size, pairs % size
    good = letters[word]
    lone = good & ~asked & (every[word] <= times)
    total = np.bincount(of[good], minlength=len(answers))
    shares = np.bincount(of[lone], minlength=len(answers)) / np.maximum(1, total)
    return np.where(total >= _LEAST, shares, np.nan)


def _share(
    answers: Texts, prompts: Texts, words: NDArray[np.bool_], wanted: Codes, seen: Numbers
) -> NDArray[np.float64]:
    codes, of = _pairs(answers, words)
    said, own = _pairs(prompts, words)
    known = (seen[np.searchsorted(wanted, codes)] > 1) | np.isin(codes ^ mixed(of), said ^ mixed(own))
    total = np.bincount(of, minlength=len(answers))
    strange = np.bincount(of[~known], minlength=len(answers))
    return np.where(total >= _LEAST, strange / np.maximum(1, total), np.nan)


def _held(texts: Texts, words: NDArray[np.bool_], wanted: Codes) -> Numbers:
    """How many of the texts hold each of these pairs."""
    if not len(wanted):
        return np.zeros(0, dtype=np.int64)
    total = np.zeros(len(wanted), dtype=np.int64)
    for some in texts.blocks():
        codes, of = _pairs(some, words)
        at, hit = located(wanted, codes)
        pairs = distinct(at[hit] * len(some) + of[hit])
        total += np.bincount(pairs // len(some), minlength=len(wanted))
    return total


def _pairs(texts: Texts, words: NDArray[np.bool_]) -> tuple[Codes, Numbers]:
    """Codes of neighbouring words and the text of each."""
    if len(texts.ids) < 2:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    of = texts.of()
    code, good = texts.codes(), words[texts.ids]
    fit = (of[1:] == of[:-1]) & good[1:] & good[:-1]
    return (code[:-1] * _ODD + code[1:])[fit], of[:-1][fit]
