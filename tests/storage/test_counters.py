"""Budgets hold whatever the order of what happens."""

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringwall.storage.counters import Counters

LIMIT, WINDOW, EXPIRE = 100, 60, 200.0


class Budget(RuleBasedStateMachine):
    """Held against a model that remembers every single use."""

    def __init__(self):
        super().__init__()
        self.clock = 1000.0
        self.counters = Counters(now=lambda: self.clock, expire_s=EXPIRE)
        self.open = []
        self.settled = []

    def truth(self):
        used = sum(amount for at, amount in self.settled if at > self.clock - WINDOW)
        return used + sum(r.amount for r, until in self.open if until > self.clock)

    @rule(amount=st.integers(0, 60))
    def reserve(self, amount):
        wait = self.counters.retry_after("k", amount, LIMIT, WINDOW)
        reservation = self.counters.reserve("k", amount, LIMIT, WINDOW)
        assert (wait == 0) == (reservation is not None)
        if reservation is not None:
            assert self.truth() + amount <= LIMIT
            self.open.append((reservation, self.clock + EXPIRE))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), actual=st.integers(0, 60))
    def settle(self, data, actual):
        reservation, _ = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        self.counters.settle(reservation, actual)
        self.settled.append((self.clock, actual))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data):
        reservation, _ = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        self.counters.release(reservation)
        self.counters.release(reservation)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 7.3, 59.0, 61.5, 250.0]))
    def wait(self, seconds):
        self.clock += seconds

    @invariant()
    def nothing_is_forgotten(self):
        assert self.counters.used("k", WINDOW) >= self.truth()

    @invariant()
    def what_is_old_is_given_back(self):
        slot = WINDOW / 60
        late = sum(amount for at, amount in self.settled if at > self.clock - WINDOW - slot)
        held = sum(r.amount for r, until in self.open if until > self.clock)
        assert self.counters.used("k", WINDOW) <= late + held


Budget.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBudget = Budget.TestCase


def test_threads_can_not_overshoot_together():
    counters = Counters()
    granted = []

    def take():
        granted.extend(counters.reserve("k", 1, 500, 3600) for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(reservation is not None for reservation in granted) == 500


def test_waiting_as_told_is_enough():
    clock = [5.0]
    counters = Counters(now=lambda: clock[0])
    for _ in range(10):
        counters.settle(counters.reserve("k", 10, 100, 60), 10)
        clock[0] += 3.7
    wait = counters.retry_after("k", 25, 100, 60)
    assert wait > 0
    clock[0] += wait
    assert counters.reserve("k", 25, 100, 60) is not None


def test_more_than_the_limit_will_never_do():
    counters = Counters()
    assert counters.reserve("k", 101, 100, 60) is None
    assert counters.retry_after("k", 101, 100, 60) == float("inf")


def test_overshoot_is_charged_and_shuts_the_door():
    counters = Counters()
    reservation = counters.reserve("k", 10, 100, 60)
    counters.settle(reservation, 500)
    assert counters.reserve("k", 1, 100, 60) is None


def test_an_abandoned_reservation_comes_back_and_late_use_still_counts():
    clock = [0.0]
    counters = Counters(now=lambda: clock[0], expire_s=10)
    reservation = counters.reserve("k", 100, 100, 60)
    assert counters.reserve("k", 1, 100, 60) is None
    clock[0] = 10.0
    assert counters.reserve("k", 1, 100, 60) is not None
    counters.settle(reservation, 60)
    assert counters.used("k", 60) == 61


def test_memory_is_bounded_and_what_is_reserved_is_not_forgotten():
    counters = Counters(max_keys=100)
    held = counters.reserve("held", 7, 10, 60)
    for number in range(1000):
        counters.settle(counters.reserve(f"k{number}", 1, 10, 60), 1)
    assert len(counters._budgets) <= 100
    assert counters.used("held", 60) == 7
    counters.release(held)


def test_a_store_full_of_reservations_refuses_new_names():
    counters = Counters(max_keys=3)
    assert [counters.reserve(name, 1, 10, 60) is not None for name in "abcd"] == [True, True, True, False]


@pytest.mark.parametrize(("amount", "window"), [(-1, 60), (1, 0), (1, -5)])
def test_nonsense_is_refused(amount, window):
    with pytest.raises(ValueError, match="at least 0"):
        Counters().reserve("k", amount, 10, window)


def test_budgets_are_apart():
    counters = Counters()
    counters.reserve("a", 10, 10, 60)
    assert counters.reserve("b", 10, 10, 60)
    assert counters.reserve("a", 10, 10, 61)
