"""Uploads at rest: what was tampered with is found, and rows are read as they would be from a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringwall.boundaries.data.records import Source
from ringwall.boundaries.data.records.reading import read_lines, read_rows
from ringwall.boundaries.data.uploads.settings import FilesSettings
from ringwall.boundaries.data.uploads.store import PIECE, TooMuchError, Upload, Uploads
from ringwall.core import DataError, Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

FLIPPED = "CAST(substr({0}, 1, 60) || x'00' || substr({0}, 62) AS BLOB)"
CASEY = Principal("casey", "north", credential="key")
ROBIN = Principal("robin", "north", credential="key")
NAMESAKE = Principal("casey", "south", credential="key")
CONTENT = bytes(range(251)) * (3 * PIECE // 251)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "uploads.db")
    yield made
    made.close()


@pytest.fixture
def uploads(database: Database, tmp_path: Path) -> Uploads:
    return Uploads(database, Envelope(tmp_path, MasterKey.load(tmp_path)))


def put(uploads: Uploads, content: bytes = CONTENT, name: str = "a.bin") -> Upload:
    incoming = uploads.begin(CASEY, FilesSettings())
    for at in range(0, len(content), 70_001):
        incoming.write(content[at : at + 70_001])
    return incoming.finish(name, "user_data")


def test_it_comes_back_and_to_its_owner_alone(uploads: Uploads) -> None:
    upload = put(uploads)
    assert uploads.read(CASEY, upload, len(CONTENT)) == CONTENT
    assert uploads.open(CASEY, upload).read() == CONTENT
    with pytest.raises(TooMuchError):
        uploads.read(CASEY, upload, len(CONTENT) - 1)
    for other in (ROBIN, NAMESAKE):
        assert uploads.find(other, upload.id) is None
        assert uploads.list(other) == []
        assert not uploads.delete(other, upload.id)
        with pytest.raises(DataError):
            next(uploads.pieces(other, upload.id))


def test_an_empty_file(uploads: Uploads) -> None:
    upload = put(uploads, b"")
    assert uploads.read(CASEY, upload, 0) == b""


@pytest.mark.parametrize(
    "tamper",
    [
        f"UPDATE upload_piece SET sealed = {FLIPPED.format('sealed')} WHERE number = 1",
        "DELETE FROM upload_piece WHERE number = 2",
        "UPDATE upload_piece SET number = 9 - number WHERE number IN (0, 1)",
        f"UPDATE upload SET head = {FLIPPED.format('head')}",
    ],
)
def test_tampering_is_found(uploads: Uploads, database: Database, tamper: str) -> None:
    upload = put(uploads)
    database.write(tamper)
    with pytest.raises(DataError):
        uploads.read(CASEY, upload, len(CONTENT))


def test_pieces_of_another_file_do_not_fit(uploads: Uploads, database: Database) -> None:
    one, two = put(uploads, b"one" * 999), put(uploads, b"two" * 999)
    database.write(
        "UPDATE upload_piece SET sealed = (SELECT sealed FROM upload_piece WHERE upload = ?) "
        "WHERE upload = ?",
        *(one.id, two.id),
    )
    with pytest.raises(DataError):
        uploads.read(CASEY, two, 9999)


def test_what_was_left_half_way_is_swept(uploads: Uploads, database: Database) -> None:
    uploads.begin(CASEY, FilesSettings()).write(b"x" * PIECE)
    assert uploads.list(CASEY) == []
    database.write("UPDATE upload SET at = 1")
    put(uploads, b"other")
    assert len(database.all("SELECT id FROM upload")) == 1
    assert len(database.all("SELECT upload FROM upload_piece")) == 1


def test_rows_are_those_of_the_same_file(uploads: Uploads, tmp_path: Path) -> None:
    rows = [{"prompt": f"Question {n % 7}", "completion": "answer " * n} for n in range(400)]
    raw = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "rows.jsonl").write_bytes(raw)
    upload = put(uploads, raw, "rows.jsonl")
    read = list(read_lines(uploads.open(CASEY, upload), Source(origin="rows.jsonl")))
    assert read == list(read_rows(tmp_path / "rows.jsonl"))
    broken = put(uploads, raw[:-9] + b"\n[1]\n", "rows.jsonl")
    with pytest.raises(DataError, match=r"rows\.jsonl, row 400"):
        list(read_lines(uploads.open(CASEY, broken), Source(origin="rows.jsonl")))
