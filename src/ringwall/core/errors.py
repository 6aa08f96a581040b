"""The errors a person or an API client can meet.

RingwallError
├── ConfigError      the workload file or a setting is wrong: says file, line, column and what to do
├── DataError        stored data is missing, damaged or refused
├── DeniedError      a decision refused the crossing (carries the decision id)
├── IdentityError    no valid credential
└── UpstreamError    a model provider or a tool did not answer as its protocol says
"""

from dataclasses import dataclass


class RingwallError(Exception):
    """One clear sentence: what happened, where, what to do. Safe to show: no secrets, no internal paths."""


class DataError(RingwallError):
    """Stored data is missing, damaged, or refused by its store."""


class IdentityError(RingwallError):
    """The request carries no credential that this gateway knows."""


class DeniedError(RingwallError):
    """A decision refused the crossing."""

    def __init__(self, message: str, decision_id: str) -> None:
        super().__init__(message)
        self.decision_id = decision_id


class UpstreamError(RingwallError):
    """A model provider or tool failed. ``status`` is what the client is told (502, 503 or 504)."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file, at a place that an editor can jump to."""

    message: str
    file: str = ""
    line: int = 0
    """1-based; 0 when the place is not known."""
    column: int = 0
    """1-based; 0 when the place is not known."""

    def __str__(self) -> str:
        place = self.file + (f":{self.line}:{self.column}" if self.line else "")
        return f"{place}: {self.message}" if place else self.message


class ConfigError(RingwallError):
    """The workload file (or a file that it names) can't be used."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems
