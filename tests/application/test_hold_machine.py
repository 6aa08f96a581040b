"""Any order of asking, deciding, changing, using and waiting, in two stores on one file: a call is let
through as often as a person granted exactly it, and never after its time."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ringwall.boundaries.application.hold import Approver, HoldState, Why, call_hash
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.strict_json import canonical
from ringwall.core import DataError, Principal
from ringwall.storage.database import Database

RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})
PEOPLE = [
    Principal("casey", "t", frozenset({"agent"}), credential="1"),
    Principal("kim", "t", frozenset({"agent"}), credential="2"),
    Principal("morgan", "t", frozenset({"manager"}), credential="3"),
]
EXPIRE = 60
arguments = st.fixed_dictionaries({"amount": st.integers(1, 2)})
people = st.sampled_from(PEOPLE)
mostly_the_manager = st.sampled_from([*PEOPLE, PEOPLE[-1], PEOPLE[-1]])
sessions = st.sampled_from(["s1", "s1", "s2"])
stores = st.integers(0, 1)
Key = tuple[str, str, str]


class HoldMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path, self.now = Path(self._folder.name) / "state.db", 1000.0
        self.events: list[str] = []
        self.stores = [
            Holds(
                Database(path),
                RIGHTS,
                expire_s=EXPIRE,
                journal=lambda event, hold, *_: self.events.append(f"{hold.id} {event}"),
                clock=lambda: self.now,
            )
            for _ in range(2)
        ]
        self.asked: dict[str, tuple[Principal, Approver, float]] = {}
        self.granted: dict[Key, list[float]] = {}
        """When the grants of a call end, those that were not used."""

    def teardown(self) -> None:
        for store in self.stores:
            store._database.close()
        self._folder.cleanup()

    @rule(store=stores, session=sessions, who=people, given=arguments, own=st.booleans())
    def ask(self, store: int, session: str, who: Principal, given: dict[str, Any], own: bool) -> None:
        approver = Approver.REQUESTER if own else Approver.OTHER
        hold = self.stores[store].request(session, who, "refund", given, Why("why", approver))
        self.asked.setdefault(hold.id, (who, hold.approver, hold.requested_at / 1e6 + EXPIRE))

    @rule(
        store=stores,
        by=mostly_the_manager,
        which=st.integers(0, 9),
        new=st.none() | arguments,
        yes=st.booleans(),
    )
    def decide(self, store: int, by: Principal, which: int, new: dict[str, Any] | None, yes: bool) -> None:
        if not self.asked:
            return
        name = sorted(self.asked)[which % len(self.asked)]
        who, approver, end = self.asked[name]
        holds = self.stores[store]
        before = holds.get(name)
        try:
            if not yes:
                holds.refuse(name, by)
                return
            after = holds.approve(name, by) if new is None else holds.amend(name, by, canonical(new))
        except DataError:
            assert holds.get(name) == before
            return
        assert before.state is HoldState.PENDING
        assert self.now < end
        own = by.subject == who.subject
        assert approver is Approver.REQUESTER if own else "manager" in by.roles
        call = call_hash("refund", before.arguments or {} if new is None else new)
        assert (after.amended_call or after.call) == call
        self.granted.setdefault((before.session, who.subject, call), []).append(end)

    @rule(store=stores, which=st.integers(0, 9), given=arguments)
    def take(self, store: int, which: int, given: dict[str, Any]) -> None:
        if self.asked:
            hold = self.stores[0].get(sorted(self.asked)[which % len(self.asked)])
            self._take(store, hold.session, self.asked[hold.id][0], given)

    @rule(store=stores, session=sessions, who=people, given=arguments)
    def take_elsewhere(self, store: int, session: str, who: Principal, given: dict[str, Any]) -> None:
        self._take(store, session, who, given)

    def _take(self, store: int, session: str, who: Principal, given: dict[str, Any]) -> None:
        key = (session, who.subject, call_hash("refund", given))
        good = [end for end in self.granted.get(key, []) if end > self.now]
        taken = self.stores[store].take(session, who, "refund", given)
        assert bool(taken) == bool(good)
        if taken is not None:
            self.granted[key].remove(taken.expires_at / 1e6)
            assert dict(taken.granted_arguments or {}) == given

    @rule(seconds=st.sampled_from([1, 1, 30, 61]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(store=stores)
    def sweep(self, store: int) -> None:
        self.stores[store].expire()

    @invariant()
    def each_change_is_told_once(self) -> None:
        assert len(self.events) == len(set(self.events))


HoldMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestHolds = HoldMachine.TestCase
