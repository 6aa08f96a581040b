"""Who lifts a hold, amendments, waiting across processes, and what a killed process leaves behind."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.hold import Approver, Hold, HoldEvent, HoldState, Why, call_hash
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.core import DataError, Principal
from ringwall.storage.database import Database

RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})
CASEY = Principal("casey", "brightlamp", frozenset({"agent"}), credential="key_1")
MORGAN = Principal("morgan", "brightlamp", frozenset({"manager"}), credential="key_2")
CALL: tuple[str, dict[str, Any]] = ("refund", {"to": "1001", "amount": 5})
OWN = Why("why", Approver.REQUESTER)


@pytest.fixture
def holds(database: Database) -> Holds:
    return Holds(database, RIGHTS, expire_s=60)


def test_whoever_asked_confirms_where_the_policy_says_so(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, OWN)
    assert holds.approve(hold.id, CASEY).decided_by == "brightlamp/casey"
    assert holds.take("s1", CASEY, *CALL) is not None


def test_others_may_lift_such_a_hold_by_right_alone(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, OWN)
    with pytest.raises(DataError, match="None of your roles"):
        holds.approve(hold.id, Principal("kim", "brightlamp", credential="k"))
    with pytest.raises(DataError, match="tenant"):
        holds.approve(hold.id, Principal("casey", "other", credential="k"))
    assert holds.approve(hold.id, MORGAN).state is HoldState.APPROVED


def test_a_service_decides_for_nobody(holds: Holds) -> None:
    service = Principal("bot", "brightlamp", credential="key_b")
    hold = holds.request("s1", CASEY, *CALL, OWN)
    for person in (CASEY, MORGAN):
        acted = Principal(person.subject, person.tenant, person.roles, credential="k", actor=service)
        with pytest.raises(DataError, match="service"):
            holds.approve(hold.id, acted)


def test_an_amended_call_is_granted_and_the_one_as_made_is_not(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    less = {"to": "1001", "amount": 3}
    amended = holds.amend(hold.id, MORGAN, '{"amount": 3, "to": "1001"}')
    assert amended.granted_arguments == less
    assert amended.amended_call == call_hash("refund", less)
    assert amended.arguments == CALL[1]
    for arguments in (CALL[1], less):  # asked as before, or as changed: the same approval waits
        granted = holds.granted("s1", CASEY, "refund", arguments)
        assert granted is not None
        assert granted.granted_arguments == less
    assert holds.take("s1", CASEY, *CALL) is None
    assert holds.take("s2", CASEY, "refund", less) is None
    assert holds.take("s1", CASEY, "refund", less) is not None
    assert holds.take("s1", CASEY, "refund", less) is None


def test_an_amendment_that_changes_nothing_is_an_approval(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    assert holds.amend(hold.id, MORGAN, '{"amount": 5, "to": "1001"}').amended is None
    assert holds.take("s1", CASEY, *CALL) is not None


@pytest.mark.parametrize(
    "text", ["", '{"to": 1, "to": 2}', "[]", '{"to": NaN}', "{", "{" * 99, '{"to": "\\ud800"}']
)
def test_amended_arguments_are_read_strictly(holds: Holds, text: str) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    with pytest.raises(DataError, match="can't be amended"):
        holds.amend(hold.id, MORGAN, text)
    assert holds.get(hold.id).state is HoldState.PENDING


def test_who_may_not_decide_may_not_amend(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    with pytest.raises(DataError, match="their own"):
        holds.amend(hold.id, CASEY, "{}")


def test_tampered_amendments_are_not_called(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    holds.amend(hold.id, MORGAN, '{"amount": 3, "to": "1001"}')
    database.write("UPDATE holds SET amended = ?", b'{"amount":900,"to":"666"}')
    assert holds.get(hold.id).granted_arguments is None
    assert holds.take("s1", CASEY, "refund", {"amount": 900, "to": "666"}) is None


def test_a_change_that_can_not_be_recorded_has_not_happened(database: Database) -> None:
    told: list[tuple[HoldEvent, str, str]] = []
    broken = [False]

    def journal(event: HoldEvent, hold: Hold, subject: str, tenant: str) -> None:
        if broken[0]:
            raise DataError("The ledger is closed.")
        told.append((event, hold.state, f"{tenant}/{subject}"))

    holds = Holds(database, RIGHTS, journal=journal)
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    broken[0] = True
    for change in (
        lambda: holds.approve(hold.id, MORGAN),
        lambda: holds.amend(hold.id, MORGAN, "{}"),
        lambda: holds.request("s2", CASEY, *CALL, Why("why")),
    ):
        with pytest.raises(DataError, match="ledger"):
            change()
    assert [one.state for one in holds.list()] == [HoldState.PENDING]
    broken[0] = False
    holds.approve(hold.id, MORGAN)
    broken[0] = True
    with pytest.raises(DataError, match="ledger"):
        holds.take("s1", CASEY, *CALL)
    broken[0] = False
    assert holds.take("s1", CASEY, *CALL) is not None
    assert told == [
        (HoldEvent.REQUESTED, "pending", "brightlamp/casey"),
        (HoldEvent.APPROVED, "approved", "brightlamp/morgan"),
        (HoldEvent.USED, "used", "brightlamp/casey"),
    ]


def test_expiry_and_lost_races_are_told_once(database: Database) -> None:
    told: list[HoldEvent] = []
    now = [1_000.0]
    holds = Holds(
        database, RIGHTS, expire_s=60, journal=lambda event, *_: told.append(event), clock=lambda: now[0]
    )
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    holds.refuse(hold.id, MORGAN)
    with pytest.raises(DataError, match="already"):
        holds.approve(hold.id, MORGAN)
    assert holds.refused("s1", CASEY, *CALL) is not None
    holds.request("s1", CASEY, *CALL, Why("why"))
    now[0] += 61
    holds.expire()
    holds.expire()
    assert told == [HoldEvent.REQUESTED, HoldEvent.REFUSED, HoldEvent.REQUESTED, HoldEvent.EXPIRED]
    assert holds.refused("s1", CASEY, *CALL) is None


def test_what_one_sees(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    mail = holds.request("s1", CASEY, "mail", {}, Why("why"))
    assert [one.id for one in holds.visible(CASEY)] == [mail.id, hold.id]
    assert [one.id for one in holds.visible(MORGAN)] == [hold.id]
    for stranger in (Principal("casey", "other", credential="k"), Principal("casey", "brightlamp")):
        assert list(holds.visible(stranger)) == []
        assert not holds.may_see(hold, stranger)
    holds.refuse(hold.id, MORGAN)
    assert list(holds.visible(MORGAN)) == []
    assert [one.id for one in holds.visible(MORGAN, pending=False)] == [hold.id]


def _approve(path: Path, hold: str) -> None:
    Holds(Database(path), RIGHTS).approve(hold, MORGAN)


def test_many_wait_for_what_another_process_decides(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    other = multiprocessing.get_context("spawn").Process(target=_approve, args=(database.path, hold.id))

    async def wait() -> list[Hold]:
        waiters = [asyncio.ensure_future(holds.settled(hold.id, 30)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(other.start)
        return await asyncio.gather(*waiters)

    assert {one.state for one in asyncio.run(wait())} == {HoldState.APPROVED}
    other.join(20)


def test_waiting_ends_when_the_time_is_over(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    assert asyncio.run(holds.settled(hold.id, 0)).state is HoldState.PENDING
    assert asyncio.run(holds.settled(hold.id, 0.05)).state is HoldState.PENDING
    short = Holds(database, RIGHTS, expire_s=1)
    ending = short.request("s2", CASEY, *CALL, Why("why"))
    assert asyncio.run(short.settled(ending.id, 30)).state is HoldState.EXPIRED
    with pytest.raises(DataError, match="no hold"):
        asyncio.run(holds.settled("hold_nope", 1))


def _decide(path: Path, hold: str, ready: Any, go: Event, won: Any) -> None:
    holds = Holds(Database(path), RIGHTS)
    ready.put(os.getpid())
    go.wait(30)
    try:
        won.put(holds.amend(hold, MORGAN, f'{{"amount": {os.getpid()}}}').amended)
    except DataError:
        won.put(None)


def test_of_several_who_decide_at_once_one_wins(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    context = multiprocessing.get_context("spawn")
    ready, won, go = context.Queue(), context.Queue(), context.Event()
    people = [
        context.Process(target=_decide, args=(database.path, hold.id, ready, go, won)) for _ in range(3)
    ]
    for one in people:
        one.start()
    for _ in people:
        ready.get(timeout=60)
    go.set()
    results = [won.get(timeout=60) for _ in people]
    for one in people:
        one.join(20)
    (winner,) = [result for result in results if result is not None]
    assert holds.get(hold.id).amended == winner


def _approve_and_hang(path: Path, hold: str, approved: Event) -> None:
    Holds(Database(path), RIGHTS).approve(hold, MORGAN)
    approved.set()
    time.sleep(60)


def _take_and_hang(path: Path, taken: Event) -> None:
    assert Holds(Database(path), RIGHTS).take("s1", CASEY, *CALL) is not None
    taken.set()
    time.sleep(60)


def _journal_and_hang(path: Path, hold: str, inside: Event) -> None:
    def journal(event: HoldEvent, *_: Any) -> None:
        inside.set()
        time.sleep(60)

    Holds(Database(path), RIGHTS, journal=journal).approve(hold, MORGAN)


def _killed(target: Any, *args: Any) -> None:
    """Run it until it says so, and kill it there."""
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    one = context.Process(target=target, args=(*args, reached))
    one.start()
    assert reached.wait(30)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)
    one.join(20)


def test_killed_between_approval_and_use_it_is_used_once(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    _killed(_approve_and_hang, database.path, hold.id)
    assert holds.granted("s1", CASEY, *CALL)
    _killed(_take_and_hang, database.path)
    assert holds.take("s1", CASEY, *CALL) is None, "used, though whoever used it is dead"
    assert holds.get(hold.id).state is HoldState.USED


def test_killed_in_the_middle_of_an_approval_it_was_not_given(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    _killed(_journal_and_hang, database.path, hold.id)
    assert holds.get(hold.id).state is HoldState.PENDING
    holds.approve(hold.id, MORGAN)


def test_threads_that_take_get_it_once(holds: Holds) -> None:
    holds.approve(holds.request("s1", CASEY, *CALL, Why("why")).id, MORGAN)
    got: list[Hold | None] = []
    threads = [threading.Thread(target=lambda: got.append(holds.take("s1", CASEY, *CALL))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len([hold for hold in got if hold]) == 1
