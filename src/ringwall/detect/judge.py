"""How sure all tiers together are that a text attacks a model: signatures, n-grams, and the encoder if it
is there."""

from dataclasses import dataclass

from .assess import assess
from .learned import Opinion, Tier, joined, opinion, sigmoid
from .scanner import Sighting

_SURE, _FLOOR = 0.9, 0.8
"""A signature as sure as this, which nothing around it weakens, makes an attack at least so likely: of
1,250 innocent
held-out texts none has one below the default threshold."""
_LONG = 3000
"""Characters from which signatures speak only for the part of a text that they stand in."""
_UNNAMED = 0.25
"""Share of jailbreaks among attacks that no signature names, without the encoder."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores are 0..1, calibrated on public data (``docs/reference/detection-model.md``)."""

    attack: float
    """That it is an injection or a jailbreak; the higher of the two below is equal to it."""
    injection: float
    """That it gives the model orders against its operator's."""
    jailbreak: float
    """That it talks the model out of its restraint."""
    moderation: float
    """That it asks for help with serious harm. Not calibrated."""
    sightings: tuple[Sighting, ...]
    """The signatures that matched."""
    opinion: Opinion


def judge(text: str, *, untrusted: bool = False, tier: Tier) -> Judgement:
    """Judge what somebody typed, or with ``untrusted`` a text from outside, in which any order to the
    model is one
    too many. Raises LookupError if the tier's extra is not installed."""
    seen = assess(text)
    learned = opinion(text, untrusted=untrusted, tier=tier)
    told = seen.near(*learned.span) if untrusted and len(text) > _LONG else seen
    attack = round(joined(learned, told.attack, untrusted=untrusted), 4)
    if seen.attack >= _SURE:
        attack = max(attack, _FLOOR)
    if learned.encoder:
        share = sigmoid(learned.encoder.jailbreak)
    elif seen.injection or seen.jailbreak:
        share = seen.jailbreak / (seen.injection + seen.jailbreak)
    else:
        share = _UNNAMED
    most = max(share, 1 - share)
    harm = round(sigmoid(learned.encoder.harm), 4) if learned.encoder else 0.0
    return Judgement(
        attack,
        round(attack * (1 - share) / most, 4),
        round(attack * share / most, 4),
        max(seen.moderation, harm),
        seen.sightings,
        learned,
    )
