"""Whether rows of a table single people out: k-anonymity and l-diversity, as a warning.

For every combination of up to three quasi-identifiers: how many rows share their values, at least (k,
Sweeney 2002), what share of rows is alone, and how many different values of a confidential column the groups
hold, at least (l, Machanavajjhala et al. 2007). Rows are counted by a 64-bit hash of their values, so
that no value is kept; memory grows with the number of different groups, which is bounded.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ..finding import DataFinding, Severity
from ..records import Record

MOST_COLUMNS = 8
"""Quasi-identifiers that are combined: 92 combinations of up to three."""
MOST_GROUPS = 500_000
"""Groups told apart in all; beyond, the combination with the most counts no further rows than those that it
has seen, and the report says so."""
MOST_VALUES = 64
"""Different values of a confidential column that are counted in a group."""
_WIDEST = 3
_SAMPLE = 2_000
_RARE = 0.01
_WORDS = frozenset({
    "age", "birth", "birthdate", "born", "city", "county", "country", "date", "day", "dob", "ethnicity",
    "gender", "job", "language", "marital", "month", "nationality", "occupation", "plz", "postal", "postcode",
    "postalcode", "profession", "race", "region", "religion", "sex", "state", "town", "year", "zip",
    "zipcode",
})  # fmt: skip
_NO_TABLE = 120  # characters: a longer value is a text, and no attribute of a person


@dataclass
class _Combination:
    columns: tuple[str, ...]
    groups: Counter[int] = field(default_factory=Counter)
    values: dict[str, dict[int, set[int]]] = field(default_factory=lambda: defaultdict(dict))
    final: dict[str, Any] = field(default_factory=dict)
    """What it came to when it was given up."""


class Uniqueness:
    """Add rows, then ask for the findings."""

    def __init__(self, quasi: Sequence[str], confidential: Sequence[str] = (), smallest: int = 5) -> None:
        """``quasi``: columns that together may single a person out, the first eight count. ``smallest``: the
        size of group below which a row counts as exposed."""
        self._smallest = smallest
        self.rows = 0
        self.quasi = tuple(dict.fromkeys(quasi))[:MOST_COLUMNS]
        self.confidential = tuple(confidential)
        self._groups = 0
        self._combinations = [
            _Combination(columns)
            for width in range(1, min(_WIDEST, len(self.quasi)) + 1)
            for columns in combinations(self.quasi, width)
        ]

    def add(self, records: Iterable[Record]) -> Iterator[int]:
        """Read all; gives the number of rows so far, now and then."""
        for record in records:
            self.rows += 1
            self._row(record.fields)
            if self.rows % 1000 == 0:
                yield self.rows
        yield self.rows

    def report(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "rows": self.rows,
            "quasi_identifiers": list(self.quasi),
            "confidential": list(self.confidential),
            "smallest_group": self._smallest,
            "combinations": [self._told(one) for one in self._combinations],
        }

    def findings(self) -> list[DataFinding]:
        """One for each combination that exposes rows, at least twice as many as each part of it does."""
        out: list[DataFinding] = []
        exposed: dict[frozenset[str], int] = {}
        for one in self._combinations:
            told, columns = self._told(one), frozenset(one.columns)
            parts = max((count for part, count in exposed.items() if part < columns), default=0)
            exposed[columns] = told["exposed"]
            if told["exposed"] > 0 and told["exposed"] >= 2 * parts:
                out.append(_finding(one.columns, told, self._smallest))
            out.extend(_undiverse(one.columns, told))
        return out

    def _row(self, fields: Mapping[str, Any]) -> None:
        hashes = {name: _hash(fields.get(name)) for name in (*self.quasi, *self.confidential)}
        for one in self._combinations:
            if one.final:
                continue
            group = hash(tuple(hashes[name] for name in one.columns))
            self._groups += group not in one.groups
            one.groups[group] += 1
            for name in self.confidential:
                known = one.values[name].setdefault(group, set())
                if len(known) < MOST_VALUES:
                    known.add(hashes[name])
        if self._groups > MOST_GROUPS:
            self._give_up()

    def _give_up(self) -> None:
        widest = max((one for one in self._combinations if not one.final), key=lambda one: len(one.groups))
        self._groups -= len(widest.groups)
        widest.final = {**self._told(widest), "complete": False}
        widest.groups.clear()
        widest.values.clear()

    def _told(self, one: _Combination) -> dict[str, Any]:
        if one.final:
            return one.final
        sizes = one.groups.values()
        return {
            "columns": list(one.columns),
            "rows": self.rows,
            "complete": True,
            "groups": len(one.groups),
            "k": min(sizes, default=0),
            "unique": sum(1 for size in sizes if size == 1),
            "exposed": sum(size for size in sizes if size < self._smallest),
            "l": {
                name: min((len(values) for values in groups.values()), default=0)
                for name, groups in sorted(one.values.items())
            },
        }


def quasi_identifiers(records: Iterable[Record]) -> list[str]:
    """Columns of the first rows whose names are those of attributes of a person, and whose values repeat:
    what is different in each row is an identifier, and for the inventory to find."""
    seen: dict[str, Counter[int]] = defaultdict(Counter)
    rows = 0
    for record in records:
        rows += 1
        for name, value in record.fields.items():
            if isinstance(value, str | int | float | bool) and len(str(value)) <= _NO_TABLE:
                seen[name][_hash(value)] += 1
        if rows >= _SAMPLE:
            break
    return [
        name
        for name, values in seen.items()
        if _names_attribute(name) and 1 < len(values) < max(2, rows) and sum(values.values()) > rows * _RARE
    ][:MOST_COLUMNS]


def _names_attribute(name: str) -> bool:
    words = "".join(char if char.isalpha() else " " for char in name.lower()).split()
    return not _WORDS.isdisjoint(words) or name.lower() in _WORDS


def _hash(value: Any) -> int:
    text = "" if value is None else str(value).strip().casefold()
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _finding(columns: tuple[str, ...], told: Mapping[str, Any], smallest: int) -> DataFinding:
    rows = told["rows"]
    return DataFinding(
        detector="sensitive.uniqueness",
        title=" + ".join(columns),
        message=(
            f"{told['exposed']} of {rows} rows are in groups of fewer than {smallest} with the same values, "
            f"{told['unique']} of them alone (k = {told['k']})."
        ),
        score=told["exposed"] / rows,
        severity=Severity.REVIEW,
        facts=dict(told),
    )


def _undiverse(columns: tuple[str, ...], told: Mapping[str, Any]) -> Iterator[DataFinding]:
    for name, least in told["l"].items():
        if least == 1 and len(columns) == 1:
            yield DataFinding(
                detector="sensitive.diversity",
                title=f"{name} by {' + '.join(columns)}",
                message=f"In at least one group whoever knows {' and '.join(columns)} knows {name} too.",
                score=0.5,
                severity=Severity.NOTE,
                facts=dict(told),
            )
