"""Cut Parquet and Arrow files into chunks, and read them. pyarrow is the extra ``data``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ringwall.core import DataError

from .chunk import Chunk, Row
from .expanded import rows_of_batch

_BATCH = 1024  # rows in memory at a time


def parquet_chunks(path: Path, name: str) -> Iterator[Chunk]:
    """One for each row group. DataError when it is no Parquet file, or pyarrow is not installed."""
    parquet = _arrow().parquet
    try:
        meta = parquet.read_metadata(path)
    except (OSError, _arrow().ArrowException) as error:
        raise DataError(f"{name} can't be read as Parquet: {_short(error)}.") from None
    first = 1
    for group in range(meta.num_row_groups):
        rows = meta.row_group(group).num_rows
        yield Chunk(name, str(path), "parquet", first, group)
        first += rows


def arrow_chunks(path: Path, name: str) -> Iterator[Chunk]:
    """One for each record batch of an Arrow stream or file, as the ``datasets`` library saves them."""
    first = 1
    for number, batch in enumerate(_batches(path, name)):
        yield Chunk(name, str(path), "arrow", first, number)
        first += batch.num_rows


def rows_of_columns(chunk: Chunk) -> Iterator[Row]:
    """The rows of a row group or record batch, converted a thousand at a time."""
    number = chunk.first
    for batch in _of_chunk(chunk):
        for start in range(0, batch.num_rows, _BATCH):
            part = batch.slice(start, _BATCH)
            try:
                yield from rows_of_batch(part, number)
            except (_arrow().ArrowException, ValueError, OverflowError) as error:
                raise DataError(f"{chunk.file}, row {number} or one after it: {_short(error)}.") from None
            number += part.num_rows


def _of_chunk(chunk: Chunk) -> Iterator[Any]:
    arrow = _arrow()
    path = Path(chunk.path)
    try:
        if chunk.kind == "parquet":
            with arrow.parquet.ParquetFile(path, read_dictionary=_texts(path)) as file:
                yield from file.iter_batches(batch_size=_BATCH, row_groups=[chunk.start])
        else:
            yield from (batch for at, batch in enumerate(_batches(path, chunk.file)) if at == chunk.start)
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{chunk.file} can't be read: {_short(error)}.") from None


def _texts(path: Path) -> list[str]:
    """Columns that are left as the file has them: each value once, and where it is. Expanded, a file of a few
    bytes could fill the memory."""
    schema = _arrow().parquet.read_metadata(path).schema
    columns = [schema.column(at) for at in range(len(schema))]
    return [one.path for one in columns if one.physical_type == "BYTE_ARRAY"]


def _batches(path: Path, name: str) -> Iterator[Any]:
    """Mapped into memory: what is not looked at is not read."""
    arrow = _arrow()
    try:
        with arrow.memory_map(str(path)) as source:
            try:
                yield from arrow.ipc.open_stream(source)
            except arrow.ArrowInvalid:
                source.seek(0)
                with arrow.ipc.open_file(source) as file:
                    for at in range(file.num_record_batches):
                        yield file.get_batch(at)
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{name} can't be read as Arrow: {_short(error)}.") from None


def _arrow() -> Any:
    try:
        import pyarrow  # noqa: PLC0415 - an extra
        import pyarrow.ipc  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise DataError("Parquet and Arrow files need an extra: pip install 'ringwall[data]'.") from None
    return pyarrow


def _short(error: BaseException) -> str:
    """Without the path that the library puts into its messages."""
    return str(error).split("'/")[0].split("\n")[0].strip()[:120] or type(error).__name__
