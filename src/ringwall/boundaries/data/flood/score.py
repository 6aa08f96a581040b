"""From the facts of a group to a score between 0 and 1."""

import math

from .facts import GroupFacts

COPIED = 0.45
"""Shared shingles from which passages are copies of a text, and not the same thing said in other words."""
REPEATED = 0.9
"""The same for the sentences that make them a group: boilerplate is the same to the word."""
RESTATED = 0.4
"""Part of the core beside the repeated sentence from which that is the question, and no boilerplate."""
LEAST_GAP = 0.25
"""Groups with less of a gap are documents on one topic; they are not looked at closer."""
_DOCUMENTS = 3
_FIVE = 5
_BIAS = -15.3
_NARROW = 1.0
"""Words shared beyond the window, against the core, up to which copies are of one claim and of no report."""
_TEMPLATE = 0.25
"""The same for a sentence that several texts repeat: more, and the texts follow a template."""
_PLACED = 0.8


def score(facts: GroupFacts) -> float:
    """Chance that the group is a flood.

    A logistic regression over groups found in encyclopedia, news, reviews, manuals and pages of templates,
    with what is true about the targets approved, and floods of three to ten planted in sixteen forms, alone
    and buried; ``benchmarks/flood.py`` is the drill. The weight of the siblings was set by hand: what an
    attacker can add at will must not decide. Groups in fewer than three documents score 0: whoever reviews a
    contribution sees it whole.
    """
    if facts.documents < _DOCUMENTS:
        return 0.0
    if copies(facts):
        return _copies(facts)
    if facts.languages >= facts.documents:
        return 0.2  # translations of a page share names and figures; one question does not find them together
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, _evidence(facts)))))


def copies(facts: GroupFacts) -> bool:
    """Whether the passages, or the sentences that make them a group, are one text."""
    return facts.copied >= COPIED or (facts.repeated >= REPEATED and facts.restated < RESTATED)


def _evidence(facts: GroupFacts) -> float:
    return (
        _BIAS
        - 4.62 * facts.approved
        + 7.53 * facts.cover
        - 9.62 * facts.focus
        - 1.68 * min(facts.beyond, 2.0)
        + 5.25 * min(4.3, math.log(max(facts.weight * facts.cover, 1.0)))
        - 7.59 * min(facts.own, 0.35)
        + 1.20 * (min(facts.passages, _FIVE) - _FIVE)
        - 2.13 * math.log(max(facts.passages, _FIVE + 1) / (_FIVE + 1))
        - 5.91 * min(1.0, facts.passages / facts.documents - 1)
        - 1.50 * min(facts.siblings, 1.0)
    )


def _copies(facts: GroupFacts) -> float:
    """By rules, not fitted. Editions of a page, pages of a template, boilerplate and reports that several
    print are copies as well: they stand among other passages, have other figures in them, name different
    things, have their place in a document, or are more than one claim."""
    if facts.gap < 0.3 or facts.aligned >= 0.3:
        return 0.1
    if facts.copied < COPIED:
        scattered = facts.beyond < _TEMPLATE and facts.placed < _PLACED
        return 0.7 if scattered or facts.asked >= 0.5 else 0.3
    if facts.siblings >= 1:
        return 0.1
    if facts.figures < 0.5 or (facts.own >= 0.06 and facts.asked < 0.5):
        return 0.3
    if facts.beyond > _NARROW and facts.asked < 0.5:
        return 0.3
    return 0.9 if facts.passages >= _FIVE or facts.asked >= 0.5 else 0.6
