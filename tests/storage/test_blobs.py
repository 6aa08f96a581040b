import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.core import DataError
from ringwall.storage.blobs import LocalBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


def _file(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "blobs" / digest[:2] / digest[2:4] / digest


def test_a_blob_is_named_by_its_content(blobs: LocalBlobs) -> None:
    digest = blobs.put(b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest()
    assert blobs.get(digest) == b"hello"
    assert blobs.put(b"hello") == digest
    assert list(blobs.names()) == [digest]


def test_files_are_private_and_read_only(blobs: LocalBlobs, tmp_path: Path) -> None:
    path = _file(tmp_path, blobs.put(b"x"))
    assert path.stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("at", [0, 500, 999])
def test_one_flipped_bit_is_found_and_the_blob_named(blobs: LocalBlobs, tmp_path: Path, at: int) -> None:
    digest = blobs.put(os.urandom(1000))
    path = _file(tmp_path, digest)
    damaged = bytearray(path.read_bytes())
    damaged[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=digest):
        blobs.get(digest)


def test_a_damaged_file_is_not_overwritten_nor_taken_for_the_blob(blobs: LocalBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"original")
    path = _file(tmp_path, digest)
    path.chmod(0o600)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="damaged"):
        blobs.put(b"original")
    assert path.read_bytes() == b"something else"


def test_a_missing_blob_is_named(blobs: LocalBlobs) -> None:
    with pytest.raises(DataError, match="0" * 64):
        blobs.get("0" * 64)


def test_a_link_in_place_of_a_blob_is_not_followed(blobs: LocalBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"data")
    path = _file(tmp_path, digest)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"data")
    path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(DataError, match="can't be read"):
        blobs.get(digest)


@given(
    name=st.one_of(
        st.text(max_size=80), st.sampled_from(["../../etc/passwd", "a" * 63, "A" * 64, "0" * 64 + "\n"])
    )
)
@settings(max_examples=80, deadline=None)
def test_no_name_leads_out_of_the_store(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    blobs = LocalBlobs(tmp_path_factory.getbasetemp() / "names")
    with pytest.raises(DataError):
        blobs.get(name)


def test_what_a_killed_writer_left_is_swept_only_when_old(tmp_path: Path) -> None:
    incoming = tmp_path / "blobs" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "old").write_bytes(b"half")
    os.utime(incoming / "old", (0, 0))
    (incoming / "new").write_bytes(b"half")
    LocalBlobs(tmp_path / "blobs")
    assert [path.name for path in incoming.iterdir()] == ["new"]


@pytest.mark.parametrize("other", ["folder", "pipe"])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    blobs: LocalBlobs, tmp_path: Path, other: str
) -> None:
    place = _file(tmp_path, digest := blobs.put(b"hello"))
    place.unlink()
    place.mkdir() if other == "folder" else os.mkfifo(place)
    with pytest.raises(DataError, match="is no file"):
        blobs.get(digest)


@pytest.mark.parametrize("size", [70_000_000, 1 << 40])
def test_a_sparse_file_of_any_length_is_damage_in_bounded_memory(
    blobs: LocalBlobs, tmp_path: Path, size: int
) -> None:
    digest = blobs.put(b"small")
    path = _file(tmp_path, digest)
    path.chmod(0o600)
    os.truncate(path, size)
    tracemalloc.start()
    try:
        for read in (blobs.get, blobs.read_unchecked):
            with pytest.raises(DataError, match=f"{digest} is damaged: its {size} bytes"):
                read(digest)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_large_blob_comes_out_as_it_went_in(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringwall.storage.blobs.WHOLE", 10)
    data = b"more than ten bytes"
    assert blobs.get(blobs.put(data)) == data
