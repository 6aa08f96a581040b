"""What an analysis of a collection found: about a group of records or passages, not about one crossing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """What a reviewer is asked to do about it."""

    NOTE = "note"
    """To be known."""
    REVIEW = "review"
    """A person should look before the version is approved."""
    STOP = "stop"
    """The version should not be approved as it is."""


@dataclass(frozen=True, slots=True)
class DataFinding:
    """Immutable, and explains itself: a reviewer needs nothing else to decide."""

    detector: str
    """``poison.cohesion``, ``bias.label``, ``flood.near``, ``sensitive.class``…"""
    title: str
    """What it is about, in a few words: the n-gram, the column, the term."""
    message: str
    """One sentence: what was seen, and against what."""
    score: float
    """0 to 1, as calibrated by the drill that the detector's docstring names."""
    severity: Severity = Severity.REVIEW
    records: tuple[str, ...] = ()
    """Ids of the records (or cited names of the passages) that it is about."""
    contributors: Mapping[str, int] = field(default_factory=dict)
    """How many of those records each contributor brought."""
    examples: tuple[str, ...] = ()
    """A few of them, shortened, for the reviewer's eyes only: never on the ledger."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Numbers behind the score, by name."""
