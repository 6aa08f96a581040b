"""What clients were given here, by session: the arguments of their next calls are looked for in it."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ringwall.core import Part

_SESSIONS = 1000
_CHARACTERS = 200_000


class SeenContent:
    """In memory and bounded: what was forgotten is not found, and counts as untrusted. The *labels* of a
    session last, see ``SessionLabels``."""

    def __init__(self, *, sessions: int = _SESSIONS, characters: int = _CHARACTERS) -> None:
        """``characters`` bounds one session."""
        self._most = sessions
        self._characters = characters
        self._parts: OrderedDict[str, tuple[Part, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, session: str, parts: Iterable[Part]) -> None:
        with self._lock:
            kept: list[Part] = []
            room = self._characters
            for part in reversed((*self._parts.get(session, ()), *parts)):
                room -= len(part.text)
                if room < 0 and kept:
                    break
                kept.append(part)
            self._parts[session] = tuple(reversed(kept))
            self._parts.move_to_end(session)
            while len(self._parts) > self._most:
                self._parts.popitem(last=False)

    def of(self, session: str) -> Sequence[Part]:
        return self._parts.get(session, ())
