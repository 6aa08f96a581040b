"""From the facts of a group to a score between 0 and 1."""

import math

from .facts import GroupFacts

COPIED = 0.45
"""Shared shingles from which passages are copies of a text, and not the same thing said in other words."""
REPEATED = 0.9
"""The same for the sentences that make them a group: boilerplate is the same to the word."""
LEAST_GAP = 0.25
"""Groups with less of a gap are documents on one topic; they are not looked at closer."""
_DOCUMENTS = 3
_FIVE = 5
_BIAS = -21.71


def score(facts: GroupFacts) -> float:
    """Chance that the group is a flood.

    A logistic regression over groups found in manuals, reference pages and instruction texts, whole and cut
    into short pieces, with floods of five in nine forms planted among them; ``benchmarks/flood.py`` is the
    drill. The weight of the siblings was set by hand: what an attacker can add at will must not decide.
    Groups in fewer than three documents score 0: whoever reviews a contribution sees it whole.
    """
    if facts.documents < _DOCUMENTS:
        return 0.0
    if copies(facts):
        return _copies(facts)
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, _evidence(facts)))))


def copies(facts: GroupFacts) -> bool:
    """Whether the passages, or the sentences that make them a group, are one text."""
    return facts.copied >= COPIED or facts.repeated >= REPEATED


def _evidence(facts: GroupFacts) -> float:
    return (
        _BIAS
        + 5.30 * facts.gap
        - 3.99 * facts.approved
        + 12.22 * facts.density
        - 3.83 * facts.focus
        + 3.46 * min(4.5, math.log(max(facts.weight, 1.0)))
        - 2.65 * facts.own
        + 2.56 * facts.asked
        + 1.17 * (min(facts.passages, _FIVE) - _FIVE)
        - 6.00 * math.log(max(facts.passages, _FIVE + 1) / (_FIVE + 1))
        - 3.00 * min(facts.siblings, 1.0)
    )


def _copies(facts: GroupFacts) -> float:
    """By rules, not fitted. Editions of a page, pages of a template and boilerplate are copies as well: they
    stand among other passages, have other figures in them, or name different things."""
    if facts.gap < 0.3 or facts.aligned >= 0.3 or facts.siblings >= 1:
        return 0.1
    if facts.figures < 0.5 or (facts.own >= 0.06 and facts.asked < 0.5):
        return 0.3
    return 0.9 if facts.passages >= _FIVE or facts.asked >= 0.5 else 0.6
