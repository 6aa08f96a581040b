"""Budgets in a sliding window, reserved before the work and settled after it. In process, no I/O.

``reserve`` grants only what is left, counting all that is settled in the window *and* all that others have
reserved and not yet settled; so any number of requests at once can't overshoot together. What work really
took is known afterwards, and ``settle`` puts it in the place of what was reserved.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

_SLOTS = 60


@dataclass(frozen=True, slots=True)
class Reservation:
    """A claim on a budget that is still to be settled or released."""

    key: str
    window_s: int
    amount: int
    serial: int


@dataclass(slots=True)
class _Budget:
    """Use of one key in one window. A slot counts until its *last* moment has left the window, so the
    true use of any window is never more than what is counted."""

    settled: deque[tuple[int, int]] = field(default_factory=deque)
    """(slot number, amount), oldest first."""
    settled_sum: int = 0
    open: OrderedDict[int, tuple[int, float]] = field(default_factory=OrderedDict)
    """Reservations by serial: (amount, when it expires)."""
    open_sum: int = 0


class Counters:
    """Thread-safe. ``now`` is in seconds and must not run backwards."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        expire_s: float = 900.0,
        max_keys: int = 100_000,
    ) -> None:
        """``expire_s``: after this time a reservation that nobody settled is given back. ``max_keys``: over
        this many budgets, those unused for longest are forgotten, but none with open reservations."""
        self._now = now
        self._expire_s = expire_s
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._budgets: OrderedDict[tuple[str, int], _Budget] = OrderedDict()
        self._serial = 0

    def reserve(self, key: str, amount: int, limit: int, window_s: int) -> Reservation | None:
        """Claim ``amount`` of the ``limit`` per ``window_s`` seconds; None when so much is not left.

        Raises ValueError for a negative amount or a window that is not positive.
        """
        _sensible(amount, window_s)
        with self._lock:
            budget = self._budget(key, window_s)
            if budget is None or budget.settled_sum + budget.open_sum + amount > limit:
                return None
            self._serial += 1
            budget.open[self._serial] = (amount, self._now() + self._expire_s)
            budget.open_sum += amount
            return Reservation(key, window_s, amount, self._serial)

    def settle(self, reservation: Reservation, actual: int) -> None:
        """Put what was really used in the place of the reservation. To be called once; use counts
        even if the reservation has expired meanwhile."""
        _sensible(actual, reservation.window_s)
        with self._lock:
            budget = self._budget(reservation.key, reservation.window_s, force=True)
            if budget is not None:
                self._close(budget, reservation.serial)
                self._charge(budget, actual, reservation.window_s)

    def release(self, reservation: Reservation) -> None:
        """Give the reservation back unused. Doing so twice does no harm."""
        with self._lock:
            budget = self._budgets.get((reservation.key, reservation.window_s))
            if budget is not None:
                self._close(budget, reservation.serial)

    def charge(self, key: str, amount: int, window_s: int) -> None:
        """Count use that nobody reserved."""
        _sensible(amount, window_s)
        with self._lock:
            budget = self._budget(key, window_s, force=True)
            if budget is not None:
                self._charge(budget, amount, window_s)

    def used(self, key: str, window_s: int) -> int:
        """Settled and reserved in the window that ends now."""
        with self._lock:
            budget = self._budgets.get((key, window_s))
            if budget is None:
                return 0
            self._forget_old(budget, window_s)
            return budget.settled_sum + budget.open_sum

    def retry_after(self, key: str, amount: int, limit: int, window_s: int) -> float:
        """Seconds after which ``amount`` will be left if nobody uses more meanwhile and open reservations
        are used up; 0 when it is left now, infinite when it is more than the whole limit."""
        if amount > limit:
            return math.inf
        with self._lock:
            budget = self._budgets.get((key, window_s))
            if budget is None:
                return 0.0
            self._forget_old(budget, window_s)
            over = budget.settled_sum + budget.open_sum + amount - limit
            if over <= 0:
                return 0.0
            width, now = window_s / _SLOTS, self._now()
            for slot, settled in budget.settled:
                over -= settled
                if over <= 0:
                    return max(0.0, (slot + 1) * width + window_s - now)
            return float(window_s)

    def _budget(self, key: str, window_s: int, *, force: bool = False) -> _Budget | None:
        """The key's budget without what has left the window; None when there is no room for a new key."""
        place = (key, window_s)
        budget = self._budgets.get(place)
        if budget is None:
            if not self._room() and not force:
                return None
            budget = self._budgets[place] = _Budget()
        else:
            self._budgets.move_to_end(place)
            self._forget_old(budget, window_s)
        return budget

    def _room(self) -> bool:
        """Make room for one more. Looks at a few of the oldest only, so that a flood costs little."""
        if len(self._budgets) < self._max_keys:
            return True
        for _ in range(min(16, len(self._budgets))):
            place, budget = self._budgets.popitem(last=False)
            self._forget_old(budget, place[1])
            if not budget.open:
                return True
            self._budgets[place] = budget
        return False

    def _forget_old(self, budget: _Budget, window_s: int) -> None:
        now = self._now()
        width = window_s / _SLOTS
        while budget.settled and (budget.settled[0][0] + 1) * width + window_s <= now:
            budget.settled_sum -= budget.settled.popleft()[1]
        while budget.open:
            serial, (amount, expires) = next(iter(budget.open.items()))
            if expires > now:
                break
            del budget.open[serial]
            budget.open_sum -= amount

    def _charge(self, budget: _Budget, amount: int, window_s: int) -> None:
        if not amount:
            return
        slot = int(self._now() / (window_s / _SLOTS))
        if budget.settled and budget.settled[-1][0] >= slot:
            last, before = budget.settled.pop()
            budget.settled.append((last, before + amount))
        else:
            budget.settled.append((slot, amount))
        budget.settled_sum += amount

    def _close(self, budget: _Budget, serial: int) -> None:
        amount, _ = budget.open.pop(serial, (0, 0.0))
        budget.open_sum -= amount


def _sensible(amount: int, window_s: int) -> None:
    if amount < 0 or window_s <= 0:
        raise ValueError("an amount is at least 0 and a window longer than 0")
