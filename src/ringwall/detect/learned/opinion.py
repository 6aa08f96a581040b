"""What the learned tiers make of a text: one calibrated probability, whichever of them are installed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from ..normalise import canonical, views
from .encoder import Logits, available, encoder
from .ngram import EMPTY, ngrams

_KEEP = 512
_KEEP_LENGTH = 32_768
_READINGS = 3
"""Decoded readings of one text that the encoder looks at."""
_SHORT = 12
"""Characters below which a decoded reading says nothing."""
_DOUBT = -2.0
"""Log odds of the n-grams from which a decoded reading is worth the encoder's time."""


class Tier(StrEnum):
    """Which detectors may look."""

    NGRAMS = "ngrams"
    """Signatures and the linear tier: well under a millisecond."""
    ENCODER = "encoder"
    """The transformer as well. Needs the extra ``transformer``."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Of the worst reading of a text. Log odds, before the signatures have had their say."""

    ngrams: float
    encoder: Logits | None
    view: str
    """The decoded reading that was worst; empty for the text itself."""
    span: tuple[int, int]
    """The worst part of the text, characters."""


def best_tier() -> Tier:
    """The encoder where its extra is installed."""
    return Tier.ENCODER if available() else Tier.NGRAMS


def opinion(text: str, *, untrusted: bool, tier: Tier) -> Opinion:
    """Look at the canonical reading of a text and at what is encoded in it. The last answers are kept, but
    for those on long texts."""
    return (_kept if len(text) <= _KEEP_LENGTH else _opinion)(text, untrusted, tier)


@lru_cache(maxsize=_KEEP)
def _kept(text: str, untrusted: bool, tier: Tier) -> Opinion:
    return _opinion(text, untrusted, tier)


def _opinion(text: str, untrusted: bool, tier: Tier) -> Opinion:
    plain = canonical(text)
    readings = [plain, *(view for view in views(text) if view.depth and len(view.text) >= _SHORT)]
    scored = [(ngrams().score(view.text, untrusted=untrusted), view) for view in readings]
    if tier is Tier.NGRAMS:
        score, view = max(scored, key=lambda one: one[0])
        return Opinion(score, None, view.name if view.depth else "", (0, len(text)))
    hidden = sorted(scored[1:], key=lambda one: -one[0])[:_READINGS]
    looked = [scored[0], *(one for one in hidden if one[0] > _DOUBT)]
    judged = [(encoder().score(view.text, untrusted=untrusted), score, view) for score, view in looked]
    found, score, view = max(judged, key=lambda one: one[0].attack)
    span = view.locate(*found.span) if view.text else (0, len(text))
    if not all(logits.whole for logits, _, _ in judged):
        score, span = (
            max(one for one, _ in scored),
            (0, len(text)),
        )  # it may lie where the encoder did not look
        found = found._replace(whole=False)
    return Opinion(score, found, view.name if view.depth else "", span)


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the logistic regression that joins the tiers, by ``training/calibrate.py``."""

    bias: float
    ngrams: float
    signatures: float
    encoder: float = 0.0


def joined(of: Opinion, signatures: float, *, untrusted: bool) -> float:
    """Probability of an attack, 0..1, from the tiers that looked and the score of the signatures (0..1).

    Where the encoder had to leave gaps, what the n-grams say by themselves counts as well: they read it all.
    """
    if of.ngrams <= EMPTY and of.encoder is None:
        return signatures
    kind = "untrusted" if untrusted else "user"
    odds = []
    if of.encoder is None or not of.encoder.whole:
        odds.append(_odds(_weights()["ngrams"][kind], of, signatures))
    if of.encoder:
        weights = _weights()["encoder"][kind]
        odds.append(_odds(weights, of, signatures) + weights.encoder * of.encoder.attack)
    return sigmoid(max(odds))


def _odds(weights: Weights, of: Opinion, signatures: float) -> float:
    return weights.bias + weights.ngrams * of.ngrams + weights.signatures * signatures


def sigmoid(odds: float) -> float:
    """Log odds as a probability."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def _weights() -> Mapping[str, Mapping[str, Weights]]:
    stored: Mapping[str, Mapping[str, Sequence[float]]] = json.loads(
        (files(__package__) / "weights" / "calibration.json").read_text("utf-8")
    )
    return {
        tier: {kind: Weights(*values) for kind, values in kinds.items()} for tier, kinds in stored.items()
    }
