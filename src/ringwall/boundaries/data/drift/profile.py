"""One version of a training set, read once: what its drift is measured on."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..drift_settings import DriftSettings
from ..records.record import Record
from .columns import GROUPS, LABELS, Column, as_category, flat, named
from .hash_sample import HashSample, place

_LONGEST = 8000
_KNOWN = 200_000
_PAIR_VALUES = 2000
_COLUMNS = 300


@dataclass(frozen=True, slots=True)
class Sampled:
    """What is kept of a row of the sample."""

    prompt: str
    response: str
    numbers: dict[str, float]

    @property
    def text(self) -> str:
        return f"{self.prompt}\n{self.response}" if self.prompt else self.response


@dataclass(frozen=True, slots=True)
class Known:
    """Of one text: how often it came, its labels, its groups, and the record that had it first."""

    times: int
    labels: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    record: str


class Profile:
    """Counts over all rows; texts and numbers of a sample. Memory does not grow with the number of rows."""

    def __init__(self, settings: DriftSettings) -> None:
        self.rows = 0
        self.columns: defaultdict[str, Column] = defaultdict(Column)
        self.pairs: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
        """Group and label column -> counts of group and label."""
        self.sample: HashSample[Sampled] = HashSample(settings.texts)
        self.known: HashSample[Known] = HashSample(_KNOWN)
        self._settings = settings

    def add(self, record: Record) -> None:
        self.rows += 1
        row = dict(flat(record.fields))
        for name, value in row.items():
            if name in self.columns or len(self.columns) < _COLUMNS:
                self.columns[name].add(value)
        labels = self._values(row, self._settings.labels, LABELS)
        groups = self._values(row, self._settings.groups, GROUPS)
        for group, member in groups:
            for label, value in labels:
                counts = self.pairs[group, label]
                if (member, value) in counts or len(counts) < _PAIR_VALUES:
                    counts[member, value] += 1
        self._keep(record, row, labels, groups)

    def _values(
        self, row: dict[str, Any], wanted: tuple[str, ...], usual: frozenset[str]
    ) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, text)
            for name, value in row.items()
            if named(name, wanted, usual) and (text := as_category(value)) is not None
        )

    def _keep(
        self,
        record: Record,
        row: dict[str, Any],
        labels: tuple[tuple[str, str], ...],
        groups: tuple[tuple[str, str], ...],
    ) -> None:
        where = place(record.id)
        if self.sample.wants(where):
            numbers = {
                name: float(value)
                for name, value in row.items()
                if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
            }
            self.sample.put(where, Sampled(record.prompt[:_LONGEST], record.response[:_LONGEST], numbers))
        said = "\n".join(text for at, text in record.texts() if not _is_column(at, labels, groups))
        if not said:
            return
        where = place(said)
        if self.known.wants(where):
            had = self.known.get(where)
            self.known.put(
                where, Known(1 + (had.times if had else 0), labels, groups, had.record if had else record.id)
            )


def profile(records: Iterable[Record], settings: DriftSettings) -> Profile:
    """Read a version."""
    made = Profile(settings)
    for record in records:
        made.add(record)
    return made


def _is_column(at: str, *columns: tuple[tuple[str, str], ...]) -> bool:
    """Labels and groups are no part of a text, and neither is its id: relabelled, it is the same."""
    return at in ("id", "_id", "record_id") or any(at == name for pairs in columns for name, _ in pairs)
