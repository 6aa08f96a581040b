"""Disguised copies of attacks that are caught plain are caught too."""

import random
import re
from functools import cache

import pytest
from obfuscator import TRANSFORMATIONS

from ringwall.detect import assess, builtin

BLOCKED = 0.5
COUNT = 40


def letters(text):
    """What every transformation can carry: letters and spaces."""
    return " ".join(re.sub(r"[^A-Za-z ]", " ", text).split())


@cache
def caught_plain():
    texts = {
        letters(text)
        for rule in builtin()
        if rule.cls in ("injection", "jailbreak")
        for text in rule.positive
        if text.isascii()
    }
    kept = sorted(text for text in texts if 25 <= len(text) <= 200)
    random.Random(3).shuffle(kept)
    found = (text for text in kept if assess(f"Dear shop, hello. {text} Kind regards").attack >= BLOCKED)
    return [text for text, _ in zip(found, range(COUNT), strict=False)]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_disguise_does_not_help(name):
    disguise = TRANSFORMATIONS[name]
    texts = caught_plain()
    missed = [
        text for text in texts if assess(f"Dear shop, hello. {disguise(text)} Kind regards").attack < BLOCKED
    ]
    assert len(missed) <= 0.15 * len(texts), missed[:3]
    Misses.count[name] = len(missed)


class Misses:
    count: dict[str, int] = {}  # noqa: RUF012 - filled by the tests above


def test_disguised_copies_are_caught_as_often():
    if len(Misses.count) == len(TRANSFORMATIONS):
        assert sum(Misses.count.values()) <= 0.05 * len(caught_plain()) * len(TRANSFORMATIONS)
