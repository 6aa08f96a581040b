"""Appending, reading, erasing, failing."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ringwall.core import DataError
from ringwall.ledger import Entry, Ledger, verify, verify_proof

Make = Callable[..., dict[str, Any]]


async def test_append_find_latest(ledger: Ledger, event: Make) -> None:
    entries = await asyncio.gather(*(ledger.append(event(i), {"text": f"said {i}"}) for i in range(300)))
    assert sorted(entry.index for entry in entries) == list(range(300))
    record = ledger.find("dec_0007")
    assert record and record.event == event(7) and record.body == {"text": "said 7"} and not record.erased
    assert record.leaf_hash == entries[7].leaf_hash
    assert ledger.find("dec_9999") is None and ledger.find("\ud800") is None
    assert [r.index for r in ledger.latest(3)] == [299, 298, 297]
    assert [r.index for r in ledger.latest(2, before=297)] == [296, 295]
    blocked = ledger.latest(500, match={"action": "block", "session": "ses_0"})
    assert blocked and all(r.event["action"] == "block" and r.event["session"] == "ses_0" for r in blocked)
    assert len(blocked) == sum(1 for i in range(300) if i % 4 == 0 and i % 5 == 0)
    assert ledger.latest(type="erasure") == []
    with pytest.raises(ValueError, match="no index on tenant"):
        ledger.latest(match={"tenant": "x"})


def test_id_and_time_are_added(ledger: Ledger) -> None:
    entry = ledger.append_now({"type": "started"})
    record = ledger.find(entry.id)
    assert record and entry.id.startswith("evt_") and record.event["at"] > 1_700_000_000_000_000
    assert record.body is None and not record.erased


def test_events_are_taken_as_they_were(ledger: Ledger, event: Make) -> None:
    mutable = event(1)
    entry = ledger.append_now(mutable, {"a": 1})
    mutable["action"] = "changed"
    assert ledger.at(entry.index).event["action"] == "allow"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["\ud800 lone", "\x00\x01", "😀" * 1000, '"}],', "\u2028"])
def test_hostile_bodies_come_back_as_they_were(ledger: Ledger, event: Make, text: str) -> None:
    ledger.append_now(event(1), {"text": text, "score": 0.5, "classes": frozenset({"b", "a"})})
    assert ledger.find("dec_0001").body == {"text": text, "score": 0.5, "classes": ["a", "b"]}  # type: ignore[union-attr]


async def test_a_refused_event_leaves_nothing(ledger: Ledger, event: Make) -> None:
    with pytest.raises(DataError, match="float"):
        await ledger.append(event(1, score=0.5))
    with pytest.raises(DataError, match="JSON"):
        await ledger.append(event(1), {"x": object()})
    assert ledger.size() == 0


def test_closed(data_dir: Path, event: Make) -> None:
    ledger = Ledger.open(data_dir)
    ledger.append_now(event(1))
    before = threading.active_count()
    ledger.close()
    ledger.close()
    assert threading.active_count() == before - 2
    for attempt in (lambda: ledger.append_now(event(2)), ledger.checkpoint, ledger.size, ledger.latest):
        with pytest.raises(DataError, match="closed"):
            attempt()
    with closing(Ledger.open(data_dir)) as again:
        assert again.size() == 1
    assert verify(data_dir).signed == 1


async def test_a_cancelled_append_hurts_nobody(ledger: Ledger, event: Make) -> None:
    tasks = [asyncio.create_task(ledger.append(event(i))) for i in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Entry) for result in results[1::2])
    assert verify(ledger_path(ledger)).ok


def ledger_path(ledger: Ledger) -> Path:
    ledger.checkpoint()
    return ledger._path


def test_many_threads_and_handles_append_to_one_tree(data_dir: Path, event: Make) -> None:
    """Two handles stand for two processes: neither knows what the other has written."""
    with closing(Ledger.open(data_dir)) as one, closing(Ledger.open(data_dir)) as two:
        got: list[int] = []

        def work(handle: Ledger, base: int) -> None:
            got.extend(handle.append_now(event(base + i), {"i": i}).index for i in range(40))

        threads = [threading.Thread(target=work, args=((one, two)[k % 2], k * 100)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == list(range(160))
        assert one.size() == two.size() == 160
    report = verify(data_dir)
    assert report.ok and report.size == report.signed == 160


async def test_a_locked_file_fails_the_waiting_and_the_next_succeeds(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger:
        await ledger.append(event(0))
        assert ledger._writing
        ledger._writing.execute("PRAGMA busy_timeout=20")
        with closing(sqlite3.connect(data_dir / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            results = await asyncio.gather(*(ledger.append(event(i)) for i in (1, 2)), return_exceptions=True)
            assert all(isinstance(r, DataError) and "locked" in str(r) for r in results)
            other.execute("ROLLBACK")
        assert (await ledger.append(event(3))).index == 1
    assert verify(data_dir).ok


async def test_a_full_disk_fails_the_waiting_and_the_next_succeeds(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger:
        await ledger.append(event(0))
        assert ledger._writing and ledger._quick
        pages = ledger._writing.execute("PRAGMA page_count").fetchone()[0]
        for connection in (ledger._writing, ledger._quick):
            connection.execute(f"PRAGMA max_page_count={pages}")
        big = {"text": "x" * 100_000}
        results = await asyncio.gather(
            *(ledger.append(event(i), big) for i in (1, 2)), return_exceptions=True
        )
        assert all(isinstance(r, DataError) and "full" in str(r) for r in results)
        assert ledger.size() == 1
        for connection in (ledger._writing, ledger._quick):
            connection.execute("PRAGMA max_page_count=1000000")
        assert (await ledger.append(event(3), big)).index == 1
    assert verify(data_dir).ok


async def test_one_iteration_of_a_loop_is_one_commit(ledger: Ledger, event: Make) -> None:
    await ledger.append(event(0))
    batches: list[int] = []
    ledger._work[1].wrote = batches.append  # type: ignore[index, method-assign]
    ledger._work[0]._wrote = batches.append  # type: ignore[index]
    await asyncio.gather(*(ledger.append(event(i)) for i in range(1, 40)))
    assert len(batches) == 1


async def test_a_taken_file_does_not_stop_the_loop(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger:
        await ledger.append(event(0))
        other = sqlite3.connect(data_dir / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(ledger.append(event(1)))
        turns = 0
        for _ in range(50):  # the loop goes on, and the append waits
            await asyncio.sleep(0.002)
            turns += 1
            assert not waiting.done()
        other.execute("ROLLBACK")
        other.close()
        assert ((await waiting).index, turns) == (1, 50)
    assert verify(data_dir).ok


async def test_closing_answers_what_a_loop_has_gathered(data_dir: Path, event: Make) -> None:
    ledger = Ledger.open(data_dir)
    await ledger.append(event(0))
    promises = [ledger.begin(event(i)) for i in range(1, 20)]
    await asyncio.to_thread(ledger.close)
    assert sorted(entry.index for entry in await asyncio.gather(*promises)) == list(range(1, 20))
    assert verify(data_dir).size == 20


def test_a_loop_that_ends_loses_nothing_acknowledged(data_dir: Path, event: Make) -> None:
    async def begin(ledger: Ledger) -> None:
        ledger.begin(event(1))  # nobody waits, and the loop ends at once

    with closing(Ledger.open(data_dir)) as ledger:
        ledger.append_now(event(0))
        asyncio.run(begin(ledger))
        ledger.append_now(event(2))
    assert verify(data_dir).size == 3


def test_threads_and_loops_append_side_by_side(data_dir: Path, event: Make) -> None:
    async def loop(ledger: Ledger, first: int) -> None:
        for start in range(first, first + 100, 10):
            await asyncio.gather(*(ledger.append(event(i), {"n": i}) for i in range(start, start + 10)))

    with closing(Ledger.open(data_dir)) as ledger:
        work = [threading.Thread(target=asyncio.run, args=(loop(ledger, n * 1000),)) for n in range(3)]
        work.append(threading.Thread(target=lambda: [ledger.append_now(event(9000 + i)) for i in range(60)]))
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        assert ledger.size() == 360
    assert verify(data_dir).ok


def test_erasure_takes_the_text_and_leaves_the_proof(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger, closing(Ledger.open(data_dir)) as other:
        for i in range(6):
            ledger.append_now(event(i), {"text": f"secret {i}"})
        assert other.find("dec_0001").body == {"text": "secret 1"}  # type: ignore[union-attr]
        proof = ledger.prove(1)
        ledger.erase("person-1")
        for handle in (ledger, other):
            gone, kept = handle.find("dec_0001"), handle.find("dec_0002")
            assert gone and gone.body is None and gone.erased and gone.event == event(1)
            assert kept and kept.body == {"text": "secret 2"}
        verify_proof(proof, ledger.vkey)
        verify_proof(other.prove(1), ledger.vkey)
        assert ledger.latest(type="erasure")[0].event["subject"] == "person-1"
        other.append_now(event(7, subject="person-1"), {"text": "later"})
        assert ledger.find("dec_0007").body == {"text": "later"}  # type: ignore[union-attr]
    assert verify(data_dir).ok


def test_proofs_of_every_record(ledger: Ledger, event: Make) -> None:
    for i in range(9):
        ledger.append_now(event(i), {"i": i} if i % 2 else None)
    for i in range(9):
        proof = ledger.prove(i)
        verify_proof(proof, ledger.vkey)
        proof["event"]["action"] = "forged"
        with pytest.raises(DataError, match="changed"):
            verify_proof(proof, ledger.vkey)
    for index in (-1, 9):
        with pytest.raises(DataError, match="no record"):
            ledger.prove(index)
    with pytest.raises(DataError):
        verify_proof({"index": 1})


def test_a_ledger_cut_behind_a_checkpoint_does_not_open(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger:
        for i in range(5):
            ledger.append_now(event(i))
    with closing(sqlite3.connect(data_dir / "ledger.db")) as database, database:
        database.execute("DELETE FROM entries WHERE idx = 4")
    with pytest.raises(DataError, match="ledger verify"):
        Ledger.open(data_dir)


def test_another_master_key_is_told_apart(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger.open(data_dir).close()
    monkeypatch.setenv("RINGWALL_MASTER_KEY", "00" * 32)
    with pytest.raises(DataError, match="another master key"):
        Ledger.open(data_dir)


async def test_watch_sees_own_and_foreign_records(data_dir: Path, event: Make) -> None:
    with closing(Ledger.open(data_dir)) as ledger, closing(Ledger.open(data_dir)) as other:
        ledger.append_now(event(0))
        seen: list[str] = []

        async def follow() -> None:
            async for record in ledger.watch(match={"kind": "request"}, poll_s=0.01):
                seen.append(record.event["id"])
                if len(seen) == 3:
                    return

        task = asyncio.create_task(follow())
        await asyncio.sleep(0)
        await ledger.append(event(1))
        await ledger.append(event(2, kind="response"))
        await asyncio.to_thread(other.append_now, event(3))
        await ledger.append(event(4))
        await asyncio.wait_for(task, 10)
        assert seen == ["dec_0001", "dec_0003", "dec_0004"]


def test_listeners_hear_commits_and_may_fail(ledger: Ledger, event: Make) -> None:
    heard: list[int] = []

    def bad(_entry: Entry, _event: Any) -> None:
        raise RuntimeError("listener")

    ledger.listen(bad)
    stop = ledger.listen(lambda entry, _event: heard.append(entry.index))
    ledger.append_now(event(0))
    ledger.append_now(event(1))
    ledger.checkpoint()
    stop()
    ledger.append_now(event(2))
    ledger.checkpoint()
    assert heard == [0, 1]


def test_the_files_are_private(data_dir: Path, ledger: Ledger, event: Make) -> None:
    ledger.append_now(event(0), {"text": "in the clear?"})
    for path in data_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
        assert b"in the clear?" not in path.read_bytes() if path.suffix != ".db" else True


def test_the_log_reaches_the_disk_without_being_asked(
    data_dir: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringwall.ledger import flusher

    synced = threading.Event()
    monkeypatch.setattr(flusher, "_sync_data", lambda _descriptor: synced.set())
    with closing(Ledger.open(data_dir)) as ledger:
        for i in range(3):
            ledger.append_now(event(i))
            assert synced.wait(10)
            synced.clear()


def test_a_sync_that_fails_is_tried_again(
    data_dir: Path, event: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ringwall.ledger import flusher

    attempts: list[int] = []
    again = threading.Event()

    def sync(_descriptor: int) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("I/O error")
        again.set()

    monkeypatch.setattr(flusher, "_sync_data", sync)
    with closing(Ledger.open(data_dir)) as ledger:
        ledger.append_now(event(0))
        assert again.wait(10)
    assert "tried again" in caplog.text


def test_checkpoints_are_signed_at_intervals(
    data_dir: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringwall.ledger import flusher

    monkeypatch.setattr(flusher, "_SIGN_AFTER_S", 0.0)
    with closing(Ledger.open(data_dir)) as ledger:
        signed = threading.Event()
        assert ledger._started()
        writer, flush = ledger._started()
        flush._sign = lambda: (writer.call(writer.checkpoint), signed.set())
        ledger.append_now(event(0))
        assert signed.wait(10)
        report = verify(data_dir)
        assert report.ok and report.signed == 1


def test_many_small_writes_do_not_let_the_log_grow_for_ever(
    data_dir: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringwall.ledger import flusher

    monkeypatch.setattr(flusher, "_MOVE_AFTER_BYTES", 50_000)
    monkeypatch.setattr(flusher, "_LONG_LOG_PAGES", 200)
    monkeypatch.setattr(flusher, "_SYNC_EVERY_S", 0.0)
    body = {"text": "x" * 20_000}
    with closing(Ledger.open(data_dir)) as ledger:
        largest = written = 0
        while written < 400 or written * 20_000 < 3 * largest:  # the log keeps its size where it began anew
            assert written < 20_000, f"{written} writes, and the log was never moved"
            ledger.append_now(event(written), body)
            written += 1
            largest = max(largest, (data_dir / "ledger.db-wal").stat().st_size)
    assert (data_dir / "ledger.db").stat().st_size > 6_000_000
