import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.model import Admissions, ModelSection
from ringwall.boundaries.model.admission import CONTROL, AdmissionSettings
from ringwall.boundaries.model.verified_file import VerifiedFile, hash_file
from ringwall.core import ALLOW, ANONYMOUS, Action, Crossing, CrossingKind, DataError, Services
from ringwall.storage.database import Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


def local(path: Path, sha256: str) -> ModelSection:
    return ModelSection.model_validate(
        {
            "providers": {"file": {"kind": "local", "artifact": "m"}},
            "artifacts": {"m": {"path": path.name, "sha256": sha256}},
            "routes": {"default": {"provider": "file"}},
        }
    )


def remote(**route: str) -> ModelSection:
    return ModelSection.model_validate(
        {
            "providers": {
                "remote": {"kind": "openai", "base_url": route.pop("base_url", "http://m.example/v1")},
            },
            "routes": {"default": {"provider": "remote", "model": "gpt-x", "snapshot": "1", **route}},
        }
    )


def test_a_file_is_admitted_by_hash_and_format(db: Database, files: Any) -> None:
    path, digest = files.put("model.gguf", files.gguf())
    book = Admissions(db, local(path, digest.upper()), path.parent)
    assert not book.admitted("default")
    entry = book.admit("m", "casey")
    assert entry.admitted and entry.by == "casey" and entry.details["format"] == "gguf" and entry.at > 0
    assert not book.admitted("default"), "the route itself has not been admitted yet"
    book.admit("default", "casey")
    assert book.admitted("default")
    assert [entry.name for entry in book.list()] == ["m", "default"]


