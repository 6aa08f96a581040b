"""A row as one text that controls read, and what they change in it brought back into its fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringwall.core import Edit, apply_edits

from ..records import Record, content_id, record_of
from ..records.forms import given_id

_LONG_NUMBER = 1_000_000
"""Numbers from here on are read as texts too: account and telephone numbers come as integers."""
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: _Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RowText:
    """Every text of a row, one after the other, with a line break between them; behind them what was read of
    its pictures."""

    row: Record
    text: str
    leaves: tuple[_Leaf, ...]
    unread: bool = False
    """Something in it, a picture, was not read."""

    @classmethod
    def of(cls, row: Record) -> "RowText":
        pieces: list[str] = []
        leaves: list[_Leaf] = []
        at = 0
        for path, piece in _leaves(row.fields, ()):
            leaves.append(_Leaf(path, at, at + len(piece)))
            pieces.append(piece)
            at += len(piece) + 1
        return cls(row, "\n".join(pieces), tuple(leaves))

    def own(self) -> Iterator[str]:
        """The texts that are in its fields."""
        return (self.text[leaf.start : leaf.end] for leaf in self.leaves)

    def beside(self, edits: Iterable[Edit]) -> bool:
        """Whether an edit would take out what stands in a picture: nothing can be taken out of those."""
        end = self.leaves[-1].end if self.leaves else 0
        return any(edit.end > end for edit in edits)

    def edited(self, edits: Iterable[Edit]) -> Record:
        """The row with the edits made. One that goes over several fields puts its replacement into the first
        of them and takes its share out of the others. A number that is edited becomes a text."""
        changes = {}
        edits = list(edits)
        for leaf in self.leaves:
            mine = [within for edit in edits if (within := _within(edit, leaf)) is not None]
            if mine:
                changes[leaf.path] = apply_edits(self.text[leaf.start : leaf.end], mine)
        if not changes:
            return self.row
        return with_fields(self.row, _rewritten(self.row.fields, (), changes))


def with_fields(row: Record, fields: Mapping[str, Any]) -> Record:
    """The row with other fields, read anew; an id that was made of the content is made again, and one that
    was changed in its field is what the field says now."""
    read = record_of(fields, row.source, tuple(row.sensitivity))
    made = content_id(row.fields)
    own = row.id != made and not row.id.startswith(f"{made}.")
    return replace(read, id=row.id) if own and given_id(row.fields) == given_id(fields) else read


def names(value: Any) -> Iterable[str]:
    """Every field name in a row, at every depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def _leaves(value: Any, path: _Path) -> Iterable[tuple[_Path, str]]:
    if isinstance(value, str):
        if value:
            yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _LONG_NUMBER:
        yield path, str(value)


def _within(edit: Edit, leaf: _Leaf) -> Edit | None:
    """The share of a field in an edit of the whole; None when it has none."""
    inserts = edit.start == edit.end and leaf.start <= edit.start <= leaf.end
    if not inserts and (edit.end <= leaf.start or edit.start >= leaf.end):
        return None
    first = edit.start >= leaf.start
    return replace(
        edit,
        start=max(edit.start, leaf.start) - leaf.start,
        end=min(edit.end, leaf.end) - leaf.start,
        replacement=edit.replacement if first else "",
    )


def _rewritten(value: Any, path: _Path, changes: Mapping[_Path, str]) -> Any:
    if path in changes:
        return changes[path]
    if isinstance(value, Mapping):
        return {name: _rewritten(inner, (*path, name), changes) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rewritten(inner, (*path, index), changes) for index, inner in enumerate(value)]
    return value
