"""Records as parts that a control can read, and back with what it took out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringwall.core import Edit, Part, PartKind, apply_edits

from .records.forms import given_id, record_of
from .records.record import Record

_DIGITS = 7
"""A number with so many digits may be somebody's: it is read as text."""


def parts_of(record: Record, collection: str) -> list[Part]:
    """A part for each text of the record, in order, with its name ahead of it (``ssn: …``) as a reader of the
    table would see it. One without any text has an empty part, for its label."""
    found = [(place, f"{_named(place)}{value}") for place, value in _values(record.fields, "")]
    return [
        Part(
            PartKind.DOCUMENT,
            text,
            record.label,
            name=place[-200:],
            data={"collection": collection, "record": record.id},
            ref=record.id,
        )
        for place, text in found or [("", "")]
    ]


def edited(record: Record, edits: Sequence[Sequence[Edit]]) -> Record:
    """The record with the edits of each of its parts. A number that was changed becomes text."""
    if not any(edits):
        return record
    pending = iter(edits)

    def rebuilt(value: Any, place: str) -> Any:
        if isinstance(value, Mapping):
            return {name: rebuilt(inner, _below(place, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [rebuilt(inner, f"{place}[{index}]") for index, inner in enumerate(value)]
        if not _read(value):
            return value
        mine = next(pending)
        if not mine:
            return value
        name = _named(place)
        return apply_edits(f"{name}{value}", mine).removeprefix(name)

    fields = rebuilt(record.fields, "")
    again = record_of(fields, record.source)
    kept = given_id(record.fields) == given_id(fields)
    return replace(
        record,
        id=record.id if kept else again.id,  # what was taken out of it is out
        fields=fields,
        prompt=again.prompt,
        response=again.response,
        rejected=again.rejected,
    )


def words_of(record: Record) -> Iterator[str]:
    """What leaves with a record and is no value of it, so that nothing can be taken out of it: names of
    fields, and what its contributor said of it."""
    yield from _names(record.fields)
    yield from (said for said in (record.source.origin, record.source.consent) if said)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _values(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(inner, _below(place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _values(inner, f"{place}[{index}]")
    elif _read(value):
        yield place, value


def _read(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= _DIGITS


def _below(place: str, name: Any) -> str:
    return f"{place}.{name}" if place else str(name)


def _named(place: str) -> str:
    """The last name of a place, as a label."""
    name = place.rpartition(".")[2].partition("[")[0][:60]
    return f"{name}: " if name else ""
