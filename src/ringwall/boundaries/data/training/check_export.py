"""Hold an export against the version that it says it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringwall.core import DataError
from ringwall.ledger.merkle import Frontier

from .export import Exported, ExportManifest, file_hash, manifest_path, read_rows, row_leaf, row_of
from .sets import TrainingSets

_MOST = 1000


@dataclass(frozen=True, slots=True)
class ExportDamage:
    """Something that is not as it was exported."""

    place: str
    """File, ``row 17 (ID)``, or ``manifest``."""
    message: str


def check_export(
    export: Path, sets: TrainingSets, ledger: tuple[str, str] | None = None
) -> tuple[ExportManifest, list[ExportDamage]]:
    """The manifest of an export, and what is wrong with the export: its files against the manifest, the
    manifest against the vault and the ledger, each row against its record. At most 1,000 are told.

    ``ledger``: root and chain that the ledger has for the version. Raises DataError when there is no
    manifest, or no such version.
    """
    try:
        said = ExportManifest.from_bytes(manifest_path(export).read_bytes())
    except OSError:
        raise DataError(f"{manifest_path(export).name} is missing: it belongs beside the export.") from None
    found = [*_version(said, sets, ledger), *_files(export, said.exported)]
    for damage in _rows(export, said, sets):
        found.append(damage)
        if len(found) >= _MOST:
            break
    return said, found


def _version(
    said: ExportManifest, sets: TrainingSets, ledger: tuple[str, str] | None
) -> Iterator[ExportDamage]:
    version = sets.versions.get(said.collection, said.version)
    if (version.root, version.chain) != (said.root, said.chain):
        yield ExportDamage("manifest", f"It is not of {version.name}: root or chain differ.")
    if ledger is not None and ledger != (said.root, said.chain):
        yield ExportDamage("manifest", f"The ledger has another root or chain for {version.name}.")


def _files(export: Path, exported: Exported) -> Iterator[ExportDamage]:
    folder = export if exported.format == "delta" else export.parent
    for file in exported.files:
        path = folder / file.name
        if not path.resolve().is_relative_to(folder.resolve()):
            yield ExportDamage(file.name, "The manifest names a file outside of the export.")
        elif not path.is_file():
            yield ExportDamage(file.name, "The file is missing.")
        elif file_hash(path) != file.sha256:
            yield ExportDamage(file.name, "The file was changed: its SHA-256 is another one.")
    if exported.format == "delta":
        known = {file.name for file in exported.files}
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            if path.relative_to(folder).as_posix() not in known:
                yield ExportDamage(path.relative_to(folder).as_posix(), "The file was not exported.")


def _rows(export: Path, said: ExportManifest, sets: TrainingSets) -> Iterator[ExportDamage]:
    tree = Frontier()
    records = sets.records(said.collection, said.version) if said.exact else iter(())
    record = next(records, None)
    try:
        for row in read_rows(export, said.exported.format):
            tree.append(row_leaf(row))
            if not said.exact:
                continue
            place = f"row {row.get('number')} ({str(row.get('id'))[:128]})"
            while record is not None and record.id != row.get("id") and _holds(sets, said, row.get("id")):
                yield ExportDamage(f"record {record.id[:128]}", "It is missing from the export, or moved.")
                record = next(records, None)
            if record is None or record.id != row.get("id"):
                yield ExportDamage(place, "The version does not hold this record (any more).")
                continue
            if row != row_of(record, tree.size):
                yield ExportDamage(place, "The row is not the record that the version holds.")
            record = next(records, None)
    except DataError as error:
        yield ExportDamage(export.name, str(error))
        return
    if record is not None:
        yield ExportDamage(f"record {record.id[:128]}", "It, and what follows, is missing from the export.")
    if (tree.size, tree.root().hex()) != (said.exported.count, said.exported.rows_root):
        yield ExportDamage(export.name, "Its rows are not those that were exported: their root differs.")


def _holds(sets: TrainingSets, said: ExportManifest, record: object) -> bool:
    try:
        return bool(sets.find(said.collection, str(record), said.version))
    except DataError:
        return False