def test_one_flipped_byte_refuses_it(db: Database, files: Any) -> None:
    good = files.gguf()
    path, digest = files.put("model.gguf", good)
    book = Admissions(db, local(path, digest), path.parent)
    assert all(entry.admitted for entry in book.admit_declared())
    for at in (0, 30, len(good) // 2, len(good) - 1):
        flipped = bytearray(good)
        flipped[at] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(DataError, match="has changed"):
            book.open("m")
        book.admit_declared()
        assert not book.admitted("default")
        path.write_bytes(good)
        book.admit_declared()
        assert book.admitted("default")
        book.open("m").close()


def test_the_right_hash_does_not_admit_a_bad_format(db: Database, files: Any) -> None:
    for data in (b"\x80\x04N.", files.gguf("{{ ''.__class__ }}"), files.gguf()[:-1]):
        path, digest = files.put("model.gguf", data)
        book = Admissions(db, local(path, digest), path.parent)
        assert book.admit("m", "casey").state == "refused"
        with pytest.raises(DataError, match="not admitted"):
            book.open("m")


def test_what_is_no_file_is_refused_without_waiting(db: Database, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "missing", "/dev/zero"):
        section = local(tmp_path / "x", "0" * 64)
        artifact = section.artifacts["m"].model_copy(update={"path": name})
        section = section.model_copy(update={"artifacts": {"m": artifact}})
        assert Admissions(db, section, tmp_path).admit("m", "casey").state == "refused"


def test_a_changed_declaration_of_a_route_waits_for_a_person(db: Database, tmp_path: Path) -> None:
    first = Admissions(db, remote(), tmp_path)
    first.admit_declared()
    assert first.admitted("default")
    for changed in (remote(snapshot="2"), remote(model="gpt-y"), remote(base_url="http://evil.example/v1")):
        book = Admissions(db, changed, tmp_path)
        assert not book.admitted("default")
        (entry,) = book.admit_declared()
        assert entry.state == "changed" and not book.admitted("default")
        (entry,) = book.admit_declared()
        assert entry.state == "changed", "asking again is no approval"
    book.admit("default", "casey")
    assert book.admitted("default") and not first.admitted("default")
    back = Admissions(db, remote(), tmp_path)
    back.admit_declared()
    assert back.admitted("default"), "a declaration that was admitted before needs nobody"


@pytest.mark.parametrize("model", ["gpt-latest", "latest", "llama:latest", "claude@current", "x/default"])
def test_floating_names_need_a_snapshot(db: Database, tmp_path: Path, model: str) -> None:
    book = Admissions(db, remote(model=model, snapshot=""), tmp_path)
    (entry,) = book.admit_declared()
    assert entry.state == "refused" and "snapshot" in entry.reason
    assert not book.admitted("default")
    pinned = Admissions(db, remote(model=model, snapshot="2026-05-01"), tmp_path)
    pinned.admit_declared()
    assert pinned.admitted("default")


def test_a_revoked_model_stays_out_until_a_person_admits_it(db: Database, files: Any) -> None:
    path, digest = files.put("model.gguf", files.gguf())
    book = Admissions(db, local(path, digest), path.parent)
    for name in ("m", "default"):
        book.admit_declared()
        assert book.admitted("default")
        book.revoke(name, "casey", "it leaks")
        assert not book.admitted("default")
        book.admit_declared()
        assert not book.admitted("default")
        book.admit(name, "casey")
        assert book.admitted("default")
    with pytest.raises(LookupError):
        book.revoke("nobody", "casey", "")


def test_another_process_is_heard(db: Database, tmp_path: Path) -> None:
    server = Admissions(db, remote(), tmp_path)
    assert not server.admitted("default")
    other = Database(db.path)
    Admissions(other, remote(), tmp_path).admit("default", "casey")
    assert server.admitted("default")
    Admissions(other, remote(), tmp_path).revoke("default", "casey", "")
    other.close()
    assert not server.admitted("default")


def test_entries_are_only_added(db: Database, tmp_path: Path) -> None:
    book = Admissions(db, remote(), tmp_path)
    for _ in range(3):
        book.admit("default", "casey")
    book.revoke("default", "casey", "x")
    book.admit("default", "lee")
    rows = db.all("SELECT state, by FROM model_admissions ORDER BY id")
    assert [tuple(row) for row in rows] == [("admitted", "casey"), ("revoked", "casey"), ("admitted", "lee")]


def test_nobody_can_change_the_bytes_between_check_and_load(files: Any) -> None:
    good = files.gguf()
    path, digest = files.put("model.gguf", good)
    taken = VerifiedFile.take(path)
    path.write_bytes(b"evil")
    assert taken.sha256 == digest and taken.size == len(good)
    assert Path(taken.path).read_bytes() == good
    if taken.sealed:
        with pytest.raises(PermissionError):
            Path(taken.path).write_bytes(b"evil")
        descriptor = os.open(taken.path, os.O_RDWR)
        with pytest.raises(PermissionError):
            os.write(descriptor, b"evil")
        with pytest.raises(PermissionError):
            os.truncate(descriptor, 1)
        os.close(descriptor)
    assert Path(taken.path).read_bytes() == good and taken.recheck()
    taken.close()


def test_without_sealing_a_change_is_found_after_loading(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringwall.boundaries.model.verified_file._SEALING", False)
    path, digest = files.put("model.gguf", files.gguf())
    taken = VerifiedFile.take(path)
    assert not taken.sealed and taken.sha256 == digest == hash_file(path) and taken.recheck()
    path.write_bytes(b"evil")
    assert not taken.recheck()
    taken.close()


def crossing(kind: CrossingKind, **context: Any) -> Crossing:
    return Crossing(kind, ANONYMOUS, context=context)


def test_the_control() -> None:
    control = CONTROL.build(AdmissionSettings(), Services())
    call = CrossingKind.MODEL_CALL
    assert control.inspect(crossing(call, route="d", admitted=True, snapshot="1", remote=True)) == ALLOW
    assert control.inspect(crossing(call, route="d", admitted=True, remote=False)) == ALLOW
    unpinned = control.inspect(crossing(call, route="d", admitted=True, snapshot="", remote=True))
    assert unpinned.action is Action.ANNOTATE
    for context in ({}, {"admitted": False}, {"admitted": "yes"}, {"admitted": 1}, {"route": 5}):
        assert control.inspect(crossing(call, **context)).action is Action.BLOCK
    admission = CrossingKind.MODEL_ADMISSION
    failed = control.inspect(crossing(admission, artifact="m", checks={"reason": "The hash differs."}))
    assert failed.action is Action.BLOCK and "The hash differs." in failed.findings[0].message
    assert control.inspect(crossing(admission, artifact="m", admitted=True)) == ALLOW
    strict = CONTROL.build(AdmissionSettings(require_snapshot=True), Services())
    assert strict.inspect(crossing(call, admitted=True, snapshot="", remote=True)).action is Action.BLOCK
