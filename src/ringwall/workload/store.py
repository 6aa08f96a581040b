"""Opens the blob store that a workload file names, and sees to it that a data directory keeps its store."""

from dataclasses import replace
from pathlib import Path

from ringwall.boundaries.data.retention import configure
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.data.store_settings import StoreSettings
from ringwall.core import ConfigError, DataError, Problem
from ringwall.storage.blobs import BlobStore, LocalBlobs
from ringwall.storage.database import Database
from ringwall.storage.s3_blobs import S3Blobs

from .load import Loaded

LOCAL = StoreSettings()
_STEPS = ("CREATE TABLE data_store (one INTEGER PRIMARY KEY CHECK (one = 1), place TEXT NOT NULL) STRICT;",)


def open_blobs(settings: StoreSettings, data_dir: Path) -> BlobStore:
    """Raises DataError, saying what to do, when the store can't be reached or relied on."""
    if settings.kind == "local":
        return LocalBlobs(data_dir / "blobs")
    return S3Blobs(settings.place, lock_days=settings.lock_days, kms_key=settings.kms_key)


def bind_store(database: Database, data_dir: Path, settings: StoreSettings) -> None:
    """Note with which store a data directory belongs together. Raises DataError when it has another one
    already: its blobs would be missing."""
    database.migrate("data_store", _STEPS)
    now = settings.name
    row = database.one("SELECT place FROM data_store")
    if row is None:
        held = any((data_dir / "blobs").glob("??/??/*"))
        if settings.kind != "local" and held:
            raise DataError(_OTHER.format(now=now, before="local"))
        database.write("INSERT OR IGNORE INTO data_store VALUES (1, ?)", now)
    elif row["place"] != now:
        raise DataError(_OTHER.format(now=now, before=row["place"]))


def move_store(database: Database, settings: StoreSettings) -> None:
    """The data directory belongs with this store from now on: its blobs have been copied."""
    database.migrate("data_store", _STEPS)
    database.write("INSERT OR REPLACE INTO data_store VALUES (1, ?)", settings.name)


def check_store(section: DataSection, settings: StoreSettings) -> None:
    """Raises ConfigError when the file names another store than the process has open: it is chosen at the
    start, since what was written to one is not in the other."""
    if section.store != settings:
        raise ConfigError(
            Problem(
                f"data.store is not the store that this process has open ({settings.name}): restart it to "
                "change the store"
            )
        )


def retain(section: DataSection, database: Database, blobs: BlobStore) -> None:
    """Lock new versions as their collections say, and new objects of a store that locks for as long as the
    collection that asks for most; a lock never gets shorter."""
    configure(database, section.collections)
    lock_objects(section, blobs)


def lock_objects(section: DataSection, blobs: BlobStore) -> None:
    """Of a store that locks."""
    if isinstance(blobs, S3Blobs):
        blobs.retain(max((one.lock_days for one in section.collections.values()), default=0))


def in_local_store(loaded: Loaded) -> Loaded:
    """The same workload with its blobs in the data directory: for rehearsals and drills, which must not write
    to where the real ones lie."""
    data = loaded.workload.data.model_copy(update={"store": LOCAL})
    return replace(loaded, workload=loaded.workload.model_copy(update={"data": data}))


_OTHER = (
    "data.store names {now}, but the blobs of this data directory are in another store ({before}): name that "
    "one, or copy them with `ringwall data store move`."
)
