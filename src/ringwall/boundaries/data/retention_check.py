"""Whether the locks that versions were given have held."""

import time
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from ringwall.core import DataError
from ringwall.storage.database import Database

from .damage import Damage
from .names import base
from .retention import locked_until
from .training.entry import PackEntry
from .training.sets import TrainingSets

_SECOND = 1_000_000


@runtime_checkable
class LockingStore(Protocol):
    """A blob store that locks what it holds."""

    def locked_until(self, digest: str) -> int:
        """Microseconds since the epoch; 0 when it has no lock that nobody can lift."""
        ...


def check_locks(
    db: Database, blobs: object = None, training: TrainingSets | None = None, *, now: int | None = None
) -> list[Damage]:
    """What was erased in spite of its lock; and, where the store locks as well, what is locked there for less
    time than it was given."""
    moment = time.time_ns() // 1000 if now is None else now
    found = [
        Damage(
            row["collection"],
            0,
            row["name"],
            f"{row['name']} was erased although it was locked until {_date(until)}.",
        )
        for row in db.all(
            "SELECT e.name AS name, e.at AS erased, r.collection AS collection, r.at AS at "
            "FROM data_erased e JOIN data_revision r ON r.owner = e.owner ORDER BY e.name, r.at"
        )
        if (until := locked_until(db, row["collection"], row["at"])) > row["erased"]
    ]
    if training is not None:
        found += _records(db, training)
    if isinstance(blobs, LockingStore):
        found += _in_store(db, blobs, moment)
    return list({(one.collection, one.document): one for one in found}.values())


def _records(db: Database, training: TrainingSets) -> Iterator[Damage]:
    first = {
        row["pack"]: row["at"]
        for row in db.all("SELECT pack, min(at) AS at FROM data_record_erased GROUP BY pack")
    }
    for collection in dict.fromkeys(map(base, training.versions.lines())):
        for entry in _readable(training, collection) if first else ():
            until = locked_until(db, collection, entry.at)
            if first.get(entry.id, until) < until:
                name = f"pack:{entry.id}"
                told = f"Records of it were erased although they were locked until {_date(until)}."
                yield Damage(collection, 0, name, told)


def _readable(training: TrainingSets, collection: str) -> Iterator[PackEntry]:
    """Up to the first manifest that can't be read, which is told elsewhere."""
    try:
        yield from training.ever(collection)
    except DataError:
        return


def _in_store(db: Database, blobs: LockingStore, now: int) -> list[Damage]:
    """Manifests stand for what was stored with them, which has the same lock."""
    found = []
    for row in db.all("SELECT collection, version, manifest, locked FROM data_version WHERE locked > ?", now):
        try:
            held = blobs.locked_until(row["manifest"])
        except DataError as error:
            found.append(Damage(row["collection"], row["version"], "", str(error)))
            continue
        if held < row["locked"] - 2 * _SECOND:
            message = (
                f"The store locks its manifest until {_date(held)} only, not until {_date(row['locked'])}."
            )
            found.append(Damage(row["collection"], row["version"], "", message))
    return found


def _date(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at / _SECOND)) if at else "never"
