"""What the columns tell: values, labels by group, what is missing, numbers, texts that were relabelled."""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from ..drift_settings import DriftSettings
from .measure import Measure, aligned, shares_of
from .profile import Profile
from .statistics import Effect, distribution, jensen_shannon, proportion, shape, stability

_FEW = 30
"""Rows of a group in both versions that its labels are looked at from."""
_VALUES = 12
_OVERLAP = 0.2
_FLIPS = 5
_BY_CHANCE = 0.002
"""Share of relabelled texts that is put down to corrections."""
_EXAMPLES = 20


def columns(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Distribution of the values of each categorical column, and the share of rows without one."""
    for name in sorted({*before.columns, *after.columns}):
        first, second = before.columns[name], after.columns[name]
        counts = (before.rows, after.rows)
        have = (before.rows - first.filled, after.rows - second.filled)
        gone = proportion(have[0], before.rows, have[1], after.rows)
        shares = (("missing", have[0] / (before.rows or 1), have[1] / (after.rows or 1)),)
        yield Measure("missing", name, gone, settings.share, counts, shares=shares)
        if (
            not (first.categorical and second.categorical)
            or _numeric(first.values)
            or len(first.values | second.values) < 2
        ):
            continue
        one, other = aligned(first.values, second.values)
        facts = {"js": round(jensen_shannon(one, other), 4), "psi": round(stability(one, other), 4)}
        filled = (first.values.total(), second.values.total())
        yield Measure(
            *("column", name, distribution(one, other), settings.distribution, filled),
            shares=shares_of(first.values, second.values),
            facts=facts,
        )


def labels(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Share of each label within each group. Of two labels one is enough."""
    for group, label in sorted({*before.pairs, *after.pairs}):
        first, second = before.pairs[group, label], after.pairs[group, label]
        sizes, later = _totals(first), _totals(second)
        values = sorted({value for _, value in (*first, *second)})
        if not 2 <= len(values) <= _VALUES:
            continue
        for member in sorted(sizes.keys() & later.keys()):
            of, later_of = sizes[member], later[member]
            if min(of, later_of) < _FEW:
                continue
            for value in values[1:] if len(values) == 2 else values:
                hits, later_hits = first[member, value], second[member, value]
                yield Measure(
                    "label",
                    f"{label}={value} where {group}={member}",
                    proportion(hits, of, later_hits, later_of),
                    settings.label_share,
                    (of, later_of),
                    shares=((value, hits / of, later_hits / later_of),),
                )


def numbers(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Shape of the distribution of each numeric column, over the sample."""
    first = [one.numbers for _, one in before.sample.items()]
    second = [one.numbers for _, one in after.sample.items()]
    for name in sorted({column for row in (*first, *second) for column in row}):
        if before.columns[name].categorical and not _numeric(before.columns[name].values):
            continue
        one = np.array([row[name] for row in first if name in row])
        other = np.array([row[name] for row in second if name in row])
        if min(len(one), len(other)) >= _FEW:
            facts = {"mean": [round(float(one.mean()), 4), round(float(other.mean()), 4)]}
            yield Measure(
                "number", name, shape(one, other), settings.shape, (len(one), len(other)), facts=facts
            )


def relabelled(before: Profile, after: Profile, settings: DriftSettings) -> Iterator[Measure]:
    """Texts that both versions have, with another label: over all, and by group. Only where one version grew
    out of the other: a short text that two sets have by chance has no label of its own."""
    old, new = dict(before.known.items()), dict(after.known.items())
    if len(old.keys() & new.keys()) < _OVERLAP * min(len(old), len(new)):
        return
    both: Counter[tuple[str, str]] = Counter()
    changed: Counter[tuple[str, str]] = Counter()
    ids: dict[tuple[str, str], list[str]] = {}
    for where, now in new.items():
        then = old.get(where)
        if then is None or not then.labels or not now.labels:
            continue
        for key in (("", ""), *now.groups):
            both[key] += 1
            if then.labels != now.labels:
                changed[key] += 1
                ids.setdefault(key, []).append(now.record)
    for key, count in sorted(both.items()):
        hits = changed[key]
        share = hits / count
        effect = Effect("share", share, *_wilson(hits, count), _at_least(hits, count * _BY_CHANCE))
        if hits < _FLIPS:
            effect = Effect("share", share, effect.low, effect.high, 1.0)
        subject = f"{key[0]}={key[1]}" if key[0] else "all texts of both versions"
        yield Measure(
            *("relabelled", subject, effect, settings.relabelled, (count, count)),
            shares=(("other label", 0.0, share),),
            facts={"changed": hits},
            records=tuple(ids.get(key, ())[:_EXAMPLES]),
        )


def _totals(counts: Counter[tuple[str, str]]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for (member, _), count in counts.items():
        sizes[member] += count
    return sizes


def _numeric(values: Counter[str]) -> bool:
    """More than a dozen different numbers: their order tells more than their counts."""
    return len(values) > _VALUES and all(_number(value) for value in values)


def _number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _wilson(hits: int, of: int) -> tuple[float, float]:
    z, share = 1.959964, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _at_least(hits: int, expected: float) -> float:
    """Chance of so many or more, when ``expected`` come on average (Poisson)."""
    if hits == 0:
        return 1.0
    term = math.exp(-expected)
    below = 0.0
    for count in range(hits):
        below += term
        term *= expected / (count + 1)
    return max(0.0, 1.0 - below)
