"""Slows down whoever tries credentials that are none."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_ADDRESSES = 10_000
_FORGET_S = 900.0


class Guessing:
    """Counts failed credentials per network address, and per key that they claim to be, and asks for a
    growing pause after ``free`` of them.

    Best asked after a credential has *failed*: if one that is good is always let in, nobody behind a
    shared address can lock the others out. IPv6 counts by /64, which one host may own. Thread-safe;
    memory is bounded.
    """

    def __init__(
        self, *, free: int = 10, longest_s: float = 60.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = free
        self._longest_s = longest_s
        self._now = now
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, address: str, key: str = "") -> float:
        """Note a failure; seconds that the caller is told to wait (0: none, answer 401 rather than 429).

        ``key`` is the id of the key that it claimed to be: guesses at one key from many addresses add up.
        """
        with self._lock:
            counts = [self._count(network_of(address))]
            if key:
                counts.append(self._count(f"key {key}"))
        return max(map(self._pause, counts))

    def _count(self, place: str) -> int:
        now = self._now()
        count, last = self._failures.pop(place, (0, now))
        count = 1 if now - last > _FORGET_S else count + 1
        self._failures[place] = (count, now)
        while len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        return count

    def _pause(self, count: int) -> float:
        over = count - self._free
        return 0.0 if over <= 0 else min(self._longest_s, 2.0 ** min(over - 1, 16))

    def wait(self, address: str) -> float:
        """Seconds that are left of the pause; 0 when there is none."""
        with self._lock:
            count, last = self._failures.get(network_of(address), (0, 0.0))
        return max(0.0, last + self._pause(count) - self._now())

    def succeeded(self, address: str, key: str = "") -> None:
        """A good credential came from there: forget what went before."""
        with self._lock:
            self._failures.pop(network_of(address), None)
            self._failures.pop(f"key {key}", None)


def network_of(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address[:64])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
