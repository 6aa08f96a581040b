"""Locks only ever grow; whoever shortens one, or erases in spite of it, is found out."""

import time
from typing import Any

import pytest

from ringwall.boundaries.data import verify
from ringwall.boundaries.data.retention import DAY, configure, locked_until
from ringwall.boundaries.data.retention_check import check_locks
from ringwall.boundaries.data.settings import CollectionSettings, DataSection
from ringwall.boundaries.data.stores import DataStores
from ringwall.core import DataError
from ringwall.ledger.envelope import Envelope
from ringwall.storage.database import Database
from ringwall.storage.s3_blobs import S3Blobs
from ringwall.storage.s3_client import S3Place

NOW = time.time_ns() // 1000
Make = Any


def lock(db: Database, days: int) -> None:
    configure(db, {"handbook": CollectionSettings(lock_days=days)})


def anchors(stores: DataStores) -> dict[str, tuple[int, str]]:
    head = stores.vault.head("handbook")
    assert head
    return {"handbook": (head.number, head.chain)}


def test_lowering_the_days_shortens_no_lock(stores: DataStores, db: Database, document: Make) -> None:
    lock(db, 30)
    stores.vault.commit("handbook", add=[document("a", "x", at=NOW)], author="bea")
    lock(db, 0)
    with pytest.raises(DataError, match="is locked"):
        stores.vault.erase("handbook", "a", author="bea")
    stores.vault.commit("handbook", add=[document("b", "x", at=time.time_ns() // 1000)], author="bea")
    stores.vault.erase("handbook", "b", author="bea")
    assert stores.verify() == []


def test_raising_the_days_lengthens_the_lock_with_the_next_version(
    stores: DataStores, db: Database, document: Make
) -> None:
    at = time.time_ns() // 1000
    stores.vault.commit("handbook", add=[document("a", "x", at=at)], author="bea")
    assert locked_until(db, "handbook", at) == 0
    lock(db, 30)
    stores.vault.commit("handbook", add=[document("b", "x", at=NOW)], author="bea")
    assert locked_until(db, "handbook", at) == at + 30 * DAY
    assert locked_until(db, "handbook", at, 60) == at + 60 * DAY
    assert locked_until(db, "other", at) == 0


@pytest.mark.parametrize("to", ["0", "locked - 1", "at + 1"])
def test_a_lock_that_was_shortened_in_the_database_breaks_the_chain(
    stores: DataStores, db: Database, to: str, document: Make
) -> None:
    lock(db, 30)
    stores.vault.commit("handbook", add=[document("a", "x", at=NOW)], author="bea")
    said = anchors(stores)
    assert stores.verify(said) == []
    db.write(f"UPDATE data_version SET locked = {to}")
    assert [one.version for one in stores.verify(said)] == [1]


def test_what_was_erased_though_locked_is_told(stores: DataStores, db: Database, document: Make) -> None:
    lock(db, 30)
    stores.vault.commit("handbook", add=[document("a", "x", at=NOW)], author="bea")
    given = db.one("SELECT locked FROM data_version")
    assert given
    db.write("UPDATE data_version SET locked = 0")
    lock(db, 0)
    stores.vault.erase("handbook", "a", author="mallory")
    db.write("UPDATE data_version SET locked = ? WHERE version = 1", given["locked"])
    found = verify(stores.vault, stores.index)
    assert [one.document for one in found] == ["handbook/a"]
    assert "although it was locked until" in found[0].message


def test_a_lock_that_ended_is_no_lock(stores: DataStores, db: Database, document: Make) -> None:
    lock(db, 1)
    stores.vault.commit(
        "handbook", add=[document("a", "x", at=time.time_ns() // 1000 - 3 * DAY)], author="bea"
    )
    stores.vault.erase("handbook", "a", author="bea")
    assert check_locks(db) == []


def test_objects_in_s3_are_held_to_the_lock(
    bucket: S3Place, s3: Any, section: DataSection, db: Database, envelope: Envelope, document: Make
) -> None:
    """The emulator lets anybody shorten a lock; S3 does not. The check finds it in either."""
    blobs = S3Blobs(bucket, client=s3)
    blobs.retain(30)
    stores = DataStores(section, db, blobs, envelope)
    lock(db, 30)
    stores.vault.commit("handbook", add=[document("a", "x", at=NOW)], author="bea")
    assert stores.verify() == []
    lock(db, 400)  # longer than the store locks: a wrong set-up
    stores.vault.commit("handbook", add=[document("b", "x", at=NOW)], author="bea")
    assert [one.version for one in stores.verify()] == [2]
    head = stores.vault.head("handbook")
    s3.delete_object(Bucket=bucket.bucket, Key=bucket.prefix + head.manifest)
    assert {one.version for one in stores.verify()} == {2}
    stores.close()
