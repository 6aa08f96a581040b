"""Columns of a training set: which hold labels, which hold groups of people, and what is counted of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LABELS_WORDS = """
label labels class category target rating score stars sentiment toxic toxicity y answer_label verdict
"""
LABELS = frozenset(_LABELS_WORDS.split())
"""Usual names of columns that a model learns to tell."""
_GROUPS_WORDS = """
gender sex race ethnicity ethnic_group nationality country region religion age age_group age_band
disability marital_status dialect orientation caste group demographic
"""
GROUPS = frozenset(_GROUPS_WORDS.split())
"""Usual names of columns that hold a group of people."""
MISSING = "(missing)"
_LONGEST = 64
_MOST = 200
_FEW = 50
_DEEP = 2
_COLUMNS = 300


class Column:
    """Counts of the values of one column. Values beyond the first 200 are counted together: such a column is
    no category."""

    def __init__(self) -> None:
        self.values: Counter[str] = Counter()
        self.others = 0
        self.missing = 0
        self.texts = 0
        """Values that are too long for a category, or a list."""

    def add(self, value: Any) -> None:
        text = as_category(value)
        if value is None or value == "":
            self.missing += 1
        elif text is None:
            self.texts += 1
        elif text in self.values or len(self.values) < _MOST:
            self.values[text] += 1
        else:
            self.others += 1

    @property
    def filled(self) -> int:
        return self.values.total() + self.others + self.texts

    @property
    def categorical(self) -> bool:
        """Few values, most of them often."""
        few = 0 < len(self.values) <= _FEW and not self.others
        return few and self.texts == 0 and self.values.total() >= 2 * len(self.values)


def flat(fields: Mapping[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Columns of a row, nested ones with dots, two levels deep; at most 300."""
    for name, value in list(fields.items())[:_COLUMNS]:
        if isinstance(value, Mapping) and depth < _DEEP:
            yield from flat(value, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}", value


def as_category(value: Any) -> str | None:
    """How a value is counted; None for what is no category."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)[:_LONGEST]
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST else None


def named(column: str, wanted: Sequence[str], usual: frozenset[str]) -> bool:
    """Whether a column is one of those wanted; without any wanted, one with a usual name."""
    if wanted:
        return column in wanted
    return column.rpartition(".")[2].lower() in usual
