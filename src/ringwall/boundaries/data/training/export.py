"""Training sets as JSON lines, Parquet or Delta: streams of rows with where each came from.

The table formats give tampered rows back without an error, so a manifest beside the export says which
version it is, with its Merkle root and chain, and the SHA-256 of each file: see ``check_export``. Whether
somebody may export, and what is redacted on the way, is decided before records get here.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from ringwall.core import DataError
from ringwall.ledger.merkle import Frontier, leaf_hash

from ..document import canonical
from ..records.record import Record
from ..versions import Version

Format: TypeAlias = Literal["jsonl", "parquet", "delta"]
EXTRA = "Exports to Parquet need the extra 'data': pip install 'ringwall[data]'."
DELTA_EXTRA = "Exports to Delta need the extras 'data' and 'delta': pip install 'ringwall[data,delta]'."
_ROWS = 4096
_TEXTS = (
    *("id", "form", "prompt", "response", "rejected", "fields"),
    *("origin", "place", "contributor", "process", "contribution", "licence", "consent"),
)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    """Below the folder of the export."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    format: Format
    count: int
    rows_root: str
    """RFC 9162 root over the rows as they were written."""
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """What an export is, so that it can be checked later."""

    collection: str
    version: int
    root: str
    """Merkle root of the version, as the ledger has it."""
    chain: str
    exact: bool
    """Whether it holds every record of the version as it is; else some were left out or treated."""
    exported: Exported

    def to_bytes(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"

    @classmethod
    def from_bytes(cls, raw: bytes) -> "ExportManifest":
        """DataError when it is none."""
        try:
            given: dict[str, Any] = orjson.loads(raw)
            exported = given.pop("exported")
            files = tuple(File(**one) for one in exported.pop("files"))
            return cls(**given, exported=Exported(**exported, files=files))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError("The manifest of the export is malformed.") from error


def write_jsonl(records: Iterable[Record], path: Path) -> Exported:
    """One JSON object a line. Fails, as the other writers do, when there is something at ``path``."""
    rows = _Rows(records)
    with _new(path).open("xb") as file:
        for row in rows:
            file.write(orjson.dumps(row) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return rows.exported("jsonl", [path], path.parent)


def write_parquet(records: Iterable[Record], path: Path) -> Exported:
    """One file, compressed with zstandard. Raises DataError when pyarrow is missing."""
    try:
        from pyarrow import parquet  # noqa: PLC0415, an extra
    except ImportError:
        raise DataError(EXTRA) from None
    rows = _Rows(records)
    with _new(path).open("xb") as file:
        with parquet.ParquetWriter(file, _schema(), compression="zstd") as writer:
            for batch in _batches(rows):
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
    return rows.exported("parquet", [path], path.parent)


def write_delta(records: Iterable[Record], path: Path) -> Exported:
    """A Delta table in a new folder. Raises DataError when deltalake or pyarrow is missing."""
    try:
        import deltalake  # noqa: PLC0415, an extra
        import pyarrow  # noqa: PLC0415, an extra
    except ImportError:
        raise DataError(DELTA_EXTRA) from None
    rows = _Rows(records)
    reader = pyarrow.RecordBatchReader.from_batches(_schema(), _batches(rows))
    deltalake.write_deltalake(str(_new(path)), reader, mode="error")
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return rows.exported("delta", files, path)


WRITERS = {"jsonl": write_jsonl, "parquet": write_parquet, "delta": write_delta}


def manifest_path(export: Path) -> Path:
    """Where the manifest of an export is: beside it."""
    return export.with_name(export.name + ".manifest.json")


def write_manifest(export: Path, version: Version, exported: Exported, *, exact: bool = True) -> Path:
    """Say beside an export what it is."""
    said = ExportManifest(version.collection, version.number, version.root, version.chain, exact, exported)
    path = manifest_path(export)
    path.write_bytes(said.to_bytes())
    return path


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


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Rows:
    """Rows of records, counted and hashed on the way."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self._tree = Frontier()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(self._records, 1):
            row = row_of(record, number)
            self._tree.append(row_leaf(row))
            yield row

    def exported(self, form: Format, files: list[Path], folder: Path) -> Exported:
        told = tuple(
            File(path.relative_to(folder).as_posix(), path.stat().st_size, file_hash(path)) for path in files
        )
        return Exported(form, self._tree.size, self._tree.root().hex(), told)


def row_leaf(row: dict[str, Any]) -> bytes:
    return leaf_hash(canonical(row))


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
