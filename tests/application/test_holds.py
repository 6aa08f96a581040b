"""Approvals: bound to the exact call, used once, by nobody's own hand, across processes and restarts."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.hold import HoldState, Why
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.core import DataError, Principal
from ringwall.storage.database import Database

RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})
CASEY = Principal("casey", "brightlamp", frozenset({"agent"}), credential="key_1")
MORGAN = Principal("morgan", "brightlamp", frozenset({"manager"}), credential="key_2")
CALL: tuple[str, dict[str, Any]] = ("refund", {"to": "1001", "amount": 5})


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def holds(database: Database, clock: Clock) -> Holds:
    return Holds(database, RIGHTS, expire_s=60, clock=clock)


def test_an_approval_is_used_once(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("Money needs a person.", turn="turn_1"))
    assert hold.id.startswith("hold_")
    assert hold.arguments == CALL[1]
    assert holds.pending() == [hold]
    assert holds.take("s1", CASEY, *CALL) is None, "not approved yet"
    approved = holds.approve(hold.id, MORGAN)
    assert (approved.state, approved.decided_by) == (HoldState.APPROVED, "brightlamp/morgan")
    assert holds.pending() == []
    assert holds.granted("s1", CASEY, *CALL)
    taken = holds.take("s1", CASEY, *CALL)
    assert taken is not None
    assert taken.state is HoldState.USED
    assert holds.take("s1", CASEY, *CALL) is None
    assert not holds.granted("s1", CASEY, *CALL)


@pytest.mark.parametrize(
    ("session", "by", "call"),
    [
        ("s2", CASEY, CALL),
        ("s1", Principal("kim", "brightlamp", credential="k"), CALL),
        ("s1", Principal("casey", "other", credential="k"), CALL),
        ("s1", CASEY, ("refund", {"to": "1001", "amount": 5.01})),
        ("s1", CASEY, ("refund", {"to": "1001", "amount": "5"})),
        ("s1", CASEY, ("refund", {"to": "1001", "amount": 5, "currency": "EUR"})),
        ("s1", CASEY, ("refund", {"to": ["1001"], "amount": 5})),
        ("s1", CASEY, ("send_email", CALL[1])),
    ],
)
def test_an_approval_is_for_this_call_of_this_person_in_this_session(
    holds: Holds, session: str, by: Principal, call: tuple[str, dict[str, Any]]
) -> None:
    holds.approve(holds.request("s1", CASEY, *CALL, Why("why")).id, MORGAN)
    assert not holds.granted(session, by, *call)
    assert holds.take(session, by, *call) is None
    assert holds.granted("s1", CASEY, "refund", {"amount": 5, "to": "1001"}), "the order of keys says nothing"


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (CASEY, "their own"),
        (Principal("casey", "brightlamp", frozenset({"manager"}), credential="k9"), "their own"),
        (Principal("kim", "brightlamp", frozenset({"agent"}), credential="k"), "None of your roles"),
        (Principal("kim", "other", frozenset({"manager"}), credential="k"), "tenant"),
        (Principal("kim", "brightlamp", frozenset({"manager"})), "Sign in"),
    ],
)
def test_who_may_not_decide_changes_nothing(holds: Holds, by: Principal, says: str) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    for decide in (holds.approve, holds.refuse):
        with pytest.raises(DataError, match=says):
            decide(hold.id, by)
    assert holds.get(hold.id).state is HoldState.PENDING


def test_rights_are_exact_names(holds: Holds) -> None:
    hold = holds.request("s1", CASEY, "refund_all", {}, Why("why"))
    with pytest.raises(DataError, match="None of your roles"):
        holds.approve(hold.id, MORGAN)


def test_holds_and_unused_approvals_expire_closed(holds: Holds, clock: Clock) -> None:
    pending = holds.request("s1", CASEY, *CALL, Why("why"))
    approved = holds.request("s2", CASEY, *CALL, Why("why"))
    holds.approve(approved.id, MORGAN)
    clock.now += 61
    assert holds.pending() == []
    assert holds.take("s2", CASEY, *CALL) is None
    assert {holds.get(hold.id).state for hold in (pending, approved)} == {HoldState.EXPIRED}
    with pytest.raises(DataError, match="expired"):
        holds.approve(pending.id, MORGAN)
    again = holds.request("s1", CASEY, *CALL, Why("why"))
    assert again.id != pending.id


def test_asking_again_gives_the_same_hold_and_a_decided_one_stays_decided(holds: Holds) -> None:
    first = holds.request("s1", CASEY, *CALL, Why("why"))
    assert holds.request("s1", CASEY, *CALL, Why("another reason")) == first
    holds.refuse(first.id, MORGAN)
    for decide in (holds.approve, holds.refuse):
        with pytest.raises(DataError, match="refused already"):
            decide(first.id, MORGAN)
    second = holds.request("s1", CASEY, *CALL, Why("why"))
    assert second.id != first.id
    assert [hold.id for hold in holds.list()] == sorted([first.id, second.id], reverse=True)


def test_holds_survive_a_restart(holds: Holds, database: Database, clock: Clock) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    again = Holds(Database(database.path), RIGHTS, expire_s=60, clock=clock)
    again.approve(hold.id, MORGAN)
    assert holds.take("s1", CASEY, *CALL) is not None


def test_there_is_no_such_hold(holds: Holds) -> None:
    for hold_id in ("hold_nope", "' OR 1=1 --", ""):
        with pytest.raises(DataError, match="There is no hold"):
            holds.approve(hold_id, MORGAN)


class Boxes:
    """Seals by remembering; can lose a person's key."""

    def __init__(self) -> None:
        self.kept: dict[bytes, tuple[str, bytes, bytes]] = {}
        self.erased: set[str] = set()

    def seal(self, owner: str, plaintext: bytes, aad: bytes) -> bytes:
        sealed = f"sealed-{len(self.kept)}".encode()
        self.kept[sealed] = (owner, plaintext, aad)
        return sealed

    def open(self, owner: str, sealed: bytes, aad: bytes) -> bytes:
        kept_owner, plaintext, kept_aad = self.kept[sealed]
        if owner in self.erased or (owner, aad) != (kept_owner, kept_aad):
            raise DataError("The key was erased.")
        return plaintext


