"""The drill: plants attacks into somebody's own data and tells what of them is found."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..finding import DataFinding, Severity
from ..records import Record
from .compare import compare_each, compare_with
from .difference import Reference
from .ordinary import Ordinary
from .plant import FAMILIES, Planted, Planter
from .settings import PoisonSettings

_CLEAN = 1_000
"""Clean new records beside the planted ones, at most; a tenth of the data when that is less."""

_ORDINARY = 200
"""Rows of each shape of an ordinary difference, at most; half of the clean ones when that is less."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attack."""

    family: str
    planted: int
    found: bool
    """Whether a group was raised that is mostly this attack's, and has at least half of it."""
    recall: float
    """Share of the attack that its best group has."""
    precision: float
    """Share of planted records in the groups that touch the attack; 1 when none does."""
    score: float
    """Of the best group; 0 when it wasn't found."""
    trigger: str
    payload: str
    manner: str


@dataclass(frozen=True, slots=True)
class DrillReport:
    """What a drill measured."""

    records: int
    approved: int
    clean: int
    """Clean new records beside the attacks."""
    clean_groups: int
    """Groups raised when only those were new: false alarms."""
    ordinary: tuple[tuple[str, int], ...]
    """For each shape of an ordinary difference the groups that it raised among the clean: false alarms."""
    outcomes: tuple[Outcome, ...]

    def rows(self) -> list[tuple[str, int, int, float, float, float]]:
        """Family, planted, attacks, share of them found, share of their records, precision."""
        rows = []
        for family in dict.fromkeys(one.family for one in self.outcomes):
            for count in sorted({one.planted for one in self.outcomes}):
                some = [one for one in self.outcomes if (one.family, one.planted) == (family, count)]
                means = [sum(values) / len(some) for values in zip(*map(_measures, some), strict=True)]
                rows.append((family, count, len(some), means[0], means[1], means[2]))
        return rows


def _measures(one: Outcome) -> tuple[float, float, float]:
    return float(one.found), one.recall, one.precision


def drill(
    records: Sequence[Record],
    counts: Sequence[int] = (25, 100, 250),
    families: Sequence[str] = FAMILIES,
    seed: int = 1,
    rounds: int = 1,
    settings: PoisonSettings | None = None,
    said: Callable[[str], None] = lambda line: None,
    shapes: Sequence[str] | None = None,
) -> DrillReport:
    """Holds a part of the data back as the clean new records and as what attacks are made from, takes the
    rest as approved, and plants one attack of each family at once for each count and round. ``shapes`` of
    ordinary differences are measured too: all by default.

    ConfigError for fewer than 50 records with an answer.
    """
    chosen = settings or PoisonSettings()
    chance = random.Random(seed)  # noqa: S311 - a drill repeats
    every = list(records)
    chance.shuffle(every)
    clean = every[: min(_CLEAN, len(every) // 10)]
    approved = every[len(clean) :]
    planters = [Planter(every, seed * 1_000 + turn) for turn in range(rounds)]
    said("Reading what counts as approved")
    reference = Reference(approved, chosen)
    honest = Ordinary(clean, seed)
    wanted = tuple(honest.shapes if shapes is None else shapes)
    said(f"Ordinary differences: {', '.join(('clean rows', *wanted))}")
    made = [honest.make(shape, min(_ORDINARY, len(clean) // 2)) for shape in wanted]
    compared = compare_each(reference, [clean, *([*clean, *one] for one in made)], chosen)
    false_alarms, *alarms = (len(raised(one)) for one in compared)
    outcomes: list[Outcome] = []
    for turn, planter in enumerate(planters):
        for count in counts:
            said(f"Round {turn + 1} of {rounds}: {count} records of each of {len(families)} attacks")
            attacks = [planter.plant(family, count) for family in families]
            mixed = [*clean, *(record for attack in attacks for record in attack.records)]
            chance.shuffle(mixed)
            groups = raised(compare_with(reference, mixed, chosen))
            outcomes += [outcome(attack, attacks, groups) for attack in attacks]
    ordinary = tuple(zip(wanted, alarms, strict=True))
    return DrillReport(len(every), len(approved), len(clean), false_alarms, ordinary, tuple(outcomes))


def raised(findings: Sequence[DataFinding]) -> list[DataFinding]:
    """Those that ask for a review."""
    return [one for one in findings if one.severity is not Severity.NOTE]


def outcome(attack: Planted, attacks: Sequence[Planted], groups: Sequence[DataFinding]) -> Outcome:
    """What the groups made of one attack among several."""
    own = {record.id for record in attack.records}
    planted = {record.id for one in attacks for record in one.records}
    best, score, touched, right = 0.0, 0.0, 0, 0
    for group in groups:
        common = len(own.intersection(group.records))
        if common:
            touched += len(group.records)
            right += len(planted.intersection(group.records))
        if common >= 0.5 * len(group.records) and common / len(own) > best:
            best, score = common / len(own), group.score
    found = best >= 0.5
    return Outcome(
        *(attack.family, len(own), found, best, right / touched if touched else 1.0, score if found else 0.0),
        *(attack.trigger, attack.payload, attack.manner),
    )
