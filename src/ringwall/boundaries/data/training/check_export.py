"""Hold an export against its manifest, the ledger, and the version that it says it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from ringwall.core import DataError

from ..export_place import measured
from .export import WRITERS, read_rows, row_of
from .sets import TrainingSets

_MOST = 1000
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class ExportDamage:
    """Something that is not as it was exported."""

    place: str
    """``row 17 (ID)``, ``record ID``, ``files`` or ``manifest``."""
    message: str


def export_manifest(export: Path) -> dict[str, Any]:
    """What the manifest beside an export says. DataError when there is none."""
    path = export.with_name(export.name + ".manifest.json")
    try:
        with path.open("rb") as file:
            said = orjson.loads(file.read(_LARGEST))
        if said["format"] not in WRITERS or not isinstance(said["version"], int):
            raise ValueError
        return {name: said[name] for name in _FACTS}
    except OSError:
        raise DataError(f"{path.name} is missing: it belongs beside the export.") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path.name} is no manifest of an export.") from None


def check_export(
    export: Path, sets: TrainingSets, ledger: Mapping[str, Any] | None = None
) -> Iterator[ExportDamage]:
    """What is wrong with an export: manifest against ledger and version, files against the manifest, and,
    when nothing was withheld or redacted, each row against its record. At most 1,000 rows are told.

    ``ledger``: the ``data.exported`` event of the export. Raises DataError when there is no manifest, or no
    such version.
    """
    said = export_manifest(export)
    if ledger is not None:
        for name in _FACTS:
            if ledger.get(name) != said[name]:
                yield ExportDamage("manifest", f"The ledger has another {name} for this export.")
    version = sets.versions.get(said["collection"], said["version"])
    if (version.root, version.chain) != (said["root"], said["chain"]):
        yield ExportDamage("manifest", f"It is not of {version.name}: root or chain differ.")
    try:
        digest, size = measured(export)
    except OSError as error:
        yield ExportDamage("files", f"The export can't be read ({error.strerror}).")
        return
    if (digest, size) != (said["sha256"], said["bytes"]):
        yield ExportDamage("files", "They are not those that were exported: their SHA-256 is another one.")
    yield from _rows(export, said, sets)


def _rows(export: Path, said: Mapping[str, Any], sets: TrainingSets) -> Iterator[ExportDamage]:
    rows = _Counted(read_rows(export, said["format"]))
    exact = not said["withheld"] and not said["redacted"]
    try:
        if exact:
            yield from islice(_compared(rows, said, sets), _MOST)
        for _ in rows:
            continue
    except DataError as error:
        yield ExportDamage("files", str(error))
        return
    if rows.count != said["records"]:
        yield ExportDamage("files", f"{rows.count} rows are there, and {said['records']} were exported.")


def _compared(
    rows: Iterator[dict[str, Any]], said: Mapping[str, Any], sets: TrainingSets
) -> Iterator[ExportDamage]:
    """Rows and records side by side, both in the order of the version."""
    records = sets.records(said["collection"], said["version"])
    record = next(records, None)
    for number, row in enumerate(rows, 1):
        while record is not None and record.id != row.get("id") and _holds(sets, said, row.get("id")):
            yield ExportDamage(f"record {record.id[:128]}", "It is missing from the export, or moved.")
            record = next(records, None)
        place = f"row {number} ({str(row.get('id'))[:128]})"
        if record is None or record.id != row.get("id"):
            yield ExportDamage(place, "The version does not hold this record (any more).")
            continue
        if row != row_of(record, row.get("number", 0)):
            yield ExportDamage(place, "The row is not the record that the version holds.")
        record = next(records, None)
    if record is not None:
        yield ExportDamage(f"record {record.id[:128]}", "It, and what follows, is missing from the export.")


class _Counted(Iterator[dict[str, Any]]):
    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __next__(self) -> dict[str, Any]:
        row = next(self._rows)
        self.count += 1
        return row


def _holds(sets: TrainingSets, said: Mapping[str, Any], record: object) -> bool:
    try:
        return bool(sets.find(said["collection"], str(record), said["version"]))
    except DataError:
        return False


_FACTS = (
    *("export", "collection", "version", "root", "chain", "format", "records", "withheld", "redacted"),
    *("sha256", "bytes"),
)
