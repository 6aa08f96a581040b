"""Kill switches: a tool is off from the next call on, in every process that shares the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ringwall.storage.database import Database

from .cedar_types import plain

_STEPS = (
    """
    CREATE TABLE tool_switches (
      tool TEXT PRIMARY KEY, reason TEXT NOT NULL, thrown_by TEXT NOT NULL, at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Switch:
    tool: str
    reason: str
    by: str
    """Who threw it."""
    at: int
    """Microseconds since the epoch, UTC."""


class ToolSwitches:
    """Each look is one keyed read of some 10 us: nobody ever sees an old state."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.migrate("application.switches", _STEPS)

    def disable(self, tool: str, *, reason: str, by: str) -> None:
        """Every further call of the tool is blocked."""
        self._database.write(
            "INSERT OR REPLACE INTO tool_switches VALUES (?, ?, ?, ?)",
            *(tool, reason, by, int(self._clock() * 1_000_000)),
        )

    def enable(self, tool: str) -> bool:
        """False when it was not off."""
        changed = self._database.write("DELETE FROM tool_switches WHERE tool = ?", tool)
        return bool(changed)

    def off(self, tool: str) -> Switch | None:
        """The switch that was thrown for this tool."""
        row = self._database.one(
            "SELECT tool, reason, thrown_by, at FROM tool_switches WHERE tool = ?", plain(tool)
        )
        return Switch(*row) if row else None

    def list(self) -> list[Switch]:
        rows = self._database.all("SELECT tool, reason, thrown_by, at FROM tool_switches ORDER BY tool")
        return [Switch(*row) for row in rows]
