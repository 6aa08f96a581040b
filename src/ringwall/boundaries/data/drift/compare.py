"""Bias and drift of one version against another, or against a reference."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..drift_settings import DriftSettings
from ..finding import DataFinding, Severity
from ..records.record import Record
from .measure import Measure
from .of_columns import columns, labels, numbers, relabelled
from .of_groups import groups
from .of_texts import duplicates, formats, languages, lengths, topics
from .profile import Profile, profile
from .statistics import discoveries

_ALL: tuple[Callable[[Profile, Profile, DriftSettings], Iterator[Measure]], ...] = (
    columns,
    labels,
    relabelled,
    numbers,
    lengths,
    formats,
    duplicates,
    languages,
    topics,
    groups,
)
_FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"label", "relabelled"}),
    frozenset({"mention", "tone", "toxicity", "association"}),
)
"""Kinds whose tests are corrected together; all others are the last family. A label within a group is a
question that was asked, and hundreds of words beside group terms are a search: corrected together, the search
hides what was asked."""
_BIAS = frozenset({"label", "relabelled", "tone", "toxicity", "association"})
_DEFAULT = DriftSettings()
_NAMED = 6
_FEW = 2


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything that was measured between two versions, what is raised first, then by size."""

    rows: tuple[int, int]
    measures: tuple[Measure, ...]

    @property
    def raised(self) -> tuple[Measure, ...]:
        return tuple(one for one in self.measures if one.raised)

    @property
    def findings(self) -> list[DataFinding]:
        """One for each measure that is raised; associations of one group are one."""
        found = [_finding(one) for one in self.raised if one.kind != "association"]
        beside: dict[str, list[Measure]] = {}
        for one in self.raised:
            if one.kind == "association":
                beside.setdefault(one.subject.partition(": ")[0], []).append(one)
        found += [_associated(name, words) for name, words in beside.items()]
        return sorted(found, key=lambda one: -one.score)


def compare(
    approved: Iterable[Record], candidate: Iterable[Record], settings: DriftSettings = _DEFAULT
) -> list[DataFinding]:
    """Findings alone; ``measure`` gives all that was measured."""
    return measure(approved, candidate, settings).findings


def measure(
    approved: Iterable[Record], candidate: Iterable[Record], settings: DriftSettings = _DEFAULT
) -> Drift:
    """Read both versions once each, and hold them against each other. Memory is bounded by the sample."""
    return measure_profiles(profile(approved, settings), profile(candidate, settings), settings)


def measure_profiles(before: Profile, after: Profile, settings: DriftSettings = _DEFAULT) -> Drift:
    """As ``measure``, of what was read before: a reference is read once for many versions."""
    made = (
        [one for each in _ALL for one in each(before, after, settings)] if before.rows and after.rows else []
    )
    corrected = [
        replace(one, adjusted=value, significance=settings.significance)
        for family in _by_family(made)
        for one, value in zip(family, discoveries([one.effect.p for one in family]), strict=True)
    ]
    corrected.sort(key=lambda one: (not one.raised, -_size(one), one.kind, one.subject))
    return Drift((before.rows, after.rows), tuple(corrected))


def _by_family(made: Sequence[Measure]) -> Iterator[list[Measure]]:
    rest = frozenset(one.kind for one in made).difference(*_FAMILIES)
    for kinds in (*_FAMILIES, rest):
        yield [one for one in made if one.kind in kinds]


def _size(one: Measure) -> float:
    """The effect in thresholds: what makes effects of different kinds comparable."""
    return abs(one.effect.size) / one.threshold


def _score(one: Measure) -> float:
    """0.5 at the threshold, 0.8 at four times it: an order for the reviewer, no probability."""
    return round(_size(one) / (1 + _size(one)), 3)


def _finding(one: Measure) -> DataFinding:
    effect = one.effect
    moved = "; ".join(f"{name} {before:.1%} to {after:.1%}" for name, before, after in one.shares[:_FEW])
    values = one.facts.get("mean") or one.facts.get("median")
    if not moved and values:
        moved = f"{'mean' if 'mean' in one.facts else 'median'} {values[0]:g} to {values[1]:g}"
    message = (
        f"{moved or one.subject} ({effect.name} = {effect.size:.2f}, 95% interval {effect.low:.2f} to "
        f"{effect.high:.2f}, adjusted p = {one.adjusted:.1g}, {one.counts[0]} and {one.counts[1]} rows)."
    )
    return DataFinding(
        detector=f"{'bias' if one.kind in _BIAS else 'drift'}.{one.kind}",
        title=one.subject,
        message=message,
        score=_score(one),
        severity=Severity.REVIEW,
        records=one.records,
        facts={
            **one.facts,
            "effect": effect.name,
            "size": round(effect.size, 4),
            "interval": [round(effect.low, 4), round(effect.high, 4)],
            "adjusted_p": one.adjusted,
            "threshold": one.threshold,
        },
    )


def _associated(name: str, words: Sequence[Measure]) -> DataFinding:
    came = [one.subject.partition(": ")[2] for one in words if one.effect.size > 0]
    went = [one.subject.partition(": ")[2] for one in words if one.effect.size < 0]
    parts = [f"more often: {', '.join(came[:_NAMED])}"] * bool(came)
    parts += [f"less often: {', '.join(went[:_NAMED])}"] * bool(went)
    return DataFinding(
        detector="bias.association",
        title=name,
        message=f"Words beside mentions of {name}, {'; '.join(parts)}.",
        score=max(map(_score, words)),
        facts={
            "more": came,
            "less": went,
            "log_odds": {one.subject: round(one.effect.size, 2) for one in words},
        },
    )
