"""A circuit breaker: a provider that keeps failing is left alone for a while.

closed --(failures within the window)--> open --(after open_s)--> half-open: one call tries;
its success closes the circuit, its failure opens it anew.
"""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from .settings import BreakerSettings


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Attempt:
    """One call that was let through. Only the first of its three ends counts."""

    def __init__(self, breaker: "Breaker", probe: bool) -> None:
        self._breaker = breaker
        self._probe = probe
        self._over = False

    def succeeded(self) -> None:
        if self._end() and (self._probe or self._breaker.state is Circuit.CLOSED):
            self._breaker.close()

    def failed(self) -> None:
        if self._end():
            self._breaker.fail(self._probe)

    def abandoned(self) -> None:
        """The call says nothing of the provider: the client left, or the request was at fault."""
        self._end()

    def _end(self) -> bool:
        if self._over:
            return False
        self._over = True
        if self._probe:
            self._breaker.free()
        return True


class Breaker:
    """For one provider, on one event loop."""

    def __init__(self, settings: BreakerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._failures: deque[float] = deque()
        self._opened: float | None = None
        self._probing = False

    @property
    def state(self) -> Circuit:
        if self._opened is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self.wait_s > 0 else Circuit.HALF_OPEN

    @property
    def wait_s(self) -> float:
        """Seconds until a call is let through again; 0 when it would be now."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._opened + self._settings.open_s - self._clock())

    def enter(self) -> Attempt | None:
        """A call may go out now, and must be ended; None: it may not."""
        if self._opened is None:
            return Attempt(self, probe=False)
        if self._probing or self.wait_s > 0:
            return None
        self._probing = True
        return Attempt(self, probe=True)

    def close(self) -> None:
        self._opened = None
        self._failures.clear()

    def free(self) -> None:
        """The trying call has ended: another one may try."""
        self._probing = False

    def fail(self, probe: bool) -> None:
        """Count a failure. Calls from before the circuit opened are no news once it has."""
        now = self._clock()
        if self._opened is not None:
            if probe:
                self._opened = now
            return
        self._failures.append(now)
        while self._failures[0] <= now - self._settings.window_s:
            self._failures.popleft()
        if len(self._failures) >= self._settings.failures:
            self._opened = now
            self._failures.clear()
