"""Whatever is changed in a ledger or a bundle is found, and found where it is."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ringwall.core import DataError
from ringwall.ledger import Ledger, Report, verify
from ringwall.ledger.checkpoint import Checkpoint, Signer, Verifier

Make = Callable[..., dict[str, Any]]
SIZE = 21


@pytest.fixture
def filled(data_dir: Path, event: Make) -> Path:
    """21 records, checkpoints at 8, 16 and 21."""
    with closing(Ledger.open(data_dir)) as ledger:
        for i in range(SIZE):
            ledger.append_now(event(i), {"text": f"said {i}"} if i % 3 else None)
            if i in (7, 15):
                ledger.checkpoint()
        ledger.export(data_dir / "export.bundle")
    return data_dir


@pytest.fixture
def vkey(filled: Path) -> str:
    with closing(Ledger.open(filled)) as ledger:
        return ledger.vkey


def change(data_dir: Path, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(data_dir / "ledger.db", isolation_level=None)) as database:
        database.execute(sql, values)


def flip(raw: bytes, at: int, bit: int = 1) -> bytes:
    return raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]


def indices(report: Report) -> set[int | None]:
    assert not report.ok
    return {damage.index for damage in report.damages}


def test_a_sound_ledger_and_its_bundle(filled: Path, vkey: str) -> None:
    for path in (filled, filled / "ledger.db", filled / "export.bundle"):
        for given in (vkey, None):
            report = verify(path, given)
            assert report.ok and not report.damages, [str(d) for d in report.damages]
            assert (report.size, report.signed, report.checkpoints) == (SIZE, SIZE, 3)
            assert report.key_from == ("given" if given else "file") and report.vkey == vkey
            assert ("not who wrote it" in report.trust) == (given is None)
    assert verify(filled).root == verify(filled / "export.bundle").root


def test_an_open_ledger_can_be_verified(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger:
        assert verify(data_dir).ok
        for i in range(5):
            ledger.append_now(event(i))
        report = verify(data_dir)
        assert report.ok and report.size == 5 and report.signed == 0
        ledger.append_now(event(6))
    assert verify(data_dir).signed == 6


@pytest.mark.parametrize("field", ["event", "body", "hashes"])
@pytest.mark.parametrize("index", [1, 7, 16, 20])
def test_each_byte_of_a_record(filled: Path, vkey: str, field: str, index: int) -> None:
    with closing(sqlite3.connect(filled / "ledger.db", isolation_level=None)) as database:
        (raw,) = database.execute(f"SELECT {field} FROM entries WHERE idx = ?", (index,)).fetchone()
        for at in range(0, len(raw), max(1, len(raw) // 24)):
            database.execute(f"UPDATE entries SET {field} = ? WHERE idx = ?", (flip(raw, at), index))
            assert indices(verify(filled, vkey)) == {index}, at
        database.execute(f"UPDATE entries SET {field} = ? WHERE idx = ?", (raw[:-1], index))
        assert index in indices(verify(filled, vkey))
        database.execute(f"UPDATE entries SET {field} = ? WHERE idx = ?", (raw, index))
    assert verify(filled, vkey).ok


@pytest.mark.parametrize(
    "name", ["id", "type", "application", "subject", "session", "kind", "boundary", "action"]
)
def test_search_columns(filled: Path, vkey: str, name: str) -> None:
    change(filled, f"UPDATE entries SET {name} = 'x' WHERE idx = 5")
    report = verify(filled, vkey)
    assert indices(report) == {5} and report.damages[0].what == "column" and name in report.damages[0].message


@pytest.mark.parametrize("value", [None, 7, "text", 1.5])
def test_columns_of_other_types(filled: Path, vkey: str, value: Any) -> None:
    for field in ("event", "hashes") if value is None else ("event", "hashes", "body"):
        with closing(sqlite3.connect(filled / "ledger.db", isolation_level=None)) as database:
            database.execute("PRAGMA ignore_check_constraints=ON")
            if value is None:
                value = b""
            (raw,) = database.execute(f"SELECT {field} FROM entries WHERE idx = 4").fetchone()
            database.execute(f"UPDATE entries SET {field} = ? WHERE idx = 4", (value,))
        assert 4 in indices(verify(filled, vkey))
        change(filled, f"UPDATE entries SET {field} = ? WHERE idx = 4", raw)


def test_each_byte_of_a_checkpoint(filled: Path, vkey: str) -> None:
    with closing(sqlite3.connect(filled / "ledger.db", isolation_level=None)) as database:
        (note,) = database.execute("SELECT note FROM checkpoints WHERE size = 16").fetchone()
        raw = note.encode()
        for at in range(len(raw)):
            text = flip(raw, at).decode("utf-8", "replace")
            database.execute("UPDATE checkpoints SET note = ? WHERE size = 16", (text,))
            report = verify(filled, vkey)
            assert [d.what for d in report.damages] == ["checkpoint"] and "16" in report.damages[0].message, (
                at
            )
        database.execute("UPDATE checkpoints SET note = ?, size = 15 WHERE size = 16", (note,))
        assert verify(filled, vkey).damages[0].what == "checkpoint"


@pytest.mark.parametrize("index", [0, 3, 8, 20])
def test_a_deleted_record(filled: Path, vkey: str, index: int) -> None:
    change(filled, "DELETE FROM entries WHERE idx = ?", index)
    report = verify(filled, vkey)
    assert indices(report) == {index} and "missing" in report.damages[0].message


def test_a_cut_end(filled: Path, vkey: str) -> None:
    change(filled, "DELETE FROM entries WHERE idx >= 17")
    assert indices(verify(filled, vkey)) == {17}
    change(filled, "DELETE FROM entries")
    assert indices(verify(filled, vkey)) == {0}


def test_swapped_records(filled: Path, vkey: str) -> None:
    change(filled, "UPDATE entries SET idx = -1 WHERE idx = 4")
    change(filled, "UPDATE entries SET idx = 4 WHERE idx = 6")
    change(filled, "UPDATE entries SET idx = 6 WHERE idx = -1")
    assert indices(verify(filled, vkey)) & {5, 7}  # where the hashes over them are stored


def test_a_ledger_rewritten_with_all_its_hashes(filled: Path, vkey: str, event: Make) -> None:
    """Somebody with write access, but without the signing key, builds a whole new tree."""
    from ringwall.ledger.merkle import Frontier
    from ringwall.ledger.record import leaf_of

    with closing(sqlite3.connect(filled / "ledger.db", isolation_level=None)) as database:
        database.execute(
            "UPDATE entries SET event = replace(event, 'block', 'allow'), action = 'allow' WHERE idx = 12"
        )
        database.execute("UPDATE entries SET event = CAST(event AS BLOB) WHERE idx = 12")
        tree = Frontier()
        for index, data, body in database.execute(
            "SELECT idx, event, body FROM entries ORDER BY idx"
        ).fetchall():
            hashes = b"".join(tree.append(leaf_of(data, body)))
            database.execute("UPDATE entries SET hashes = ? WHERE idx = ?", (hashes, index))
    report = verify(filled, vkey)
    assert not report.ok and report.signed == 8
    assert "at least one of 8 to 15" in report.damages[0].message


def test_a_ledger_signed_with_another_key(filled: Path, vkey: str) -> None:
    forger = Signer("ringwall.ledger/0000000000000000", b"f" * 32)
    root = verify(filled).root
    change(filled, "DELETE FROM checkpoints")
    change(filled, "INSERT INTO checkpoints VALUES (?, ?)", SIZE, forger.sign(SIZE, root))
    change(filled, "UPDATE meta SET value = ?", forger.verifier.vkey)
    assert verify(filled).ok and verify(filled).key_from == "file"
    report = verify(filled, vkey)
    assert {d.what for d in report.damages} == {"vkey", "checkpoint"}


def test_every_byte_of_a_bundle(filled: Path, vkey: str, tmp_path: Path) -> None:
    raw = (filled / "export.bundle").read_bytes()
    line_of = [raw[:at].count(b"\n") for at in range(len(raw))]
    altered = tmp_path / "altered"
    for at in range(0, len(raw), 13):
        for bit in (1, 0x20):
            altered.write_bytes(flip(raw, at, bit))
            for given in (vkey, None):
                report = verify(altered, given)
                assert not report.ok, (at, raw[max(0, at - 20) : at + 20])
            record = line_of[at] - 1
            if 0 <= record < SIZE and raw[at : at + 1] != b"\n":
                assert record in indices(report), (at, [str(d) for d in report.damages])


def test_lines_of_a_bundle_removed_doubled_exchanged_or_added(
    filled: Path, vkey: str, tmp_path: Path
) -> None:
    lines = (filled / "export.bundle").read_bytes().splitlines(keepends=True)
    altered = tmp_path / "altered"
    for at in range(len(lines)):
        variants = [
            [*lines[:at], *lines[at + 1 :]],
            [*lines[:at], lines[at], *lines[at:]],
            [*lines[:at], b'{"new":1}\n', *lines[at:]],
            lines[:at],
        ]
        if at + 1 < len(lines):
            variants.append([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
        for number, variant in enumerate(variants):
            content = b"".join(variant)
            checkpoint = lines[at].startswith(b'{"checkpoint"')
            if number == 1 and checkpoint:
                continue  # a checkpoint said twice says the same
            if number in (0, 4) and checkpoint and lines[at + 1].startswith(b'{"checkpoint"'):
                continue  # an earlier checkpoint may be left out: the last one covers it
            altered.write_bytes(content)
            assert not verify(altered, vkey).ok, (at, number)


def test_a_damaged_database_file_is_reported_and_never_crashes(
    filled: Path, vkey: str, tmp_path: Path
) -> None:
    raw = (filled / "ledger.db").read_bytes()
    altered = tmp_path / "altered.db"
    for at in [*range(0, 100, 3), *range(100, len(raw), 397)]:
        altered.write_bytes(raw[:at] + bytes(b ^ 0xFF for b in raw[at : at + 64]) + raw[at + 64 :])
        verify(altered, vkey)  # unused space may change without meaning; no crash in any case
    for content in (
        b"",
        raw[:50],
        raw[: len(raw) // 2],
        b"x" * 5000,
        raw[:4096] + b"\xff" * (len(raw) - 4096),
    ):
        altered.write_bytes(content)
        report = verify(altered, vkey)
        assert not report.ok and report.damages


def test_wrong_arguments(tmp_path: Path, filled: Path) -> None:
    with pytest.raises(DataError, match="no ledger or bundle"):
        verify(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a verifier key"):
        verify(filled, "nonsense")


def test_checkpoint_form_is_that_of_the_specification() -> None:
    signer = Signer("ringwall.ledger/0123456789abcdef", b"s" * 32)
    note = signer.sign(3, b"r" * 32)
    assert note.split("\n")[1] == "3" and note.startswith("ringwall.ledger/0123456789abcdef\n")
    assert note.split("\n\n")[1].startswith("\u2014 ringwall.ledger/0123456789abcdef ") and note.endswith(
        "\n"
    )
    verifier = Verifier.parse(signer.verifier.vkey)
    assert verifier.check(note) == Checkpoint.parse(note)
    for altered in (
        note[:-1],
        note.replace("\n3\n", "\n03\n"),
        note.replace("\n3\n", "\n4\n"),
        "",
        "\n\n",
        note + "x\n",
    ):
        with pytest.raises(DataError):
            verifier.check(altered)
    for vkey in ("", "a+b", signer.verifier.vkey[:-2], signer.verifier.vkey.replace("+", "+0", 1)):
        with pytest.raises(DataError):
            Verifier.parse(vkey)