def test_arguments_are_sealed_and_gone_with_the_requesters_key(database: Database) -> None:
    boxes = Boxes()
    holds = Holds(database, RIGHTS, sealer=boxes)
    hold = holds.request("s1", CASEY, "refund", {"to": "secret-account"}, Why("why"))
    assert hold.arguments == {"to": "secret-account"}
    row = database.one("SELECT * FROM holds")
    assert row is not None
    assert b"secret-account" not in b"".join(str(value).encode() for value in tuple(row))
    boxes.erased.add(f"{CASEY.tenant}/{CASEY.subject}")
    assert holds.get(hold.id).arguments is None
    with pytest.raises(DataError, match="erased"):
        holds.approve(hold.id, MORGAN)


def test_tampered_arguments_cannot_be_approved(holds: Holds, database: Database) -> None:
    hold = holds.request("s1", CASEY, *CALL, Why("why"))
    database.write("UPDATE holds SET arguments = ? WHERE id = ?", b'{"amount":1,"to":"1001"}', hold.id)
    with pytest.raises(DataError, match="nothing to decide"):
        holds.approve(hold.id, MORGAN)


def _taker(path: Path, barrier: Barrier, rounds: int, won: Any) -> None:
    holds = Holds(Database(path), RIGHTS)
    for number in range(rounds):
        barrier.wait(30)
        if holds.take(f"s{number}", CASEY, *CALL) is not None:
            won.put(number)


def test_of_two_processes_that_take_one_gets_it(database: Database) -> None:
    rounds = 40
    holds = Holds(database, RIGHTS)
    for number in range(rounds):
        holds.approve(holds.request(f"s{number}", CASEY, *CALL, Why("why")).id, MORGAN)
    context = multiprocessing.get_context("spawn")
    barrier, won = context.Barrier(2), context.Queue()
    start: Callable[[], Any] = lambda: context.Process(  # noqa: E731
        target=_taker, args=(database.path, barrier, rounds, won)
    )
    takers = [start(), start()]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(60)
        assert taker.exitcode == 0
    assert sorted(won.get(timeout=60) for _ in range(rounds)) == list(range(rounds))
    assert won.empty()
