"""What each control did since the start: for overviews, not for proof (that is the ledger's)."""

from collections import defaultdict
from dataclasses import dataclass

from ringwall.core import Action, Decision, Status


@dataclass
class ControlCount:
    evaluated: int = 0
    blocked: int = 0
    """Crossings that its verdict blocked or held."""
    failed: int = 0


class Counts:
    """By control id."""

    def __init__(self) -> None:
        self._by_control: dict[str, ControlCount] = defaultdict(ControlCount)

    def add(self, decision: Decision) -> None:
        for line in decision.lines:
            count = self._by_control[line.control]
            count.evaluated += line.status is Status.EVALUATED
            count.failed += line.status is Status.FAILED
            count.blocked += line.counted >= Action.HOLD

    def of(self, control: str) -> ControlCount:
        return self._by_control.get(control) or ControlCount()
