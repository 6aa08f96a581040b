"""What the chat gateway knew of a call that it handed to a client, for when the client makes it here."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..hold import call_hash
from ..session_facts import Background

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class CallFact:
    background: Background
    approved: bool
    """Whether a person approved exactly this call, and the approval was used up when it was handed out."""


class CallFacts:
    """By session (which belongs to one principal) and hash of the call. In memory: what another process
    decided, or what was forgotten, is not known and counts as untrusted. Bounded: the oldest go first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._facts: OrderedDict[tuple[str, str], CallFact] = OrderedDict()
        self._lock = threading.Lock()

    def remember(
        self,
        session: str,
        tool: str,
        arguments: Mapping[str, Any],
        background: Background,
        *,
        approved: bool = False,
    ) -> None:
        key = (session, call_hash(tool, arguments))
        with self._lock:
            self._facts[key] = CallFact(background, approved)
            self._facts.move_to_end(key)
            while len(self._facts) > self._most:
                self._facts.popitem(last=False)

    def find(self, session: str, tool: str, arguments: Mapping[str, Any]) -> CallFact | None:
        return self._facts.get((session, call_hash(tool, arguments)))

    def use_approval(self, session: str, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether there was one; it is gone after this."""
        key = (session, call_hash(tool, arguments))
        with self._lock:
            fact = self._facts.get(key)
            if fact is None or not fact.approved:
                return False
            self._facts[key] = CallFact(fact.background, approved=False)
            return True
