"""One thing that was held against its earlier self."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .statistics import Effect

Shares = tuple[tuple[str, float, float], ...]
"""Name, share before, share after."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Immutable. ``raised`` says whether it is a finding."""

    kind: str
    """``column``, ``label``, ``relabelled``, ``missing``, ``number``, ``length``, ``format``, ``duplicates``,
    ``language``, ``topic``, ``mention``, ``tone``, ``toxicity`` or ``association``."""
    subject: str
    """Column, group, term: what it is about."""
    effect: Effect
    threshold: float
    """Size from which it is raised."""
    counts: tuple[int, int]
    """Rows or texts that were looked at, before and after."""
    adjusted: float = 1.0
    """The effect's p-value among all of its family that were tested."""
    significance: float = 0.02
    shares: Shares = ()
    """The distribution before and after, where there is one; the largest changes first."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    records: tuple[str, ...] = ()

    @property
    def raised(self) -> bool:
        """Significant, and large enough to matter: with many rows anything is significant."""
        return self.adjusted <= self.significance and abs(self.effect.size) >= self.threshold


def shares_of(before: Mapping[str, int], after: Mapping[str, int]) -> Shares:
    """Shares of each value in both versions, by how much they changed."""
    first, second = sum(before.values()) or 1, sum(after.values()) or 1
    rows = [(name, before.get(name, 0) / first, after.get(name, 0) / second) for name in {*before, *after}]
    return tuple(sorted(rows, key=lambda row: (-abs(row[2] - row[1]), row[0])))


def aligned(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Sequence[int], Sequence[int]]:
    """Counts of the same values in the same order."""
    names = sorted({*before, *after})
    return [before.get(name, 0) for name in names], [after.get(name, 0) for name in names]
