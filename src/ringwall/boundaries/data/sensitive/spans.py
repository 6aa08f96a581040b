"""Sensitive data in texts: where it is, of what class, how grave. The engine is ``ringwall.detect``'s."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ringwall.detect import personal
from ringwall.detect.batch import SECRETS, batches

__all__ = ["CLASSES", "Gravity", "Span", "inspect_batch", "inspect_text", "masked"]


class Gravity(StrEnum):
    """What harm it does when somebody gets it out of a model."""

    HIGH = "high"
    """It identifies a person for good, or moves money, or opens a door."""
    MEDIUM = "medium"
    """It reaches a person."""
    LOW = "low"
    """It helps to find out who somebody is."""


CLASSES: Mapping[str, str] = MappingProxyType({**personal.CLASSES, SECRETS: "a credential"})
"""What is looked for, and what it is in words."""
_LOW = frozenset({"pii.age", "pii.ip", "pii.mac", "pii.username", "pii.location"})
_MEDIUM = frozenset({"pii.email", "pii.phone", "pii.name", "pii.address", "pii.birth-date", "pii.vehicle"})
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text; what stands there is not kept."""

    start: int
    end: int
    cls: str
    rule: str
    score: float

    @property
    def sensitivity(self) -> Gravity:
        return gravity(self.cls)


def gravity(cls: str) -> Gravity:
    """A class that is not known is grave."""
    if cls in _LOW:
        return Gravity.LOW
    return Gravity.MEDIUM if cls in _MEDIUM else Gravity.HIGH


def inspect_text(text: str, *, regions: Sequence[str] = ()) -> list[Span]:
    """As ``inspect_batch``, of one text."""
    return inspect_batch([text], regions=regions)[0]


def inspect_batch(
    texts: Sequence[str], *, regions: Sequence[str] = (), minimum: float = 0.5
) -> list[list[Span]]:
    """For each text, in order, what is in it: disjoint, ordered by place.

    Fast when many texts come together (``detect/batch.py``); what somebody encoded on purpose is not decoded.
    ``regions``: ISO 3166 codes of countries whose national way of writing phone numbers is read (extra
    ``pii``). ``minimum``: score from which a finding counts.
    """
    found = batches(frozenset(CLASSES)).find(texts, minimum=minimum, regions=regions)
    return [[Span(one.start, one.end, one.cls, one.rule, one.score) for one in row] for row in found]


def masked(value: str) -> str:
    """The shape of a value, with no character of it but signs: ``xxx@xxxx.xxx``, ``####-####``."""
    shown = "".join("#" if char.isdigit() else "x" if char.isalpha() else char for char in value[:_SHOWN])
    return " ".join(shown.split()) + ("…" if len(value) > _SHOWN else "")
