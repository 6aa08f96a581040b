"""What became of the tool calls of a turn, for the client that asks for it by ``x-ringwall-trace: 1``.

In the words that user and model get: which rules objected is not in it. Everything in it is the caller's own.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

TRACE = "x-ringwall-trace"


class Fate(StrEnum):
    RUN = "run"
    """The gateway made it."""
    RELEASED = "released"
    """It is in the answer, for the client to make."""
    HELD = "held"
    """It waits for a person."""
    REFUSED = "refused"
    POSTPONED = "postponed"
    """Allowed, and not made: the answer went to the client with calls of its own, or ended at a refusal."""


@dataclass
class Trace:
    calls: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        call: str,
        tool: str,
        fate: Fate,
        *,
        decision: str,
        reason: str = "",
        hold: str = "",
        changed: bool = False,
    ) -> None:
        entry: dict[str, Any] = {"call": call, "tool": tool, "fate": str(fate), "decision": decision}
        if reason:
            entry["reason"] = reason
        if hold:
            entry["hold"] = hold
        if changed:
            entry["changed_by_person"] = True
        self.calls.append(entry)
