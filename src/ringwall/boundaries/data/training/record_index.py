"""Where a record is: keyed hashes of ids to pack and ordinal.

Everything in it follows from the packs. It lies in a file of its own, ``records.db``: written in large sorted
batches ahead of publication, it would keep the writers of ``state.db`` waiting. Rows of packs that no version
holds (a killed commit) are never looked at, since readers ask the version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import RLock

from ringwall.storage.database import Database

from ..keys import CollectionKeys
from ..records.record import Source

FILE = "records.db"
_BATCH = 50_000
_ASKED = 1000

_STEPS = [
    """
    CREATE TABLE pack (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE record (
        key BLOB NOT NULL,
        pack INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        mark BLOB NOT NULL,
        PRIMARY KEY (key, pack)
    ) STRICT, WITHOUT ROWID;
    """
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record was found."""

    pack: str
    ordinal: int
    mark: bytes
    """Keyed hash of its content."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Makes the keyed hashes of one collection."""

    secret: bytes

    def key(self, record: str) -> bytes:
        """Of an id."""
        return blake2b(record.encode("utf-8", "surrogatepass"), digest_size=12, key=self.secret).digest()

    def mark(self, body: bytes, terms: bytes) -> bytes:
        """Of content, and of the terms under which it came."""
        return blake2b(terms + body, digest_size=8, key=self.secret).digest()


def terms_of(source: Source) -> bytes:
    """Licence and consent: a record that comes under other ones is another one."""
    return f"{len(source.licence)}:{source.licence}{source.consent}\0".encode("utf-8", "surrogatepass")


class RecordIndex:
    """Thread-safe; several processes may share the file, which is made when it is first written to."""

    def __init__(self, path: Path, keys: CollectionKeys) -> None:
        self._path = path
        self._keys = keys
        self._lock = RLock()
        self._db: Database | None = None

    def marker(self, collection: str) -> Marker:
        return Marker(self._keys.digest(collection, "records", b""))

    def add(self, rows: Iterable[tuple[bytes, str, int, bytes]]) -> None:
        """Key, pack, ordinal and mark of each record."""
        db = self._database()
        numbers: dict[str, int] = {}
        with db.transaction():
            ready = []
            for key, pack, ordinal, mark in rows:
                number = numbers.get(pack)
                if number is None:
                    number = numbers[pack] = self._number(db, pack)
                ready.append((key, number, ordinal, mark))
            ready.sort()
            db.write_many("INSERT INTO record VALUES (?, ?, ?, ?)", ready)

    def find(self, keys: Sequence[bytes]) -> dict[bytes, list[Place]]:
        """All places of each key, in packs of every version and of none."""
        found: dict[bytes, list[Place]] = {}
        for start in range(0, len(keys), _ASKED):
            some = keys[start : start + _ASKED]
            marks = ",".join("?" * len(some))
            rows = self._database().all(
                "SELECT r.key, p.id, r.ordinal, r.mark "  # noqa: S608, question marks only
                "FROM record r JOIN pack p ON p.number = r.pack "
                f"WHERE r.key IN ({marks}) ORDER BY p.id",
                *some,
            )
            for key, pack, ordinal, mark in rows:
                found.setdefault(key, []).append(Place(pack, ordinal, mark))
        return found

    def forget(self, pack: str, keys: Iterable[bytes]) -> None:
        """Of erased records nothing is kept."""
        db = self._database()
        with db.transaction():
            number = self._number(db, pack)
            db.write_many("DELETE FROM record WHERE key = ? AND pack = ?", [(key, number) for key in keys])

    def counts(self) -> dict[str, int]:
        """How many records it knows of each pack."""
        names = {row["number"]: row["id"] for row in self._database().all("SELECT * FROM pack")}
        rows = self._database().all("SELECT pack, count(*) FROM record GROUP BY pack")
        return {names[pack]: count for pack, count in rows if pack in names}

    def replace(self, pack: str, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Make what it knows of a pack anew."""
        db = self._database()
        with db.transaction():
            number = self._number(db, pack)
            db.write("DELETE FROM record WHERE pack = ?", number)
            made = sorted((key, number, ordinal, mark) for key, ordinal, mark in rows)
            db.write_many("INSERT INTO record VALUES (?, ?, ?, ?)", made)

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @staticmethod
    def _number(db: Database, pack: str) -> int:
        db.write("INSERT OR IGNORE INTO pack (id) VALUES (?)", pack)
        row = db.one("SELECT number FROM pack WHERE id = ?", pack)
        return int(row["number"]) if row else 0

    def _database(self) -> Database:
        with self._lock:
            if self._db is None:
                self._db = Database(self._path)
                self._db.migrate("records", _STEPS)
            return self._db


class Pending:
    """Rows of packs that are being written, kept until there are enough for one sorted batch."""

    def __init__(self, index: RecordIndex) -> None:
        self._index = index
        self._rows: dict[bytes, tuple[bytes, str, int, bytes]] = {}
        self.flushed = False
        """Whether the index may know of packs that are being written."""

    def get(self, key: bytes) -> Place | None:
        row = self._rows.get(key)
        return Place(*row[1:]) if row else None

    def put(self, key: bytes, pack: str, ordinal: int, mark: bytes) -> None:
        self._rows[key] = (key, pack, ordinal, mark)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._index.add(self._rows.values())
            self._rows.clear()
            self.flushed = True
