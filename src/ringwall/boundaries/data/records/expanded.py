"""How large rows of a table become once they are values of their own.

A column may hold a value once and point to it a million times (dictionaries, views), so that a file of some
hundred bytes stands for gigabytes. What a batch would take is counted before anything is made of it.
"""

from collections.abc import Iterator
from typing import Any

from ringwall.core import DataError

from .chunk import LONGEST_ROW, Row


def rows_of_batch(batch: Any, first: int) -> Iterator[Row]:
    """The rows of a record batch, in pieces no longer than one row may be; a row that is longer is told as
    unreadable. DataError for a kind of column that can't be measured."""
    size = sum(_expanded(column) for column in batch.columns)
    if size <= LONGEST_ROW:
        for number, fields in enumerate(batch.to_pylist(), first):
            yield Row(number, fields)
    elif batch.num_rows == 1:
        yield Row(first, None, f"it is longer than {LONGEST_ROW // 1024 // 1024} MB")
    else:
        half = batch.num_rows // 2
        yield from rows_of_batch(batch.slice(0, half), first)
        yield from rows_of_batch(batch.slice(half), first + half)


def _expanded(array: Any) -> int:
    """Bytes that its values have, each counted as often as it is there."""
    from pyarrow import compute, types  # noqa: PLC0415 - an extra; there is a batch

    kind = array.type
    if types.is_dictionary(kind):
        lengths = _lengths(array.dictionary)
        return int(compute.sum(lengths.take(array.indices)).as_py() or 0) + 4 * len(array)
    if types.is_struct(kind):
        return sum(_expanded(array.field(at)) for at in range(kind.num_fields)) + len(array)
    if types.is_map(kind):
        first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
        inner = (array.keys, array.items)
        held = [one if len(one) == last - first else one.slice(first, last - first) for one in inner]
        return sum(_expanded(one) for one in held) + 8 * len(array)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _expanded(array.flatten()) + 8 * len(array)
    if _measurable(kind):
        return int(compute.sum(_lengths(array)).as_py() or 0) + 4 * len(array)
    if kind.num_fields or types.is_run_end_encoded(kind):
        raise DataError(f"A column of the type {str(kind)[:60]} is not read: save it as plain values.")
    return 8 * len(array)


def _measurable(kind: Any) -> bool:
    from pyarrow import types  # noqa: PLC0415

    return any(
        check(kind)
        for check in (
            types.is_string, types.is_large_string, types.is_string_view,
            types.is_binary, types.is_large_binary, types.is_binary_view,
        )
    )  # fmt: skip


def _lengths(values: Any) -> Any:
    """Bytes of each value. Of a dictionary of anything but text, the whole of it for each: an upper bound."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import compute  # noqa: PLC0415

    if _measurable(values.type):
        if pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type):
            return pa.array([len(one) if one is not None else 0 for one in _viewed(values)], pa.int64())
        return compute.binary_length(values).cast(pa.int64())
    return pa.array([_expanded(values)] * len(values), pa.int64())


def _viewed(values: Any) -> Iterator[Any]:
    """One at a time: a view of the same bytes is another copy of them."""
    for one in values:
        held = one.as_buffer()
        yield None if held is None else memoryview(held)
