"""One question to the perimeter, and its answer."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNREAD = "unread"
    """It could not be read, or nobody said what it has to be: nothing is known, which is no pass."""


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    state: State
    found: str
    """What was found, in a sentence."""
    advice: str = ""
    """What to do; empty when it passed."""


def check(name: str, passed: bool, good: str, bad: str, advice: str) -> Check:
    return Check(name, State.PASSED, good) if passed else Check(name, State.FAILED, bad, advice)
