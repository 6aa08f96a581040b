"""Training sets as JSON lines, Parquet or Delta: streams of rows with where each came from.

The table formats give tampered rows back without an error. So a manifest is written beside each export that
says which version it is, and ``check_export`` holds the export against it. Whether somebody may export, and
what is redacted on the way, is decided before records get here: see ``exports``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from ringwall.core import DataError

from ..records.record import Record

Format: TypeAlias = Literal["jsonl", "parquet", "delta"]
EXTRA = "Exports to Parquet need the extra 'data': pip install 'ringwall[data]'."
DELTA_EXTRA = "Exports to Delta need the extras 'data' and 'delta': pip install 'ringwall[data,delta]'."
_ROWS = 4096


def write_jsonl(records: Iterable[Record], path: Path) -> None:
    """One JSON object a line. Fails, as the other writers do, when there is something at ``path``."""
    with _new(path).open("xb") as file:
        for row in _rows(records):
            file.write(orjson.dumps(row) + b"\n")


def write_parquet(records: Iterable[Record], path: Path) -> None:
    """One file, compressed with zstandard. Raises DataError when pyarrow is missing."""
    try:
        from pyarrow import parquet  # noqa: PLC0415, an extra
    except ImportError:
        raise DataError(EXTRA) from None
    with (
        _new(path).open("xb") as file,
        parquet.ParquetWriter(file, _schema(), compression="zstd") as writer,
    ):
        for batch in _batches(_rows(records)):
            writer.write_batch(batch)


def write_delta(records: Iterable[Record], path: Path) -> None:
    """A Delta table in a new folder. Raises DataError when deltalake or pyarrow is missing."""
    try:
        import deltalake  # noqa: PLC0415, an extra
        import pyarrow  # noqa: PLC0415, an extra
    except ImportError:
        raise DataError(DELTA_EXTRA) from None
    reader = pyarrow.RecordBatchReader.from_batches(_schema(), _batches(_rows(records)))
    deltalake.write_deltalake(str(_new(path)), reader, mode="error")


WRITERS: Mapping[Format, Callable[[Iterable[Record], Path], None]] = {
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "delta": write_delta,
}


def row_of(record: Record, number: int) -> dict[str, Any]:
    """The columns of a record: what it says, as ``fields`` (JSON) and as it is read, and where it is from."""
    source = record.source
    return {
        "number": number,
        "id": record.id,
        "form": record.form.value,
        "prompt": record.prompt,
        "response": record.response,
        "rejected": record.rejected,
        "fields": orjson.dumps(record.fields, option=orjson.OPT_SORT_KEYS).decode(),
        "sensitivity": sorted(record.sensitivity),
        "origin": source.origin,
        "place": source.place,
        "contributor": source.contributor,
        "process": source.process,
        "contribution": source.contribution,
        "at": source.at,
        "licence": source.licence,
        "consent": source.consent,
        "signer": source.signer,
    }


def read_rows(export: Path, form: Format) -> Iterator[dict[str, Any]]:
    """The rows of an export, in the order in which they were written. DataError when it can't be read."""
    try:
        if form == "jsonl":
            with export.open("rb") as file:
                yield from (orjson.loads(line) for line in file)
        elif form == "parquet":
            yield from _parquet_rows(export)
        else:
            yield from _delta_rows(export)
    except ImportError:
        raise DataError(EXTRA if form == "parquet" else DELTA_EXTRA) from None
    except (OSError, ValueError) as error:
        raise DataError(f"The export {export.name} can't be read: {type(error).__name__}.") from error


def _rows(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    return (row_of(record, number) for number, record in enumerate(records, 1))


def _new(path: Path) -> Path:
    if path.exists():
        raise DataError(f"There is something named {path.name} already: name another place.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _schema() -> Any:
    import pyarrow as pa  # noqa: PLC0415, an extra

    row = row_of(Record("", {}), 1)
    kinds = {"number": pa.int64(), "at": pa.int64(), "sensitivity": pa.list_(pa.string())}
    return pa.schema([pa.field(name, kinds.get(name, pa.string()), nullable=False) for name in row])


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415, an extra

    schema = _schema()
    stream = iter(rows)
    while some := list(islice(stream, _ROWS)):
        yield pa.RecordBatch.from_pylist(some, schema)


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet  # noqa: PLC0415, an extra

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            yield from batch.to_pylist()


def _delta_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Files of a table have names without an order: each holds consecutive rows."""
    import deltalake  # noqa: PLC0415, an extra

    files = [path / name for name in _delta_files(deltalake.DeltaTable(str(path)))]
    starts = {file: next((row["number"] for row in _parquet_rows(file)), 0) for file in files}
    yield from chain.from_iterable(_parquet_rows(file) for file in sorted(files, key=lambda one: starts[one]))


def _delta_files(table: Any) -> list[str]:
    actions = table.get_add_actions(flatten=True)
    return [str(name) for name in actions.column("path").to_pylist()]
