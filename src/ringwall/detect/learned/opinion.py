"""What the learned tiers make of a text: one calibrated probability, whichever of them are installed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache, partial
from importlib.resources import files

from ..normalise import canonical, views
from ..views import View
from .encoder import Logits, available, encoder
from .ngram import EMPTY, STRIDE, WINDOW, ngrams
from .sentences import rise, sentences

_KEEP = 512
_KEEP_LENGTH = 32_768
_READINGS = 3
"""Decoded readings of one text that the encoder looks at."""
_SHORT = 12
"""Characters below which a decoded reading says nothing."""
_DOUBT = -2.0
"""Log odds of the n-grams from which a decoded reading is worth the encoder's time."""

_WINDOW, _SENTENCE = WINDOW + STRIDE, 0.8
"""Characters of a text that the n-grams see as one; log odds by which a sentence is worse than a window."""


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
    """The worst part of the text, characters: a window, or in a long one a sentence."""


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
        if untrusted and len(text) > _WINDOW:
            return max((_of_sentences(view) for view in readings), key=lambda one: one.ngrams)
        score, view = max(scored, key=lambda one: one[0])
        return Opinion(score, None, view.name if view.depth else "", (0, len(text)))
    hidden = sorted(scored[1:], key=lambda one: -one[0])[:_READINGS]
    looked = [scored[0], *(one for one in hidden if one[0] > _DOUBT)]
    judged = []
    for score, view in looked:
        doubt = partial(_doubt, untrusted, None if view is plain else plain.text)
        judged.append(
            (encoder().score(view.text, untrusted=untrusted, doubt=doubt, among=len(looked)), score, view)
        )
    found, score, view = max(judged, key=lambda one: one[0].attack)
    span = view.locate(*found.span) if view.text else (0, len(text))
    return Opinion(score, found, view.name if view.depth else "", span)


def _of_sentences(view: View) -> Opinion:
    """Of a text of several windows, one of which always looks bad, the worst sentence."""
    found = (
        (ngrams().score(view.text[low:high], untrusted=True), low, high) for low, high in sentences(view.text)
    )
    odds, low, high = max(found, default=(EMPTY, 0, len(view.text)))
    span = view.locate(low, high)
    return Opinion(odds + _SENTENCE - rise(len(view.text)), None, view.name if view.depth else "", span)


def _doubt(untrusted: bool, plain: str | None, piece: str) -> float:
    """What the n-grams make of a piece. Of a decoded reading only what is new in it and in doubt is read."""
    if plain is None:
        return ngrams().score(piece, untrusted=untrusted)
    if piece in plain:
        return -math.inf
    odds = ngrams().score(piece, untrusted=untrusted)
    return odds if odds > _DOUBT else -math.inf


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the logistic regression that joins the tiers, by ``training/calibrate.py``."""

    bias: float
    ngrams: float
    signatures: float
    encoder: float = 0.0


def joined(of: Opinion, signatures: float, *, untrusted: bool) -> float:
    """Probability of an attack, 0..1, from the tiers that looked and the score of the signatures (0..1)."""
    if of.ngrams <= EMPTY and of.encoder is None:
        return signatures
    tier = Tier.ENCODER if of.encoder else Tier.NGRAMS
    weights = _weights()[tier]["untrusted" if untrusted else "user"]
    odds = weights.bias + weights.ngrams * of.ngrams + weights.signatures * signatures
    if of.encoder:
        odds += weights.encoder * of.encoder.attack
    return sigmoid(odds)


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
