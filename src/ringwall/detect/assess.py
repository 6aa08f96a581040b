"""How sure the signatures are that a text attacks a model."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .moderation import weighed as weighed_harm
from .scanner import Sighting, scanner

_QUOTES = "\"“”'‘’`«»"
_ABOUT = re.compile(
    r"\b(?:what (?:does|is|are)|explain|why|meaning|means?|phrases?|such as|for example|e\.g\.|detect\w{0,6}|"
    r"classif\w{1,6}|attack(?:s|ers?)?|example of|the words|study|paper|article|training|awareness|called|"
    r"known as|says?|said|wrote|quotes?|"
    r"flag(?:ged|s)?|researchers?|security)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:do not|don['’]?t|never|must not|should not|shouldn['’]?t)(?:\s+(?:ever|explain|tell|say|how|me|us"
    r"|them|to|please|show|try|simply|just|any\w{0,5})){0,4}\s*$",
    re.IGNORECASE,
)
_OWN_TEXT = 300
"""Characters before "the text above" from which it means what the writer put there."""
_NEAR = 8000
"""Characters within which signatures speak for each other."""
_AROUND = 300
"""Characters around a part of a text in which a signature says something about it."""
_DAMP = 0.6
"""Factor on a signature that is quoted by a text which speaks *about* it."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Scores of the signatures, 0..1. They rank; they are not calibrated: ``judge`` is."""

    injection: float
    jailbreak: float
    moderation: float
    sightings: tuple[Sighting, ...]

    @property
    def attack(self) -> float:
        """The higher of injection and jailbreak, joined where both are seen."""
        return 1 - (1 - self.injection) * (1 - self.jailbreak * 0.9) if self.injection else self.jailbreak

    def near(self, start: int, end: int) -> "Assessment":
        """Only what was seen around this part of the text."""
        return _of([one for one in self.sightings if one.start < end + _AROUND and one.end > start - _AROUND])


def assess(text: str) -> Assessment:
    """Injection, jailbreak and moderation signatures of a text in all its readings."""
    wanted = ("injection", "jailbreak", "moderation")
    seen = [one for one in scanner().scan(text) if one.cls.split(".")[0] in wanted]
    if not seen:
        return Assessment(0.0, 0.0, 0.0, ())
    return _of([weighed(text, one) for one in seen])


def _of(seen: Sequence[Sighting]) -> Assessment:
    return Assessment(
        joined(one for one in seen if one.cls == "injection"),
        joined(one for one in seen if one.cls == "jailbreak"),
        joined(one for one in seen if one.cls.startswith("moderation")),
        tuple(seen),
    )


def joined(sightings: Iterable[Sighting]) -> float:
    """One doubt a family, ``1 - product(1 - score)``, of those that stand near each other; the worst place
    counts. Two signatures a hundred pages apart say no more than one."""
    places: dict[int, list[Sighting]] = {}
    for one in sightings:
        block = one.start // _NEAR
        places.setdefault(block, []).append(one)
        places.setdefault(block + 1, []).append(one)  # so that neighbours in two blocks share a third
    return max(map(_joined, places.values()), default=0.0)


def _joined(sightings: Iterable[Sighting]) -> float:
    best: dict[str, float] = {}
    for one in sightings:
        best[one.family] = max(best.get(one.family, 0.0), one.score)
    doubt = 1.0
    for score in best.values():
        doubt *= 1 - score
    return round(1 - doubt, 4)


def weighed(text: str, one: Sighting) -> Sighting:
    """Text hidden in an encoding is never there by chance; a quoted signature in a text about it often is."""
    if one.view and one.view.split("+")[0] not in ("unicode", "html", "url", "leet", "respelled"):
        return one._replace(score=min(0.99, one.score + 0.1))
    if one.cls.startswith("moderation"):
        return weighed_harm(text, one)
    if not one.view and (_negated(text, one) or _own_text(one) or _mentioned(text, one)):
        return one._replace(score=round(one.score * _DAMP, 4))
    return one


def _negated(text: str, one: Sighting) -> bool:
    """``never disregard your guidelines``; "don't hesitate to" is no negation."""
    return one.family in ("override", "extraction") and bool(
        _NEGATED.search(text, max(0, one.start - 60), one.start)
    )


def _own_text(one: Sighting) -> bool:
    return one.family == "text-above" and one.start > _OWN_TEXT


def _mentioned(text: str, one: Sighting) -> bool:
    if len(text) > 2000 or one.family in ("forged-turn", "stealth"):
        return False
    before, after = text[: one.start], text[one.end :]
    opened = next(
        (at for at in range(len(before) - 1, max(-1, len(before) - 80), -1) if before[at] in _QUOTES), -1
    )
    closed = next((at for at in range(min(len(after), 80)) if after[at] in _QUOTES), -1)
    if opened < 0 or closed < 0 or "\n" in before[opened:]:
        return False
    about = before[:opened] + " " + after[closed:]
    return bool(_ABOUT.search(about))
