"""Records out of packs, verified."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock

from ringwall.core import DataError
from ringwall.storage.blobs import BlobStore
from ringwall.storage.database import Database

from ..document import canonical
from ..keys import CollectionKeys, Sealer
from ..records.record import Record
from .entry import PackEntry
from .pack import PackReader, ordinals
from .record_keys import RecordKeys

_CACHED = 3
_STEPS = [
    """
    CREATE TABLE data_record_erased (
        pack TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        at INTEGER NOT NULL,
        mark TEXT NOT NULL,
        PRIMARY KEY (pack, ordinal)
    ) STRICT, WITHOUT ROWID;
    """
]


class Packs:
    """Opens packs; the last ones are kept in memory. Thread-safe."""

    def __init__(
        self, db: Database, blobs: BlobStore, envelope: Sealer, keys: RecordKeys, secrets: CollectionKeys
    ) -> None:
        self._db = db
        self._secrets = secrets
        self._blobs = blobs
        self._envelope = envelope
        self._keys = keys
        self._known: OrderedDict[str, PackReader] = OrderedDict()
        self._lock = Lock()
        db.migrate("data_records", _STEPS)

    def open(self, collection: str, entry: PackEntry) -> PackReader:
        """DataError, naming the pack, when it is missing, damaged or another one."""
        with self._lock:
            known = self._known.get(entry.blob)
        if known is not None and known.pack == entry.id:
            return known
        try:
            reader = PackReader(entry.id, self._blobs.get(entry.blob), collection, self._envelope)
            if reader.root != entry.root or len(reader) != entry.count:
                raise DataError("it is not the one that was committed: its root differs.")
        except DataError as error:
            raise DataError(f"Pack {entry.id} of {collection} can't be read: {error}") from error
        with self._lock:
            self._known[entry.blob] = reader
            while len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return reader

    def records(
        self, collection: str, entry: PackEntry, chosen: Iterable[int] | None = None
    ) -> Iterator[Record]:
        """Records of a pack, in order (default: those that the version holds). What was erased on purpose is
        left out. DataError when one is damaged or its key is lost."""
        reader = self.open(collection, entry)
        table = self._keys.table(collection, entry.id)
        erased: set[int] | None = None
        for ordinal in ordinals(entry.count, entry.dropped) if chosen is None else sorted(chosen):
            secret = table.of(ordinal)
            if secret is not None:
                yield reader.record(ordinal, secret)
                continue
            erased = self.erased(entry.id) if erased is None else erased
            if ordinal not in erased:
                raise DataError(
                    f"Record {ordinal} of pack {entry.id} of {collection} can't be read: its key is "
                    "gone, and it was never erased."
                )

    def ids(
        self, collection: str, entry: PackEntry, chosen: Iterable[int]
    ) -> Iterator[tuple[int, str, bytes]]:
        """Ordinal, id and body of records that were not erased, in order."""
        reader = self.open(collection, entry)
        table = self._keys.table(collection, entry.id)
        for ordinal in sorted(chosen):
            secret = table.of(ordinal)
            if secret is not None:
                key, _, body = reader.raw(ordinal, secret)
                yield ordinal, key, body

    def erased(self, pack: str) -> set[int]:
        """Ordinals of the records of a pack that were erased on purpose."""
        rows = self._db.all("SELECT ordinal FROM data_record_erased WHERE pack = ?", pack)
        return {row["ordinal"] for row in rows}

    def every_erased(self) -> dict[str, set[int]]:
        """The same of all packs."""
        found: dict[str, set[int]] = {}
        for row in self._db.all("SELECT pack, ordinal FROM data_record_erased"):
            found.setdefault(row["pack"], set()).add(row["ordinal"])
        return found

    def note_erased(self, collection: str, pack: str, gone: Iterable[int], at: int) -> None:
        self._db.write_many(
            "INSERT OR IGNORE INTO data_record_erased VALUES (?, ?, ?, ?)",
            [(pack, one, at, self._mark(collection, pack, one, at)) for one in gone],
        )

    def false_erasures(self, collection: str, pack: str) -> set[int]:
        """Ordinals that are noted as erased by somebody without the collection's secret."""
        rows = self._db.all("SELECT ordinal, at, mark FROM data_record_erased WHERE pack = ?", pack)
        return {one for one, at, mark in rows if mark != self._mark(collection, pack, one, at)}

    def _mark(self, collection: str, pack: str, ordinal: int, at: int) -> str:
        return self._secrets.digest(collection, "erased", canonical([pack, ordinal, at])).hex()

    def forget(self) -> None:
        """Read everything from the store again."""
        with self._lock:
            self._known.clear()
