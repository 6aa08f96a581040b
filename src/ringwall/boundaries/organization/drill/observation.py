"""What happened to one request of a scenario: what left the gateway, and what the gateway put on record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that reached its execution or the client."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    executed: bool = True
    """By the gateway; False when it was handed to the client."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision as the ledger has it: see ``ringwall.core.record``."""

    event: Mapping[str, Any]
    body: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Observation:
    """One request through the listener and its outcome."""

    step: int
    """Index of the scenario's step; a burst gives several observations of one step."""
    status: int
    """HTTP status; 0 when the connection failed."""
    content: str = ""
    """Text that the client received."""
    finish: str = ""
    """Finish reason; ``content_filter`` means that the answer was stopped."""
    calls: tuple[Call, ...] = ()
    """Tool calls that got through."""
    stored: str = ""
    """Title of the document that became current."""
    route: str = ""
    """Model route that was asked for."""
    error: str = ""
    """Code of the error that the client received: usually the id of the control that stopped it."""
    turn: str = ""
    judged: bool = True
    decisions: tuple[Recorded, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the client was served, in full."""
        return 200 <= self.status < 300 and self.status != 202 and self.finish != "content_filter"
