"""How many sessions of the older protocol each client holds open: all together are bounded, so one that opens
without end would leave none for the others."""

import time
from collections.abc import Callable, Hashable

_EACH = 100


class OpenSessions:
    """Of one host. A session counts until it is ended, or was not used for ``idle_s``."""

    def __init__(
        self, idle_s: float, *, each: int = _EACH, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle_s = idle_s
        self._each = each
        self._clock = clock
        self._open: dict[str, tuple[Hashable, float]] = {}

    def room(self, owner: Hashable) -> bool:
        """Whether the owner may open another one."""
        oldest = self._clock() - self._idle_s
        self._open = {key: entry for key, entry in self._open.items() if entry[1] > oldest}
        return sum(holder == owner for holder, _ in self._open.values()) < self._each

    def used(self, session: str, owner: Hashable) -> None:
        self._open[session] = (owner, self._clock())

    def ended(self, session: str) -> None:
        self._open.pop(session, None)
